import type { NativeError } from './api/error';
import type { UdpSocket } from './api/udp';

/** One stands for an array of one: an element of an array costs C a dozen calls into V8. */
export type OneOrAll<T> = T | readonly T[];

/** A C source behind an external value; garbage collection does not close it. */
declare const source: unique symbol;
export interface Source {
  readonly [source]: never;
}

type OnError = (error: NativeError) => void;

/** What C receives into: bytes, and a row of numbers for each frame or datagram. Shared by all sockets of one addon. */
export interface Received {
  readonly scratch: Uint8Array;
  readonly table: Int32Array;
}

/** The C functions, one for one. */
export interface Addon extends Received {
  readonly closeFd: (fd: number) => void;
  readonly dupFd: (fd: number) => number;
  readonly pipe: () => [number, number];
  readonly fdKind: (fd: number) => 'file' | 'directory' | 'fifo' | 'socket' | 'character' | 'block' | 'other';
  readonly fdIdentity: (fd: number) => { dev: number; ino: number };
  readonly pollFd: (fd: number) => number;
  readonly pidfdOpen: (pid: number) => number;
  readonly errnoName: (errno: number) => string | undefined;
  /** Blocks of C memory alive, of all environments in this process. */
  readonly allocations: () => number;
  readonly collectGarbage: () => void;
  readonly setV8Flags: (flags: string) => void;
  /** Any source; again is allowed. */
  readonly close: (source: Source) => void;

  readonly watchFd: (fd: number, onEvents: (bits: number) => void) => Source;

  readonly connectUnix: (path: string) => number;
  readonly bindUnixStream: (path: string) => number;
  readonly bindUnixDatagram: (path: string) => number;
  readonly connectVsock: (cid: number, port: number) => number;
  readonly sendUnixDatagram: (path: string, data: Uint8Array, fds: readonly number[]) => void;
  readonly socketPair: (type: number) => [number, number];
  readonly getSocketOption: (fd: number, level: number, option: number, length: number) => Uint8Array;
  readonly setSocketOption: (fd: number, level: number, option: number, value: Uint8Array) => void;

  readonly streamOpen: (
    fd: number,
    connecting: boolean,
    onData: (length: number, fds: readonly number[]) => void,
    onEnd: () => void,
    onError: OnError,
    onDrain: (() => void) | undefined,
    onConnect: (() => void) | undefined,
  ) => Source;
  readonly streamWrite: (stream: Source, data: Uint8Array, fds: readonly number[]) => boolean;
  readonly streamEnd: (stream: Source) => boolean;
  readonly streamPause: (stream: Source, paused: boolean) => void;

  readonly unixListen: (
    fd: number,
    backlog: number,
    onConnection: (fd: number) => void,
    onError: OnError,
  ) => Source;
  readonly unixPause: (listener: Source, paused: boolean) => void;

  /** `receiveBufferBytes` 0: the kernel's default. */
  readonly tcpConnect: (address: string, port: number) => number;
  readonly tcpListen: (
    address: string,
    port: number,
    device: string,
    backlog: number,
    onConnections: (count: number, addresses: readonly string[]) => void,
    onError: OnError,
  ) => Source;
  readonly tcpPort: (listener: Source) => number;
  readonly tcpPause: (listener: Source, paused: boolean) => void;

  readonly relayOpen: (
    onConnected: (slot: number) => void,
    onRefused: (slot: number, errno: number) => void,
    onEnd: (slot: number, fromClient: number, fromTarget: number, errno: number) => void,
  ) => Source;
  readonly relayJoin: (relay: Source, client: number, target: number) => number;
  readonly relayRetarget: (relay: Source, slot: number, target: number) => void;
  readonly relayBytes: (relay: Source, slot: number) => [fromClient: number, fromTarget: number];
  readonly relayDrop: (relay: Source, slot: number) => void;

  readonly netlinkOpen: (
    protocol: number,
    receiveBufferBytes: number,
    filter: Uint8Array,
    onDatagrams: (length: number) => void,
    onError: OnError,
  ) => Source;
  readonly netlinkPort: (netlink: Source) => number;
  readonly netlinkSend: (netlink: Source, message: Uint8Array) => void;
  /** Microseconds in the kernel; 0: by the thread. */
  readonly netlinkSendHere: (netlink: Source, message: Uint8Array) => number;
  readonly netlinkMember: (netlink: Source, group: number, member: boolean) => void;

