import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNative } from '@pp/native';
import { until } from '@pp/netlink/testing';
import type { RelayTarget } from '@pp/ports';
import { RELAY_ROWS, type ContractEnd, type RelaySubject } from '@pp/ports/testing';
import { LinuxStreamRelay } from './linux-stream-relay';

const native = loadNative();
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

class SocketEnd implements ContractEnd {
  received = '';
  hasEnded = false;

  constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (this.received += text));
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) socket.on(event, () => (this.hasEnded = true));
    closers.push(() => socket.destroy());
  }

  say(words: string): void {
    this.socket.write(words);
  }

  end(): void {
    this.socket.end();
  }
}

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pp-relay-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});
let sockets = 0;

async function serveUnix(server: Server): Promise<RelayTarget> {
  const path = join(directory, String(sockets++));
  await once(server.listen(path), 'listening');
  return { via: 'unix', path };
}

/** An address of the loopback for this process alone, where no other one takes a port between two calls of ours. */
const ADDRESS = `127.${64 + ((process.pid >> 16) & 63)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

async function serveTcp(server: Server): Promise<RelayTarget> {
  await once(server.listen(0, ADDRESS), 'listening');
  return { via: 'tcp', address: ADDRESS, port: (server.address() as AddressInfo).port };
}

function linuxSubject(): RelaySubject {
  const relay = new LinuxStreamRelay(native);
  closers.push(() => {
    relay.close();
  });
  let port = 0;
  const serve: RelaySubject['serve'] = async (via, onEnd) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      onEnd(new SocketEnd(socket));
    });
    closers.push(() => server.close());
    return via === 'unix' ? serveUnix(server) : serveTcp(server);
  };
  return {
    relay,
    listen: async (onCaller) => {
      port = await freePort();
      const listener = relay.listen({ address: ADDRESS, port }, { onCaller, onFault: () => undefined });
      closers.push(() => {
        listener.close();
      });
    },
    dial: () => new SocketEnd(connect({ port, host: ADDRESS, allowHalfOpen: true })),
    serve,
    nobody: async (via) => {
      if (via === 'unix') return { via, path: join(directory, 'nobody') };
      if (via === 'vsock') return { via, cid: 4_000_000, port: 5555 };
      return { via, address: ADDRESS, port: await freePort() };
    },
    until,
  };
}

/** One that nobody listens at now. */
async function freePort(): Promise<number> {
  const server = createServer();
  const target = await serveTcp(server);
  server.close();
  return target.via === 'tcp' ? target.port : 0;
}

for (const { name, needs, run } of RELAY_ROWS) {
  if (needs === undefined) test(name, () => run(linuxSubject()));
  else test.skip(`${name} (needs ${needs})`, () => run(linuxSubject()));
}

test.each([
  { name: 'an address of nobody here', place: { address: '192.0.2.1', port: 0 }, want: 'EADDRNOTAVAIL' },
  {
    name: 'a device that is not there',
    place: { address: '::1', port: 0, device: 'nodev7' },
    want: 'ENODEV',
  },
])('listening at $name', ({ place, want }) => {
  const relay = new LinuxStreamRelay(native);
  const listen = () => relay.listen(place, { onCaller: () => undefined, onFault: () => undefined });
  expect(listen).toThrow(expect.objectContaining({ name: 'KernelError', code: want }) as Error);
  relay.close();
});
