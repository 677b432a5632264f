import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  RelayEvents,
  RelayHandle,
  RelayPair,
  StreamTarget,
  TcpConnection,
  TcpListener,
} from './api/relay';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';

const closers: (() => void)[] = [];

checkLeaks(async () => {
  for (const close of closers.splice(0).reverse()) close();
  await Promise.resolve();
});

function later<T extends { close(): unknown }>(resource: T): T {
  closers.push(() => void resource.close());
  return resource;
}

/** Keeps what a pair reports. */
class Events implements RelayEvents {
  readonly list: string[] = [];
  readonly onConnected = (): void => void this.list.push('connected');
  readonly onRefused = ({ code }: { readonly code: string }): void => void this.list.push(`refused ${code}`);
  readonly onEnd: RelayEvents['onEnd'] = ({ fromClient, fromTarget }, error) =>
    void this.list.push(`end ${fromClient} ${fromTarget}${error === undefined ? '' : ` ${error.code}`}`);
}

interface Rig {
  readonly listener: TcpListener;
  readonly relay: RelayHandle;
  readonly events: Events[];
  readonly pairs: RelayPair[];
}

/** Everything that connects is joined with `target`. */
function relayTo(target: () => StreamTarget): Rig {
  const relay = later(native.openRelay());
  const [events, pairs]: [Events[], RelayPair[]] = [[], []];
  const accept = ({ fd }: TcpConnection): void => {
    const told = new Events();
    events.push(told);
    pairs.push(relay.join(fd, native.connectStream(target()), told));
  };
  const listener = later(
    native.listenTcp({
      address: '127.0.0.1',
      port: 0,
      onConnections: (connections) => {
        connections.forEach(accept);
      },
      onError: (error) => {
        throw error;
      },
    }),
  );
  return { listener, relay, events, pairs };
}

async function serve(path: string | undefined, onClient: (client: Socket) => void): Promise<Server> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.on('error', () => undefined);
    onClient(client);
  });
  closers.push(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  return server;
}

const portOf = (server: Server): number => (server.address() as { port: number }).port;
const tcpTo = (server: Server): StreamTarget => ({ via: 'tcp', address: '127.0.0.1', port: portOf(server) });

function client(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  closers.push(() => socket.destroy());
  return socket;
}

/** All bytes up to the end. */
const read = (from: Socket): Promise<Buffer> =>
  new Promise((resolve) => {
    const parts: Buffer[] = [];
    from
      .on('data', (part: Buffer) => parts.push(part))
      .once('end', () => {
        resolve(Buffer.concat(parts));
      });
  });

const echo = (each: Socket): void => void each.pipe(each);

describe('bytes', () => {
  test.each([1, 4096, 65_536, 5_000_000])('%i go there and back, with the end of each side', async (size) => {
    const server = await serve(undefined, echo);
    const { listener, events } = relayTo(() => tcpTo(server));
    const sent = randomBytes(size);
    const socket = client(listener.port);
    socket.end(sent);
    expect((await read(socket)).equals(sent)).toBe(true);
    await until('the end', () => events[0]?.list.length === 2);
    expect(events[0]?.list).toEqual(['connected', `end ${size} ${size}`]);
  });

  test('to a UNIX socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pp-relay-'));
    closers.push(() => {
      rmSync(directory, { recursive: true });
    });
    const path = join(directory, 'adb.sock');
    await serve(path, echo);
    const { listener } = relayTo(() => ({ via: 'unix', path }));
    const sent = randomBytes(1_000_000);
    const socket = client(listener.port);
    socket.end(sent);
    expect((await read(socket)).equals(sent)).toBe(true);
  });

  test('the client may say all before it hears anything: half-close is handed on', async () => {
    const server = await serve(undefined, (each) => {
      void read(each).then((heard) => each.end(`heard ${heard.length}`));
    });
    const { listener } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    socket.end('x'.repeat(100_000));
    expect((await read(socket)).toString()).toBe('heard 100000');
  });

  test('so may the target: the client goes on after it', async () => {
    let heard = -1;
    const server = await serve(undefined, (each) => {
      each.end('welcome');
      void read(each).then((all) => (heard = all.length));
    });
    const { listener } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    expect((await read(socket)).toString()).toBe('welcome');
    socket.end('y'.repeat(200_000));
    await until('the target heard it', () => heard === 200_000);
  });

  test('a reader that waits stops the writer: what is under way is bounded, and nothing is lost', async () => {
    let target: Socket | undefined;
    const server = await serve(undefined, (each) => {
      each.pause();
      target = each;
    });
    const { listener, pairs } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    const sent = randomBytes(32_000_000);
    socket.end(sent);
    let before = -1;
    await until('it stands still', () => {
      const now = pairs[0]?.bytes.fromClient ?? 0;
      const stands = now > 0 && now === before;
      before = now;
      return stands;
    });
    expect(before).toBeLessThan(sent.length / 2); // what the kernel's socket buffers hold, and a pipe
    if (target === undefined) throw new Error('the target was not reached');
    const heard = read(target);
    target.resume();
    expect((await heard).equals(sent)).toBe(true);
  });

  test('many pairs at once stay apart', async () => {
    const server = await serve(undefined, echo);
    const { listener, events } = relayTo(() => tcpTo(server));
    const all = Array.from({ length: 100 }, (_, i) => Buffer.alloc(20_000, i));
    const heard = await Promise.all(
      all.map((sent) => {
        const socket = client(listener.port);
        socket.end(sent);
        return read(socket);
      }),
    );
    expect(heard.every((each, i) => each.equals(all[i] ?? Buffer.alloc(0)))).toBe(true);
    await until('all ended', () => events.every(({ list }) => list.length === 2));
    expect(new Set(events.map(({ list }) => list.join()))).toEqual(new Set(['connected,end 20000 20000']));
  });
});

