import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** linux/fuse.h: answers FUSE_INIT (26) with version 7.31, FUSE_OPENDIR (27) and all else with an error. */
const DAEMON = `
  const { readSync, writeSync } = require('node:fs');
  const request = Buffer.alloc(1 << 18);
  for (;;) {
    readSync(3, request);
    const operation = request.readUInt32LE(4);
    const answer = Buffer.alloc(operation === 26 ? 80 : 16);
    answer.writeUInt32LE(answer.length);
    request.copy(answer, 8, 8, 16);
    if (operation === 26) answer.set([7, 0, 0, 0, 31], 16);
    else answer.writeInt32LE(operation === 27 ? -38 : -5, 4);
    writeSync(3, answer);
  }
`;

/** `test` with a directory of which its file system tells nothing but that it can be opened: what else is asked is an I/O error. */
export function testOnFuse(name: string, run: (directory: string) => void): void {
  if (mayMountFuse()) test(name, () => onFuse(run));
  else test.skip(`${name} (skipped: may not mount FUSE)`, () => undefined);
}

function mayMountFuse(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return spawnSync('unshare', ['--mount', 'true']).status === 0;
  } catch {
    return false; // absent, or root's
  }
}

async function onFuse(run: (directory: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pp-fuse-'));
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  spawnSync('mount', ['-i', '-t', 'fuse', 'test', directory, '-o', options], { stdio: withDevice(device) });
  const daemon = spawn(process.execPath, ['-e', DAEMON], { stdio: withDevice(device) });
  const ended = once(daemon, 'exit');
  closeSync(device);
  try {
    run(directory);
  } finally {
    spawnSync('umount', ['-l', directory]); // which ends the daemon's reading
    await ended;
    rmdirSync(directory);
  }
}

const withDevice = (device: number): ['ignore', 'ignore', 'ignore', number] => [
  'ignore',
  'ignore',
  'ignore',
  device,
];
