import { spawn } from 'node:child_process';
import type { AdbService, AdbStream } from './connection';

/** Packets of shell protocol v2: a kind, a length, bytes. */
const [STDOUT, STDERR, EXIT] = [1, 2, 3];

const packet = (kind: number, data: Buffer): Buffer => {
  const header = Buffer.alloc(5);
  header.writeUInt8(kind);
  header.writeUInt32LE(data.length, 1);
  return Buffer.concat([header, data]);
};

/** "shell:COMMAND" or "shell,v2,...:COMMAND": a command of this machine, without input. */
export function shellService(name: string, stream: AdbStream): AdbService {
  const colon = name.indexOf(':');
  const isV2 = name.slice(0, colon).split(',').includes('v2');
  const child = spawn('sh', ['-c', name.slice(colon + 1)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = Promise.resolve();
  const say = (kind: number, data: Buffer): void => {
    last = last.then(() => stream.write(isV2 ? packet(kind, data) : data));
  };
  child.stdout.on('data', (data: Buffer) => {
    say(STDOUT, data);
  });
  child.stderr.on('data', (data: Buffer) => {
    say(STDERR, data);
  });
  child.on('close', (code) => {
    if (isV2) say(EXIT, Buffer.of(code ?? 255));
    void last.then(() => {
      stream.close();
    });
  });
  return { onData: () => undefined, onClose: () => child.kill('SIGKILL') };
}
