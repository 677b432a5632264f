import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StreamHandle, StreamOptions } from './api/stream';
import { checkLeaks, codeOf, native, until } from './testing/harness';
import { ADDON, plainEnv } from './testing/plain-env';

const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
const bytes = (data: string): Uint8Array => new Uint8Array(Buffer.from(data, 'latin1'));

/** Keeps what a stream reports: `data:<text>[<number of fds>]`, `end`, `error:<code> <call>`, `drain`, `connect`. */
class Events implements StreamOptions {
  readonly list: string[] = [];
  readonly fds: number[] = [];
  received = '';

  readonly onData = (data: Uint8Array, fds: readonly number[]): void => {
    this.received += text(data);
    this.fds.push(...fds);
    this.list.push(`data:${text(data)}${fds.length > 0 ? `[${fds.length}]` : ''}`);
  };
  readonly onEnd = (): void => void this.list.push('end');
  readonly onError = ({ code, call }: { code: string; call: string }): void =>
    void this.list.push(`error:${code} ${call}`);
  readonly onDrain = (): void => void this.list.push('drain');
  readonly onConnect = (): void => void this.list.push('connect');

  async reach(want: string): Promise<void> {
    await until(want, () => this.list.includes(want));
  }

  closeFds(): void {
    for (const fd of this.fds.splice(0)) closeSync(fd);
  }
}

interface Pair {
  readonly a: StreamHandle;
  readonly b: StreamHandle;
  readonly atA: Events;
  readonly atB: Events;
}

/** asm-generic/socket.h */
const [SOL_SOCKET, SO_SNDBUF] = [1, 7];

const ignoring: StreamOptions = { onData: () => undefined, onEnd: () => undefined, onError: () => undefined };

const opened: StreamHandle[] = [];

checkLeaks(() => {
  for (const stream of opened.splice(0)) stream.close();
});

function adopt(fd: number, options: StreamOptions): StreamHandle {
  const stream = native.adoptStream(fd, options);
  opened.push(stream);
  return stream;
}