describe('ends', () => {
  test('a target that closes at once is delivered whole, though the client had more to say', async () => {
    const answer = randomBytes(3_000_000);
    const server = await serve(undefined, (each) => {
      each.write(answer, () => each.destroy());
    });
    const { listener } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    expect((await read(socket)).equals(answer)).toBe(true);
  });

  test('a client that is reset takes the target’s connection along', async () => {
    let closed = false;
    const server = await serve(undefined, (each) => each.on('close', () => (closed = true)).resume());
    const { listener, events } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    await until('connected', () => events[0]?.list.includes('connected') === true);
    socket.resetAndDestroy();
    await until('the target is closed', () => events[0]?.list.length === 2);
    expect(events[0]?.list[1]).toBe('end 0 0 ECONNRESET');
    await until('the target saw it', () => closed);
  });

  test('dropped: both sides see it, nothing is told', async () => {
    const server = await serve(undefined, (each) => each.resume());
    const { listener, events, pairs } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    await until('connected', () => events[0]?.list.length === 1);
    pairs[0]?.drop();
    pairs[0]?.drop();
    expect((await read(socket)).length).toBe(0);
    expect(events[0]?.list).toEqual(['connected']);
    socket.destroy();
  });

  test('closing the relay closes what it holds, in the middle of a transfer too', async () => {
    const server = await serve(undefined, (each) => each.pause());
    const { listener, relay, pairs } = relayTo(() => tcpTo(server));
    const socket = client(listener.port);
    socket.write(randomBytes(20_000_000));
    await until('bytes move', () => (pairs[0]?.bytes.fromClient ?? 0) > 0);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    relay.close();
    relay.close();
    await ended;
  });

  test('a relay may be closed from inside a callback', async () => {
    const server = await serve(undefined, echo);
    const relay = later(native.openRelay());
    const [near, far] = native.socketPair('stream');
    closers.push(() => {
      native.closeFd(far);
    });
    let told = 0;
    const events = new Events();
    relay.join(near, native.connectStream(tcpTo(server)), {
      onRefused: events.onRefused,
      onEnd: events.onEnd,
      onConnected: () => {
        told++;
        relay.close();
      },
    });
    await until('connected', () => told === 1);
  });
});

