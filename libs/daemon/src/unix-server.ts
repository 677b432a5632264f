import { seconds, type Clock } from '@pp/base';
import type { Native, StreamHandle } from '@pp/native';

/** The calls of the addon that serving at a path takes. node:net could, and costs a daemon 2 MB with all that it loads. */
export type UnixDoor = Pick<Native, 'listenUnix' | 'connectUnix' | 'adoptStream' | 'closeFd'>;

/** What servers at a path need. */
export interface UnixServing {
  readonly native: UnixDoor;
  readonly clock: Clock;
}

/** When accept(2) lacks descriptors or memory. */
const ACCEPT_AGAIN = seconds(1);

/** Who has connected: text from them, text to them. */
export class UnixClient {
  /** What it says, as it comes. */
  onText: (text: string) => void = () => undefined;
  readonly #gone: (() => void)[] = []; // BOUNDED: by who serves it
  readonly #stream: StreamHandle;
  /** ending: its last words are on their way; ended: they have gone. */
  #state: 'open' | 'ending' | 'ended' | 'closed' = 'open';
  #isFull = false;
  /** It says nothing any more, but may still listen. */
  #isSilent = false;

  /** Takes the descriptor, unless it throws. */
  constructor(native: UnixDoor, fd: number) {
    this.#stream = native.adoptStream(fd, {
      onData: (data) => {
        this.onText(Buffer.from(data).toString('utf8'));
      },
      onEnd: () => {
        this.#isSilent = true;
        if (this.#state !== 'ending') this.close();
      },
      onError: () => {
        this.close();
      },
      onDrain: () => {
        this.#isFull = false;
        if (this.#state !== 'ending') return;
        this.#state = 'ended';
        if (this.#isSilent) this.close();
      },
    });
  }

  /** It has 256 KiB or more to read. */
  get isFull(): boolean {
    return this.#isFull;
  }

  write(text: string): void {
    if (this.#state === 'open') this.#isFull = !this.#stream.write(Buffer.from(text));
  }

  /** Its last words; it is closed when they have gone and the client has said its own. */
  end(text: string): void {
    this.write(text);
    if (this.#state !== 'open') return;
    this.#state = this.#stream.end() ? 'ended' : 'ending';
  }

  /** At once. Again is allowed. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stream.close();
    for (const tell of this.#gone) tell();
  }

  onGone(done: () => void): void {
    this.#gone.push(done);
  }
}

export interface UnixServer {
  /** And its clients. The path stays. */
  close(): void;
}

/** Listens at a new path, for so many clients at once; more are turned away. Throws NativeError. */
export function serveUnix(
  { native, clock }: UnixServing,
  path: string,
  maxClients: number,
  serve: (client: UnixClient) => void,
): UnixServer {
  const clients = new Set<UnixClient>(); // BOUNDED: maxClients
  let isOpen = true;
  const listener = native.listenUnix(path, {
    onConnection: (fd) => {
      if (clients.size >= maxClients) {
        native.closeFd(fd);
        return;
      }
      const client = new UnixClient(native, fd);
      clients.add(client);
      client.onGone(() => clients.delete(client));
      serve(client);
    },
    onError: () => {
      listener.pause();
      clock.after('accept', ACCEPT_AGAIN, () => {
        if (isOpen) listener.resume();
      });
    },
  });
  return {
    close: () => {
      isOpen = false;
      listener.close();
      for (const client of clients) client.close();
    },
  };
}