function pair(kind: 'stream' | 'datagram' | 'seqpacket' = 'stream'): Pair {
  const [fdA, fdB] = native.socketPair(kind);
  const atA = new Events();
  const atB = new Events();
  return { a: adopt(fdA, atA), b: adopt(fdB, atB), atA, atB };
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pp-native-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('bytes', () => {
  test('both ways, half-closed one after the other', async () => {
    const { a, b, atA, atB } = pair();
    expect(a.write(bytes('ping'))).toBe(true);
    await atB.reach('data:ping');
    a.end();
    await atB.reach('end');
    b.write(bytes('pong'));
    b.end();
    await atA.reach('end');
    expect(atA.list).toEqual(['data:pong', 'end']);
    expect(atB.list).toEqual(['data:ping', 'end']);
  });

  test.each(['datagram', 'seqpacket'] as const)('%s keeps message boundaries', async (kind) => {
    const { a, atB } = pair(kind);
    for (const message of ['one', 'two', 'x'.repeat(100_000)]) a.write(bytes(message));
    await until('all came', () => atB.list.length === 3);
    expect(atB.list).toEqual(['data:one', 'data:two', `data:${'x'.repeat(100_000)}`]);
  });

  test('an empty datagram is a datagram, an empty write to a stream nothing', async () => {
    const datagrams = pair('datagram');
    datagrams.a.write(bytes(''));
    datagrams.a.write(bytes('after'));
    await datagrams.atB.reach('data:after');
    expect(datagrams.atB.list).toEqual(['data:', 'data:after']);
    const streams = pair();
    expect(streams.a.write(bytes(''))).toBe(true);
    streams.a.end();
    await streams.atB.reach('end');
    expect(streams.atB.list).toEqual(['end']);
  });

  test('8 MiB through a reader that pauses: in order, the writer told to wait and to go on', async () => {
    const { a, b, atA, atB } = pair();
    b.pause();
    const blocks = Array.from({ length: 128 }, (_, i) => String.fromCharCode(65 + (i % 26)).repeat(65_536));
    const taken = blocks.map((block) => a.write(bytes(block)));
    expect(taken[0]).toBe(true);
    expect(taken.at(-1)).toBe(false);
    a.end();
    expect(atB.received).toBe('');
    b.resume();
    await atB.reach('end');
    expect(atB.received === blocks.join('')).toBe(true);
    expect(atA.list).toEqual(['drain']);
  });

  test('the bytes given to write may change afterwards', async () => {
    const { a, atB, b } = pair();
    b.pause();
    const block = bytes('a'.repeat(65_536));
    for (let i = 0; i < 16; i++) a.write(block);
    block.fill(98);
    a.end();
    b.resume();
    await atB.reach('end');
    expect(atB.received === 'a'.repeat(16 * 65_536)).toBe(true);
  });
});

describe('descriptors', () => {
  test('arrive with their message, close-on-exec, and work', async () => {
    const { a, atB } = pair();
    const [reader, writer] = native.pipe();
    a.write(bytes('take it'), [writer]);
    closeSync(writer);
    await atB.reach('data:take it[1]');
    const [got = -1] = atB.fds;
    writeSync(got, 'hello');
    atB.closeFds();
    const buffer = new Uint8Array(9);
    expect(readSync(reader, buffer)).toBe(5);
    expect(text(buffer.subarray(0, 5))).toBe('hello');
    closeSync(reader);
  });

  test('the caller may close its own at once, also when the write has to wait', async () => {
    const { a, b, atB } = pair();
    b.pause();
    while (a.write(bytes('x'.repeat(65_536))));
    const [reader, writer] = native.pipe();
    expect(a.write(bytes('late'), [reader, writer])).toBe(false);
    closeSync(reader);
    closeSync(writer);
    a.end();
    b.resume();
    await atB.reach('end');
    expect(atB.fds).toHaveLength(2);
    expect(atB.list.filter((event) => event.endsWith('[2]'))).toHaveLength(1);
    atB.closeFds();
  });

  test('of two messages never come together, and belong to the last send in their bytes', async () => {
    const { a, b, atB } = pair();
    b.pause();
    const [reader, writer] = native.pipe();
    a.write(bytes('plain.'));
    a.write(bytes('one.'), [reader]);
    a.write(bytes('two.'), [writer, writer]);
    a.write(bytes('rest'));
    closeSync(reader);
    closeSync(writer);
    a.end();
    b.resume();
    await atB.reach('end');
    expect(atB.list).toEqual(['data:plain.one.[1]', 'data:two.[2]', 'data:rest', 'end']);
    atB.closeFds();
  });

  test('253 in one write, 254 not', async () => {
    const { a, atB } = pair();
    const [reader, writer] = native.pipe();
    a.write(bytes('many'), new Array<number>(253).fill(reader));
    expect(codeOf(() => a.write(bytes('more'), new Array<number>(254).fill(reader)))).toBe('EINVAL');
    await atB.reach('data:many[253]');
    atB.closeFds();
    closeSync(reader);
    closeSync(writer);
  });

  test('a bad one fails the write and nothing is sent', async () => {
    const { a, atB } = pair();
    const [reader, writer] = native.pipe();
    expect(codeOf(() => a.write(bytes('bad'), [reader, 19_999_999]))).toBe('EBADF');
    expect(codeOf(() => a.write(bytes(''), [reader]))).toBe('EINVAL');
    expect(() => a.write(bytes('bad'), [1.5])).toThrow('fds: must be a whole number');
    a.write(bytes('good'));
    await atB.reach('data:good');
    expect(atB.list).toEqual(['data:good']);
    closeSync(reader);
    closeSync(writer);
  });

  test('queued in either direction are closed with the stream', async () => {
    const { a, b } = pair();
    b.pause();
    const [reader, writer] = native.pipe();
    while (a.write(bytes('x'.repeat(65_536)), [writer]));
    closeSync(writer);
    expect(native.pollFd(reader).hangup).toBe(false);
    a.close();
    b.close();
    await until('no writer is left', () => native.pollFd(reader).hangup);
    closeSync(reader);
  });
});

describe('ends', () => {
  test('an end that waits behind the queue is told when all has gone; one that does not is over at once', async () => {
    const { a, b, atA, atB } = pair();
    expect(b.end()).toBe(true);
    expect(b.end()).toBe(true);
    b.pause();
    native.setSocketOption(a.fd, SOL_SOCKET, SO_SNDBUF, new Uint8Array(Int32Array.of(32_768).buffer));
    expect(a.write(bytes('x'.repeat(250_000)))).toBe(true); // more than the kernel takes, and no long queue
    expect(a.end()).toBe(false);
    await atA.reach('end');
    expect(atA.list).toEqual(['end']);
    b.resume();
    await atB.reach('end');
    await atA.reach('drain');
    expect([atA.list, atB.received.length]).toEqual([['end', 'drain'], 250_000]);
    expect(a.end()).toBe(true);
  });

  test('a write after the peer has gone comes as EPIPE from the loop, after its last words', async () => {
    const { a, b, atA } = pair();
    b.write(bytes('last words'));
    b.close();
    expect(a.write(bytes('too late'))).toBe(false);
    expect(atA.list).toEqual([]);
    await atA.reach('error:EPIPE sendmsg');
    expect(atA.list).toEqual(['data:last words', 'end', 'error:EPIPE sendmsg']);
    expect(a.write(bytes('still'))).toBe(false);
    a.end();
  });

  test('a peer that closes with our bytes unread is ECONNRESET', async () => {
    const { a, b, atA } = pair();
    b.pause();
    a.write(bytes('unread'));
    b.close();
    await atA.reach('error:ECONNRESET recvmsg');
    expect(atA.list).toEqual(['error:ECONNRESET recvmsg']);
  });

  test('use after close is EBADF, closing again nothing; write after end is EPIPE', () => {
    const { a, b } = pair();
    a.end();
    a.end();
    expect(codeOf(() => a.write(bytes('x')))).toBe('EPIPE');
    a.close();
    a.close();
    expect(codeOf(() => a.write(bytes('x')))).toBe('EBADF');
    expect(
      codeOf(() => {
        a.end();
      }),
    ).toBe('EBADF');
    expect(
      codeOf(() => {
        b.close();
        b.pause();
      }),
    ).toBe('EBADF');
  });

  test('close inside each callback', async () => {
    const [fdA, fdB] = native.socketPair('stream');
    let calls = 0;
    const closing = (): void => {
      calls++;
      b.close();
    };
    const b = native.adoptStream(fdB, { onData: closing, onEnd: closing, onError: closing });
    const a = adopt(fdA, new Events());
    a.write(bytes('x'));
    a.end();
    await until('called', () => calls > 0);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(1);
  });

  test('promises of a callback run before the next event', async () => {
    const order: string[] = [];
    const [fdA, fdB] = native.socketPair('datagram');
    adopt(fdB, {
      ...ignoring,
      onData: (data) => {
        const name = text(data);
        order.push(name);
        void Promise.resolve().then(() => order.push(`${name}, then`));
      },
    });
    const a = adopt(fdA, new Events());
    a.write(bytes('one'));
    a.write(bytes('two'));
    await until('both', () => order.length === 4);
    expect(order).toEqual(['one', 'one, then', 'two', 'two, then']);
  });
});

describe('adoptStream', () => {
  test("what is no socket stays the caller's", () => {
    const [reader, writer] = native.pipe();
    expect(codeOf(() => native.adoptStream(reader, new Events()))).toBe('ENOTSOCK');
    closeSync(reader);
    closeSync(writer);
  });

  test('a socket that is already watched is EEXIST', () => {
    const { a } = pair();
    expect(codeOf(() => native.adoptStream(a.fd, new Events()))).toBe('EEXIST');
  });

  test('a callback that is no function is a TypeError', () => {
    const [a, b] = native.socketPair('stream');
    expect(() => native.adoptStream(a, { ...ignoring, onEnd: 7 as never })).toThrow(
      'callback: must be a function',
    );
    closeSync(a);
    closeSync(b);
  });
});

describe('listenUnix', () => {
  test('connections come in, with all that they say; the path outlives the listener', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 's');
      const atServer = new Events();
      const atClient = new Events();
      const listener = native.listenUnix(path, {
        onConnection: (fd) => adopt(fd, atServer).write(bytes('welcome')),
        onError: () => undefined,
      });
      const client = native.connectUnix(path, atClient);
      opened.push(client);
      client.write(bytes('hello'));
      await atServer.reach('data:hello');
      await atClient.reach('data:welcome');
      listener.close();
      listener.close();
      expect(codeOf(() => native.connectUnix(path, ignoring))).toBe('ECONNREFUSED');
      expect(
        codeOf(() => native.listenUnix(path, { onConnection: closeSync, onError: () => undefined })),
      ).toBe('EADDRINUSE');
    });
  });

  test('what waits while it is paused comes when it resumes, and nothing after a close from within', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 's');
      let accepted = 0;
      const listener = native.listenUnix(path, {
        onConnection: (fd) => {
          closeSync(fd);
          accepted += 1;
          if (accepted === 2) listener.close();
        },
        onError: () => undefined,
      });
      listener.pause();
      for (let n = 0; n < 3; n++) opened.push(native.connectUnix(path, ignoring));
      for (let n = 0; n < 10; n++) await new Promise(setImmediate);
      expect(accepted).toBe(0);
      listener.resume();
      await until('two', () => accepted === 2);
      for (let n = 0; n < 10; n++) await new Promise(setImmediate);
      expect(accepted).toBe(2);
    });
  });

  test('a process with too many descriptors is told, and accepts when it has room again', async () => {
    await inDirectory((directory) => {
      const { stdout, stderr } = spawnSync(
        'sh',
        ['-c', 'ulimit -n 64; exec "$0" -e "$1" "$2"', process.execPath, ACCEPTING, join(directory, 's')],
        { encoding: 'utf8', env: plainEnv() },
      );
      expect(`${stdout}${stderr}`).toBe('EMFILE accept\nconnection\n');
      return Promise.resolve();
    });
  });
});