  readonly workerOpen: (
    onDone: (answers: Uint8Array, done: number, fault: NativeError | undefined) => void,
  ) => Source;
  /** `steps` as worker-steps.ts encodes them. */
  readonly workerRun: (worker: Source, steps: Uint8Array, more: boolean) => void;

  readonly netnsOfPid: (pid: number) => number;
  readonly netnsOfPath: (path: string) => number;
  readonly netnsCurrent: () => number;
  readonly netnsCreate: () => number;
  readonly netnsName: (fd: number, path: string) => void;
  readonly netnsUnname: (path: string) => void;
  readonly netnsRun: <T>(fd: number, inside: () => T) => T;

  readonly packetOpen: (
    options: RawPacketOptions,
    onFrames: (count: number) => void,
    onError: OnError,
  ) => Source;
  readonly packetFd: (packet: Source) => number;
  readonly packetWait: (packet: Source, ms: number) => void;
  readonly packetSend: (
    packet: Source,
    frames: OneOrAll<Uint8Array>,
    ifindex: number,
    destination: Uint8Array | undefined,
  ) => number;
  readonly packetAllMulti: (packet: Source, ifindex: number, on: boolean) => void;
  readonly packetStatistics: (packet: Source) => [packets: number, drops: number];

  readonly udpOpen: (
    options: RawUdpOptions,
    /** `addresses`: source and destination of each, or one of either for all; undefined: as the last time. */
    onDatagrams: (count: number, addresses: readonly string[] | undefined) => void,
    onError: OnError,
  ) => Source;
  readonly udpFd: (udp: Source) => number;
  readonly udpPort: (udp: Source) => number;
  readonly udpWait: (udp: Source, ms: number) => void;
  readonly udpSend: (
    udp: Source,
    data: Uint8Array,
    address: string,
    port: number,
    ifindex: number,
    source: string | undefined,
  ) => void;
  /** `refused` gets the place of a socket and the error for each that the kernel did not take. */
  readonly udpSendToTargets: (
    sockets: OneOrAll<UdpSocket>,
    batch: OneOrAll<Uint8Array>,
    refused: (number | NativeError)[],
  ) => void;

  readonly tunOpen: (options: RawTunOptions) => [fd: number, name: string, ifindex: number];
  readonly tunPersist: (fd: number, on: boolean) => void;
  readonly tunOffload: (fd: number, flags: number) => void;
  readonly tunSend: (fd: number, frames: readonly Uint8Array[]) => number;
  /** The fd stays the caller's and must outlive the source. */
  readonly tunWatch: (
    fd: number,
    batch: number,
    frameBytes: number,
    onFrames: (count: number) => void,
    onError: OnError | undefined,
  ) => Source;
}

export interface RawPacketOptions {
  readonly datagram: boolean;
  readonly protocol: number;
  readonly ifindex: number;
  /** struct sock_filter, one after the other; empty: no filter. */
  readonly filter: Uint8Array;
  readonly ignoreOutgoing: boolean;
  readonly receiveBufferBytes: number;
  readonly batch: number;
  readonly frameBytes: number;
}

/** Numbers of -1 and empty strings: leave it as the kernel has it. */
export interface RawUdpOptions {
  readonly ipv6: boolean;
  readonly device: string;
  readonly address: string;
  readonly port: number;
  readonly scopeId: number;
  readonly reuseAddress: boolean;
  readonly broadcast: boolean;
  readonly groupAddresses: readonly string[];
  readonly groupIfindexes: readonly number[];
  readonly multicastLoop: number;
  readonly multicastIfindex: number;
  readonly hopLimit: number;
  readonly receiveBufferBytes: number;
  readonly slotBytes: number;
  /** Empty: none. */
  readonly target: string;
  readonly targetPort: number;
}

export interface RawTunOptions {
  readonly tap: boolean;
  readonly name: string;
  readonly attach: boolean;
  readonly owner: number;
  /** Empty or six bytes. */
  readonly mac: Uint8Array;
  readonly vnetHeader: boolean;
  readonly device: string;
}

/** What the .node file exports: the functions come bound to the error class, with receive buffers of their own. */
export interface AddonFile {
  attach(error: typeof NativeError): Addon;
}
