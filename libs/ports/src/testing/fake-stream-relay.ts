import { KernelError, type Errno } from '@pp/base';
import type {
  Caller,
  CallerEvents,
  ListenEvents,
  ListenPlace,
  RelayedBytes,
  RelayListener,
  RelayTarget,
  StreamRelay,
} from '../stream-relay';

/** One end of a stream in memory: what it was sent, and whether the other side has said all. */
export class FakeEnd {
  received = '';
  hasEnded = false;
  isClosed = false;
  /** Words that nobody took yet. */
  #waiting = '';
  #saidAll = false;
  #deliver: ((words: string, isEnd: boolean) => void) | undefined;

  say(words: string): void {
    this.#waiting += words;
    this.#flush();
  }

  end(): void {
    this.#saidAll = true;
    this.#flush();
  }

  /** From here on its words go to `deliver`. */
  flowTo(deliver: (words: string, isEnd: boolean) => void): void {
    this.#deliver = deliver;
    this.#flush();
  }

  #flush(): void {
    if (this.#deliver === undefined || this.isClosed) return;
    const words = this.#waiting;
    this.#waiting = '';
    if (words !== '' || this.#saidAll) this.#deliver(words, this.#saidAll);
  }
}

/** What a target does when it is tried. */
export type FakeTarget =
  { readonly accepts: (end: FakeEnd) => void } | { readonly refuses: Errno } | 'silent';

interface Heard {
  readonly place: ListenPlace;
  readonly on: ListenEvents;
  isPaused: boolean;
  readonly backlog: FakeCaller[];
}

export const targetText = (target: RelayTarget): string => {
  switch (target.via) {
    case 'unix':
      return `unix:${target.path}`;
    case 'vsock':
      return `vsock:${target.cid}:${target.port}`;
    case 'tcp':
      return `tcp:${target.address}:${target.port}`;
  }
};

/** Listeners, callers and targets in memory. A target that nobody set refuses as a kernel does. */
export class FakeStreamRelay implements StreamRelay {
  /** By the text of a target. */
  readonly targets = new Map<string, FakeTarget>();
  /** Refusals of `listen`, by "address:port". */
  readonly refusals = new Map<string, Errno>();
  /** Targets in the order they were tried. */
  readonly tried: string[] = [];
  readonly #heard = new Set<Heard>();
  readonly #callers = new Set<FakeCaller>();

  /** "address:port" of what is listened at, "%device" added. */
  get places(): readonly string[] {
    return [...this.#heard].map(({ place }) => textOf(place)).sort();
  }

  listen(place: ListenPlace, on: ListenEvents): RelayListener {
    const code =
      this.refusals.get(`${place.address}:${place.port}`) ??
      (this.places.includes(textOf(place)) ? 'EADDRINUSE' : undefined);
    if (code !== undefined) throw new KernelError(code, `listen ${textOf(place)}`);
    const heard: Heard = { place, on, isPaused: false, backlog: [] };
    this.#heard.add(heard);
    return {
      pause: () => {
        heard.isPaused = true;
      },
      resume: () => {
        heard.isPaused = false;
        for (const caller of heard.backlog.splice(0)) on.onCaller(caller);
      },
      close: () => void this.#heard.delete(heard),
    };
  }

  /** Somebody connects; returns that end. Throws ECONNREFUSED where nobody listens. */
  dial(place: string, source = '127.0.0.1'): FakeEnd {
    const heard = [...this.#heard].find((each) => textOf(each.place) === place);
    if (heard === undefined) throw new KernelError('ECONNREFUSED', `connect ${place}`);
    const caller = new FakeCaller(this, source, () => this.#callers.delete(caller));
    this.#callers.add(caller);
    if (heard.isPaused) heard.backlog.push(caller);
    else heard.on.onCaller(caller);
    return caller.near;
  }

  /** As accept(2) would fail. */
  fault(place: string, code: Errno): void {
    for (const heard of this.#heard)
      if (textOf(heard.place) === place && !heard.isPaused) heard.on.onFault(code);
  }

  close(): void {
    for (const caller of [...this.#callers]) caller.close();
  }
}

const textOf = ({ address, port, device }: ListenPlace): string =>
  `${address}:${port}${device === undefined ? '' : `%${device}`}`;

/** Not before the caller has gone on. */
const later = (what: () => void): void => void Promise.resolve().then(what);

class FakeCaller implements Caller {
  readonly port = 40_000;
  readonly near = new FakeEnd();
  #far: FakeEnd | undefined;
  #on: CallerEvents | undefined;
  #ended = 0;
  readonly #counts = { fromClient: 0, fromTarget: 0 };

  constructor(
    private readonly relay: FakeStreamRelay,
    readonly address: string,
    private readonly forget: () => void,
  ) {}

  get bytes(): RelayedBytes {
    return { ...this.#counts };
  }

  connect(target: RelayTarget, on: CallerEvents): Errno | null {
    if (this.#far !== undefined) throw new Error('strict fake: it is connected already');
    if (this.near.isClosed) throw new Error('strict fake: it is closed');
    this.relay.tried.push(targetText(target));
    const answer = this.relay.targets.get(targetText(target)) ?? {
      refuses: target.via === 'unix' ? 'ENOENT' : 'ECONNREFUSED',
    };
    this.#on = on;
    if (answer === 'silent') return null;
    if ('accepts' in answer)
      later(() => {
        this.#join(on, answer.accepts);
      });
    else if (target.via === 'unix')
      return answer.refuses; // a UNIX connect never waits
    else
      later(() => {
        if (this.#on === on && !this.near.isClosed) on.onRefused(answer.refuses);
      });
    return null;
  }

  close(): void {
    this.#on = undefined;
    this.#closeEnds();
  }

  #join(on: CallerEvents, accepts: (end: FakeEnd) => void): void {
    if (this.#on !== on || this.near.isClosed) return;
    const far = new FakeEnd();
    this.#far = far;
    on.onConnected();
    accepts(far);
    this.near.flowTo((words, isEnd) => {
      this.#counts.fromClient += words.length;
      this.#pass(far, words, isEnd);
    });
    far.flowTo((words, isEnd) => {
      this.#counts.fromTarget += words.length;
      this.#pass(this.near, words, isEnd);
    });
  }

  #pass(to: FakeEnd, words: string, isEnd: boolean): void {
    to.received += words;
    if (!isEnd || to.hasEnded) return;
    to.hasEnded = true;
    if (++this.#ended < 2) return;
    const on = this.#on;
    this.#closeEnds();
    on?.onEnd(this.bytes, null);
  }

  #closeEnds(): void {
    this.forget();
    for (const end of [this.near, this.#far]) if (end !== undefined) end.isClosed = end.hasEnded = true;
  }
}
