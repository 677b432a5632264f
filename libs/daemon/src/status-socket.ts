import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { probe } from './status-client';
import { errnoOf } from './errno';
import { ExitCode, Refused } from './refused';

/** Clients served at once; more are turned away. */
const MAX_CLIENTS = 16;
/** A client that has not read its answer by then is dropped. */
const CLIENT_TIMEOUT_MS = 2000;
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
export async function openStatusSocket(path: string, answer: () => object): Promise<StatusSocket> {
  const server = createServer((client) => {
    serveClient(client, answer);
  });
  server.maxConnections = MAX_CLIENTS;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const own = `${path}.${process.pid}`;
    rmSync(own, { force: true });
    await listen(server, own);
    const inode = lstatSync(own).ino;
    chmodSync(own, SOCKET_MODE); // nobody knows the name yet
    await claim(own, path);
    return {
      close: () => {
        server.close();
        if (inodeOf(path) === inode) rmSync(path);
      },
    };
  } catch (fault) {
    server.close();
    throw explained(fault, path);
  }
}

function serveClient(client: Socket, answer: () => object): void {
  client.on('error', () => undefined); // it went away
  client.setTimeout(CLIENT_TIMEOUT_MS, () => client.destroy());
  client.resume(); // what it says does not matter
  client.end(`${JSON.stringify(answer())}\n`);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Gives the socket at `own` the name `path`: link(2) fails where the name is taken, so two starters never share it. */
async function claim(own: string, path: string): Promise<void> {
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    try {
      linkSync(own, path);
      rmSync(own);
      return;
    } catch (fault) {
      if (errnoOf(fault) !== 'EEXIST') throw fault;
    }
    const before = inodeOf(path);
    const state = await probe(path);
    if (state === 'live') break;
    if (state === 'dead' && before !== undefined) removeDead(path, before, own);
  }
  rmSync(own, { force: true });
  throw new Refused(ExitCode.failed, `already running: another process answers at ${path}`, {
    advice: 'stop it or use another --state-dir',
  });
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
  const advice =
    code === 'EACCES' || code === 'EPERM'
      ? 'run it as root or use another --state-dir'
      : 'use another --state-dir';
  return new Refused(ExitCode.failed, `the status socket ${path} cannot be made (${code})`, {
    advice,
    cause: fault,
  });
}