/** Listens at a path, uses up its descriptors, is connected to, and gives them back when it is told. */
const ACCEPTING = `
  const { openSync, closeSync } = require('node:fs');
  const file = { exports: {} };
  process.dlopen(file, ${JSON.stringify(ADDON)});
  class Refused extends Error { constructor(code, call) { super(); Object.assign(this, { code, call }); } }
  const addon = file.exports.attach(Refused);
  const held = [];
  const onConnection = () => { console.log('connection'); process.exit(); };
  const onError = ({ code, call }) => {
    console.log(code, call);
    addon.unixPause(listener, true);
    held.forEach(closeSync);
    addon.unixPause(listener, false);
  };
  const listener = addon.unixListen(addon.bindUnixStream(process.argv[1]), 8, onConnection, onError);
  addon.connectUnix(process.argv[1]);
  try { for (;;) held.push(openSync('/dev/null')); } catch {}`;

describe('connectUnix', () => {
  test('to a listening server, and back', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 's');
      let peer: Socket | undefined;
      const server = createServer((socket) => {
        peer = socket.on('data', (data) => socket.end(`got ${data.toString()}`));
      }).listen(path);
      await until('listening', () => server.listening);
      const events = new Events();
      const stream = native.connectUnix(path, events);
      opened.push(stream);
      stream.write(bytes('this'));
      await events.reach('end');
      expect(events.list).toEqual(['data:got this', 'end']);
      stream.close();
      await until('peer closed', () => peer?.closed === true);
      await new Promise((resolve) => server.close(resolve));
    });
  });

  test.each([
    { name: 'nobody there', path: '/nonexistent/socket', want: 'ENOENT' },
    { name: 'no abstract listener', path: '@patchpanel-nobody-listens', want: 'ECONNREFUSED' },
    { name: 'empty', path: '', want: 'EINVAL' },
    { name: 'too long', path: `/${'x'.repeat(107)}`, want: 'ENAMETOOLONG' },
    { name: 'NUL inside', path: '/tmp/a\0b', want: 'EINVAL' },
    { name: 'no socket', path: '/dev/null', want: 'ECONNREFUSED' },
  ])('$name: $want', ({ path, want }) => {
    expect(codeOf(() => native.connectUnix(path, new Events()))).toBe(want);
  });
});