describe('targets', () => {
  test('a refusal leaves the client waiting for the next one, and its words are kept', async () => {
    const gone = await serve(undefined, echo);
    const refused = tcpTo(gone);
    gone.close();
    const server = await serve(undefined, echo);
    const { listener, events, pairs } = relayTo(() => refused);
    const socket = client(listener.port);
    socket.end('early');
    await until('a refusal', () => events[0]?.list.length === 1);
    expect(events[0]?.list).toEqual(['refused ECONNREFUSED']);
    pairs[0]?.retarget(native.connectStream(tcpTo(server)));
    expect((await read(socket)).toString()).toBe('early');
  });

  test('a target that does not answer can be replaced', async () => {
    const server = await serve(undefined, echo);
    const relay = later(native.openRelay());
    const silent = later(
      native.listenTcp({
        address: '127.0.0.1',
        port: 0,
        backlog: 0,
        onConnections: () => undefined,
        onError: () => undefined,
      }),
    );
    silent.pause();
    const filling = [1, 2].map(() => client(silent.port)); // its backlog
    await until('it is full', () => filling.some(({ connecting }) => !connecting));
    const [near, far] = native.socketPair('stream');
    const events = new Events();
    const pair = relay.join(
      near,
      native.connectStream({ via: 'tcp', address: '127.0.0.1', port: silent.port }),
      events,
    );
    pair.retarget(native.connectStream(tcpTo(server)));
    await until('connected', () => events.list.length === 1);
    native.closeFd(far);
    await until('the end', () => events.list.length === 2);
    expect(events.list).toEqual(['connected', 'end 0 0']);
  });

  test.each([
    { name: 'no such UNIX socket', target: { via: 'unix', path: '/nonexistent/adb.sock' }, want: 'ENOENT' },
    { name: 'no IP address', target: { via: 'tcp', address: 'localhost', port: 1 }, want: 'EINVAL' },
  ] as const)('$name', ({ target, want }) => {
    expect(codeOf(() => native.connectStream(target))).toBe(want);
  });

  test('a retarget after the connection is refused, and its socket stays the caller’s', async () => {
    const server = await serve(undefined, echo);
    const { listener, events, pairs } = relayTo(() => tcpTo(server));
    client(listener.port);
    await until('connected', () => events[0]?.list.length === 1);
    const other = native.connectStream(tcpTo(server));
    expect(codeOf(() => pairs[0]?.retarget(other))).toBe('EISCONN');
    native.closeFd(other);
  });

  test('what is no stream socket is refused, and stays the caller’s', () => {
    const relay = later(native.openRelay());
    const [reader, writer] = native.pipe();
    const [one, other] = native.socketPair('datagram');
    expect(codeOf(() => relay.join(reader, writer, new Events()))).toBe('ENOTSOCK');
    expect(codeOf(() => relay.join(one, other, new Events()))).toBe('EPROTOTYPE');
    for (const fd of [reader, writer, one, other]) native.closeFd(fd);
  });

  test("one socket twice is refused, and stays the caller's", () => {
    const relay = later(native.openRelay());
    const [one, other] = native.socketPair('stream');
    expect(codeOf(() => relay.join(one, one, new Events()))).toBe('EINVAL');
    native.closeFd(one);
    native.closeFd(other);
  });
});

describe('listening', () => {
  test.each([
    { name: 'an address of nobody here', at: { address: '192.0.2.1', port: 0 }, want: 'EADDRNOTAVAIL' },
    { name: 'a device of nobody', at: { address: '127.0.0.1', port: 0, device: 'nodev7' }, want: 'ENODEV' },
    { name: 'a device by no name', at: { address: '127.0.0.1', port: 0, device: '\0lo' }, want: 'EINVAL' },
    { name: 'a zone', at: { address: 'fe80::1%lo', port: 0 }, want: 'EINVAL' },
  ])('$name', ({ at, want }) => {
    const ignoring = { onConnections: () => undefined, onError: () => undefined };
    expect(codeOf(() => native.listenTcp({ ...at, ...ignoring }))).toBe(want);
  });

  test('a port that is taken', () => {
    const { listener } = relayTo(() => ({ via: 'unix', path: '/' }));
    const at = { address: '127.0.0.1', port: listener.port };
    expect(
      codeOf(() => native.listenTcp({ ...at, onConnections: () => undefined, onError: () => undefined })),
    ).toBe('EADDRINUSE');
  });

  test('peers by address and port, an IPv4 one at an IPv6 socket as IPv4', async () => {
    const seen: TcpConnection[] = [];
    const listener = later(
      native.listenTcp({
        address: '::',
        port: 0,
        onConnections: (connections) => {
          seen.push(...connections);
        },
        onError: () => undefined,
      }),
    );
    const v4 = client(listener.port);
    const v6 = connect({ port: listener.port, host: '::1' }).on('error', () => undefined);
    closers.push(() => v6.destroy());
    await until('both', () => seen.length === 2);
    const want = [
      { address: '127.0.0.1', port: v4.localPort },
      { address: '::1', port: v6.localPort },
    ];
    expect(
      seen
        .map(({ address, port }) => ({ address, port }))
        .sort((a, b) => b.address.length - a.address.length),
    ).toEqual(want);
    for (const { fd } of seen) native.closeFd(fd);
  });

  test('paused, it accepts nothing; resumed, what waited', async () => {
    let accepted = 0;
    const listener = later(
      native.listenTcp({
        address: '127.0.0.1',
        port: 0,
        onConnections: (connections) => {
          for (const { fd } of connections) native.closeFd(fd);
          accepted += connections.length;
        },
        onError: () => undefined,
      }),
    );
    listener.pause();
    const waiting = client(listener.port);
    await until('the kernel has it', () => !waiting.connecting);
    expect(accepted).toBe(0);
    listener.resume();
    await until('it is accepted', () => accepted === 1);
  });

  testInNetns('a socket of a device, in a namespace', () => {
    const netns = native.createNetns();
    const open = (): TcpListener =>
      native.listenTcp({
        address: '0.0.0.0',
        port: 0,
        device: 'lo',
        onConnections: () => undefined,
        onError: () => undefined,
      });
    later(native.runInNetns(netns, open));
    native.closeFd(netns);
  });
});
