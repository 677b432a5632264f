import type { Errno } from '@pp/base';
import type { Caller, CallerEvents, RelayTarget, StreamRelay } from '../stream-relay';

/** One end of a stream as the contract sees it. */
export interface ContractEnd {
  readonly received: string;
  readonly hasEnded: boolean;
  say(words: string): void;
  end(): void;
}

/** A relay with something around it that connects to it, and targets of each kind. */
export interface RelaySubject {
  readonly relay: StreamRelay;
  /** Listens, and gives every caller to `onCaller`. */
  listen(onCaller: (caller: Caller) => void): Promise<void>;
  /** Connects to where it listens. */
  dial(): ContractEnd;
  /** A target that accepts, and gives its end. */
  serve(via: RelayTarget['via'], onEnd: (end: ContractEnd) => void): Promise<RelayTarget>;
  /** A target where nobody is. */
  nobody(via: RelayTarget['via']): Promise<RelayTarget>;
  until(what: string, holds: () => boolean): Promise<void>;
}

export interface RelayRow {
  readonly name: string;
  /** What a kernel may not have: the row is skipped there, by name. */
  readonly needs?: 'vsock loopback';
  readonly run: (subject: RelaySubject) => Promise<void>;
}

/** Keeps what a caller is told. */
class Told implements CallerEvents {
  readonly list: string[] = [];
  readonly onConnected = (): void => void this.list.push('connected');
  readonly onRefused = (code: Errno): void => void this.list.push(`refused ${code}`);
  readonly onEnd: CallerEvents['onEnd'] = ({ fromClient, fromTarget }, code) =>
    void this.list.push(`end ${fromClient} ${fromTarget} ${code ?? 'in order'}`);
}

const bothWays =
  (via: RelayTarget['via']) =>
  async (subject: RelaySubject): Promise<void> => {
    let far: ContractEnd | undefined;
    const target = await subject.serve(via, (end) => (far = end));
    const told = new Told();
    await subject.listen((caller) => {
      expect(caller.connect(target, told)).toBeNull();
    });
    const near = subject.dial();
    near.say('ping');
    await subject.until('the target heard it', () => far?.received === 'ping');
    near.end();
    await subject.until('and its end', () => far?.hasEnded === true);
    expect(near.hasEnded).toBe(false);
    far?.say('pong!');
    far?.end();
    await subject.until('the end', () => told.list.length === 2);
    expect(told.list).toEqual(['connected', 'end 4 5 in order']);
    await subject.until('the client heard all', () => near.received === 'pong!' && near.hasEnded);
  };

/** Tries targets in turn, as an application would. */
function connectFirst(caller: Caller, targets: readonly RelayTarget[], told: Told): void {
  const [target, ...others] = targets;
  if (target === undefined) {
    caller.close();
    return;
  }
  const next = (code: Errno): void => {
    told.onRefused(code);
    connectFirst(caller, others, told);
  };
  const code = caller.connect(target, { onConnected: told.onConnected, onEnd: told.onEnd, onRefused: next });
  if (code !== null) next(code);
}

/** The same for the fake and for Linux. */
export const RELAY_ROWS: readonly RelayRow[] = [
  { name: 'to a UNIX socket, both ways, one end after the other', run: bothWays('unix') },
  { name: 'to TCP', run: bothWays('tcp') },
  { name: 'to vsock', needs: 'vsock loopback', run: bothWays('vsock') },
  {
    name: 'refusals of each kind leave the client to the next target, with what it said before',
    run: async (subject) => {
      let far: ContractEnd | undefined;
      const absent = [
        await subject.nobody('vsock'),
        await subject.nobody('unix'),
        await subject.nobody('tcp'),
      ];
      const target = await subject.serve('tcp', (end) => (far = end));
      const told = new Told();
      await subject.listen((caller) => {
        connectFirst(caller, [...absent, target], told);
      });
      subject.dial().say('early words');
      await subject.until('the words', () => far?.received === 'early words');
      expect(told.list.map((each) => each.split(' ')[0])).toEqual([
        'refused',
        'refused',
        'refused',
        'connected',
      ]);
    },
  },
  {
    name: 'closed: both ends see it, nothing is told',
    run: async (subject) => {
      let far: ContractEnd | undefined;
      let known: Caller | undefined;
      const target = await subject.serve('unix', (end) => (far = end));
      const told = new Told();
      await subject.listen((caller) => {
        known = caller;
        caller.connect(target, told);
      });
      const near = subject.dial();
      near.say('x');
      await subject.until('it is connected', () => far?.received === 'x');
      expect(known?.bytes).toEqual({ fromClient: 1, fromTarget: 0 });
      known?.close();
      known?.close();
      await subject.until('both ends', () => near.hasEnded && far?.hasEnded === true);
      expect(told.list).toEqual(['connected']);
    },
  },
  {
    name: 'closed before it was connected',
    run: async (subject) => {
      await subject.listen((caller) => {
        caller.close();
      });
      const near = subject.dial();
      await subject.until('the client sees it', () => near.hasEnded);
    },
  },
  {
    name: 'the relay closes all of its callers',
    run: async (subject) => {
      const target = await subject.serve('tcp', () => undefined);
      const told = new Told();
      await subject.listen((caller) => caller.connect(target, told));
      const ends = [subject.dial(), subject.dial()];
      await subject.until('both are connected', () => told.list.length === 2);
      subject.relay.close();
      await subject.until('all see it', () => ends.every(({ hasEnded }) => hasEnded));
      expect(told.list).toEqual(['connected', 'connected']);
    },
  },
];