describe('UNIX datagrams', () => {
  test('with descriptors, to a path and to an abstract name', async () => {
    await inDirectory(async (directory) => {
      for (const path of [join(directory, 'notify'), `@${directory}`]) {
        const events = new Events();
        adopt(native.bindUnixDatagram(path), events);
        const [reader, writer] = native.pipe();
        native.sendUnixDatagram(path, bytes('FDSTORE=1'), [reader]);
        native.sendUnixDatagram(path, bytes('READY=1'));
        await events.reach('data:READY=1');
        expect(events.list).toEqual(['data:FDSTORE=1[1]', 'data:READY=1']);
        events.closeFds();
        closeSync(reader);
        closeSync(writer);
      }
    });
  });

  test('errors', async () => {
    await inDirectory(async (directory) => {
      const path = join(directory, 'full');
      const receiver = native.bindUnixDatagram(path);
      expect(codeOf(() => native.bindUnixDatagram(path))).toBe('EADDRINUSE');
      expect(
        codeOf(() => {
          for (;;) native.sendUnixDatagram(path, bytes('x'));
        }),
      ).toBe('EAGAIN');
      expect(
        codeOf(() => {
          native.sendUnixDatagram(path, bytes('x'), [19_999_999]);
        }),
      ).toBe('EBADF');
      closeSync(receiver);
      expect(
        codeOf(() => {
          native.sendUnixDatagram(path, bytes('x'));
        }),
      ).toBe('ECONNREFUSED');
      expect(
        codeOf(() => {
          native.sendUnixDatagram(join(directory, 'none'), bytes('x'));
        }),
      ).toBe('ENOENT');
      return Promise.resolve();
    });
  });
});

describe('vsock', () => {
  test('a refusal comes from the loop', async () => {
    const events = new Events();
    // CID 0 is the hypervisor's: nobody listens there.
    const outcome = codeOf(() => opened.push(native.connectVsock(0, 5555, events)));
    if (outcome === 'no error') {
      await until('refused', () => events.list.length > 0);
      expect(events.list[0]).toMatch(/^error:\w+ connect$/);
    } else {
      expect(outcome).toMatch(/^(ENODEV|EAFNOSUPPORT|ENETUNREACH)$/);
    }
  });
});
