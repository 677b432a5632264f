import type {
  BpfInstruction,
  Native,
  NetlinkFamily,
  NetlinkHandle,
  NetlinkWorkerHandle,
  NetlinkWorkerOptions,
} from '@pp/native';

/** The port that everything here talks through: datagrams out and in. `@pp/native` gives the real one, tests a scripted one. */
export interface NetlinkSocket {
  /** Sends in order. A failure goes to `onError`. */
  send(datagram: Uint8Array): void;
  /** Multicast group by number. */
  join(group: number): void;
  /** Idempotent. */
  close(): void;
}

export interface NetlinkEvents {
  /** One or more datagrams, one after the other, each from a multiple of four. */
  readonly onDatagrams: (datagrams: Uint8Array) => void;
  /** `code` is an errno by name. ENOBUFS: datagrams were lost, the socket lives on. */
  readonly onError: (error: { readonly code: string; readonly message: string }) => void;
}

/** Bound: the kernel knows it by this number. */
export interface BoundSocket extends NetlinkSocket {
  readonly portId: number;
}

/** Opens a worker in one network namespace. */
export type OpenWorker = (options: NetlinkWorkerOptions) => NetlinkWorkerHandle;

/** Opens a socket of one family in one network namespace. */
export type OpenNetlink = (events: NetlinkEvents) => NetlinkSocket;

// The answers to one datagram must fit while the event loop is busy; the kernel charges about 1 KiB for each.
const RECEIVE_BUFFER_BYTES = 4 << 20;

/** Sockets of `family` in the current network namespace, or in the one that `netns` holds open. `filter`: see NetlinkOptions. */
export const netlinkIn =
  (
    native: Pick<Native, 'openNetlink' | 'runInNetns'>,
    family: NetlinkFamily,
    netns?: number,
    filter: readonly BpfInstruction[] = [],
  ): ((events: NetlinkEvents) => NetlinkHandle) =>
  (events) => {
    const open = (): NetlinkHandle =>
      native.openNetlink({ family, receiveBufferBytes: RECEIVE_BUFFER_BYTES, filter, ...events });
    return netns === undefined ? open() : native.runInNetns(netns, open);
  };

/** A worker in the current network namespace, or in the one that `netns` holds open. */
export const netlinkWorkerIn =
  (native: Pick<Native, 'openNetlinkWorker' | 'runInNetns'>, netns?: number): OpenWorker =>
  (options) => {
    const open = (): NetlinkWorkerHandle => native.openNetlinkWorker(options);
    return netns === undefined ? open() : native.runInNetns(netns, open);
  };
