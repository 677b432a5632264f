/**
 * Theory of operation. One connection carries everything. In: the framer cuts the stream's bytes and descriptors into messages, each
 * with its own descriptors and a checked header; replies go to the call that waits for them, signals to their subscribers, calls to
 * the server, which checks the arguments against the interface's description before a handler sees them. Out: values are marshalled
 * and checked, since the bus disconnects who sends something invalid, and queued on the stream. Only the bus is trusted: it says who
 * sent a message, and with what uid and pid; all else in a message is the sender's claim. A descriptor has one owner at any time, and
 * what nobody took is closed. When the bus goes away, every pending call is rejected and `closed` settles.
 */
import { promises as files } from 'node:fs'; // loaded when it is used
import { seconds, type Checked, type Clock, type Logger } from '@pp/base';
import { BUS } from './bus-daemon';
import { Calls, type CallReply, type CallRequest } from './calls';
import { Connection, type ConnectionOptions } from './connection';
import { CredentialsCache, type Credentials } from './credentials';
import { DBUS_ERROR, DBusError } from './errors';
import type { MatchRule } from './match-rule';
import { MessageWriter } from './message-writer';
import { Names, type OwnerHandler } from './names';
import type { AdmissionLimits } from './server/admission';
import { Server } from './server/server';
import type { Handlers, InterfaceSpec } from './server/spec';
import { Signals, type SignalHandler, type Unsubscribe } from './signals';
import type { Incoming } from './wire/framer';
import type { Body } from './wire/values';

export interface SignalToEmit {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: Body;
  /** Absent: to all who asked the bus for it. */
  readonly destination?: string;
}

/** A connection to a message bus: client and server in one. */
export interface Bus {
  readonly uniqueName: string;
  /** Settles when the connection has ended: with a sentence for the operator, or undefined after `close`. */
  readonly closed: Promise<Error | undefined>;
  call(request: CallRequest): Promise<CallReply>;
  /** Throws TypeError for names or values that do not fit; on a closed connection nothing happens. */
  emitSignal(signal: SignalToEmit): void;
  subscribe(rule: MatchRule, handler: SignalHandler): Promise<Unsubscribe>;
  watchName(name: string, onOwner: OwnerHandler): Promise<Unsubscribe>;
  requestName(name: string, onLost?: () => void): Promise<'primary' | 'taken'>;
  releaseName(name: string): Promise<void>;
  credentials(sender: string): Promise<Checked<Credentials>>;
  /** Serves until the returned function is called. */
  serve<const S extends InterfaceSpec>(path: string, spec: S, handlers: Handlers<S>): () => void;
  /** Idempotent. */
  close(): void;
}

export interface BusParts extends Omit<ConnectionOptions, 'onMessage' | 'onDropped'> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: AdmissionLimits;
}

/** Of authentication and Hello together. */
const HANDSHAKE_TIMEOUT = seconds(20);

/** Connects, authenticates and says Hello. Rejects with an Error whose message and causes are for the operator. */
export async function startBus(parts: BusParts): Promise<Bus> {
  const { clock, log, closeFd, limits, peer } = parts;
  const connection = new Connection({
    ...parts,
    onMessage: (message) => {
      route(message);
    },
    onDropped: (headerBytes) => {
      log.debug('dbus.message-dropped', { headerBytes });
    },
  });
  const writer = new MessageWriter(connection);
  const calls = new Calls(writer, clock);
  const signals = new Signals(calls, log);
  const server = new Server({ writer, log, closeFd, limits, machineId });
  const route = router(calls, signals, server);
  const closed = connection.closed.then((reason) => {
    calls.close(reason?.message ?? `the connection to ${peer} was closed`);
    return reason;
  });
  const uniqueName = await hello(connection, calls, parts);
  const names = new Names(calls, signals);
  const credentials = new CredentialsCache(calls, signals);
  return {
    uniqueName,
    closed,
    call: (request) => calls.call(request),
    emitSignal: ({ body: values, ...signal }) => {
      writer.send({ ...signal, type: 'signal', values });
    },
    subscribe: (rule, handler) => names.subscribe(rule, handler),
    watchName: (name, onOwner) => names.watch(name, onOwner),
    requestName: (name, onLost) => names.request(name, onLost),
    releaseName: (name) => names.release(name),
    credentials: (sender) => credentials.get(sender),
    serve: (path, spec, handlers) => server.serve(path, spec, handlers),
    close: () => {
      connection.close();
    },
  };
}

function router(calls: Calls, signals: Signals, server: Server): (message: Incoming) => void {
  return ({ header, body, fds }) => {
    switch (header.type) {
      case 'call':
        server.receive(header, body, fds);
        return;
      case 'signal':
        signals.receive(header, body, fds);
        return;
      case 'return':
      case 'error':
        calls.receive(header, body, fds);
    }
  };
}

async function hello(connection: Connection, calls: Calls, { clock, peer }: BusParts): Promise<string> {
  const cancel = clock.after('dbus.handshake', HANDSHAKE_TIMEOUT, () => {
    connection.fail(new Error(`${peer} does not answer`));
  });
  try {
    await connection.authenticated;
    const { body } = await calls.call({ ...BUS, member: 'Hello' });
    return String(body[0]);
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    cancel();
  }
}

/** Where D-Bus and systemd keep it (D-Bus Specification, org.freedesktop.DBus.Peer.GetMachineId). */
async function machineId(): Promise<string> {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const text = await files.readFile(path, 'latin1').catch(() => ''); // an unreadable one is as good as none
    if (text !== '') return text.trim();
  }
  throw new DBusError(DBUS_ERROR.failed, 'this host has no machine id');
}
