import { seconds, type Clock } from '@pp/base';
import { chmodSync, linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './errno';
import { makeDirectory } from './make-directory';
import { ExitCode, Refused } from './refused';
import { stateDirAdvice } from './state-dir-advice';
import { serveUnix, type UnixClient, type UnixDoor, type UnixServer, type UnixServing } from './unix-server';

/** Clients served at once; more are turned away. */
const MAX_CLIENTS = 16;
/** A client that has not read its answer by then is dropped. */
const CLIENT_TIMEOUT = seconds(5);
/** root and the service's group may ask. */
const SOCKET_MODE = 0o660;
const CLAIM_TRIES = 5;

export interface StatusSocket {
  close(): void;
}

export const statusPath = (stateDir: string, app: string): string => `${stateDir}/${app}.sock`;

/**
 * Listens at `path` and gives every client one line of JSON. Owning the path is owning the role: it is refused while another process
 * answers there; what a dead one left is replaced.
 */
export function openStatusSocket(serving: UnixServing, path: string, answer: () => object): StatusSocket {
  const own = `${path}.${process.pid}`;
  let server: UnixServer | undefined;
  try {
    makeDirectory(dirname(path));
    rmSync(own, { force: true });
    const opened = serveUnix(serving, own, MAX_CLIENTS, (client) => {
      serveClient(client, serving.clock, answer);
    });
    server = opened;
    const inode = lstatSync(own).ino;
    chmodSync(own, SOCKET_MODE); // nobody knows the name yet
    claim(serving.native, own, path);
    return {
      close: () => {
        opened.close();
        if (inodeOf(path) === inode) rmSync(path);
      },
    };
  } catch (fault) {
    server?.close();
    if (server !== undefined) rmSync(own, { force: true });
    throw explained(fault, path);
  }
}

function serveClient(client: UnixClient, clock: Clock, answer: () => object): void {
  client.onGone(
    clock.after('status client', CLIENT_TIMEOUT, () => {
      client.close();
    }),
  );
  client.end(`${JSON.stringify(answer())}\n`);
}

/** Gives the socket at `own` the name `path`: link(2) fails where the name is taken, so two starters never share it. */
function claim(native: UnixDoor, own: string, path: string): void {
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    try {
      linkSync(own, path);
      rmSync(own);
      return;
    } catch (fault) {
      if (errnoOf(fault) !== 'EEXIST') throw fault;
    }
    const before = inodeOf(path);
    const state = probe(native, path);
    if (state === 'live') break;
    if (state === 'dead' && before !== undefined) removeDead(path, before, own);
  }
  throw new Refused(ExitCode.failed, `already running: another process answers at ${path}`, {
    advice: 'stop it or use another --state-dir',
  });
}

/** Whether somebody listens at a UNIX socket's path. */
function probe(native: UnixDoor, path: string): 'live' | 'dead' | 'absent' {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind === undefined) return 'absent';
  if (!kind.isSocket())
    throw new Refused(ExitCode.failed, `${path} is not a socket`, {
      advice: 'remove it or use another --state-dir',
    });
  try {
    native
      .connectUnix(path, { onData: () => undefined, onEnd: () => undefined, onError: () => undefined })
      .close();
    return 'live';
  } catch (fault) {
    switch (errnoOf(fault)) {
      case 'ECONNREFUSED':
        return 'dead';
      case 'ENOENT':
        return 'absent';
      case 'EAGAIN': // its queue is full
        return 'live';
      default:
        throw fault;
    }
  }
}

/** Takes the name away from the dead socket, or gives it back if a live one has taken its place meanwhile. */
function removeDead(path: string, inode: number, own: string): void {
  const aside = `${own}.dead`;
  try {
    renameSync(path, aside);
    if (inodeOf(aside) !== inode) linkSync(aside, path);
  } catch (fault) {
    const code = errnoOf(fault);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw fault; // others were quicker
  } finally {
    rmSync(aside, { force: true });
  }
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

/** What an operator can do about it. */
function explained(fault: unknown, path: string): unknown {
  const code = errnoOf(fault);
  if (fault instanceof Refused || code === undefined) return fault;
  return new Refused(ExitCode.failed, `the status socket ${path} cannot be made (${code})`, {
    advice: stateDirAdvice(code, dirname(path)),
    cause: fault,
  });
}
