import {
  ApiClient,
  type Guest,
  type HostListing,
  hostListing,
  labTest,
  lastSeen,
  listingDifference,
  type Manager,
  pings,
  reaches,
  seenAs,
  STANDARD,
  standardLab,
  type StandardLab,
  startManager,
  until,
  UNWANTED,
} from '@pp/lab';
import { encode, type Init, type Messages } from '@pp/proto';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Request = Init<Messages['ConnectNamespaceRequest']>;

/** One lab for the file; each test must leave the host as without guests, and the manager without a descriptor more. */
let lab: StandardLab;
let manager: Manager;
let client: ApiClient;
let guest: Guest;
let idle: HostListing;
let idleFds: number;

const openFds = async (): Promise<number> =>
  Number(await lab.host.shell(`ls /proc/${manager.pid}/fd | wc -l`));

const difference = async (): Promise<readonly string[]> =>
  listingDifference(idle, await hostListing(lab.host));

async function expectIdle(): Promise<void> {
  const look = async () => ({ left: await difference(), more: Math.max(0, (await openFds()) - idleFds) });
  const isIdle = ({ left, more }: Awaited<ReturnType<typeof look>>): boolean =>
    left.length === 0 && more === 0;
  expect(await lastSeen('the host is as without guests', look, isIdle)).toEqual({ left: [], more: 0 });
}

beforeAll(async () => {
  lab = await standardLab({ secondUplink: true });
  manager = await startManager(lab.host, {
    args: ['--uplink', 'eth0=ethernet', '--uplink', 'eth1=ethernet', '--uplink', 'eth9'],
  });
  client = await ApiClient.open(lab.bus.outside);
  guest = await lab.guest('guest');
  idle = await hostListing(lab.host);
  const { release } = await client.connect({ pid: guest.pid }); // sockets get their sending threads with the first use
  release();
  await until('the first namespace is gone', async () => (await difference()).length === 0);
  idleFds = await openFds();
}, 60_000);

afterAll(async () => {
  await lab.close();
  client.close();
}, 60_000);

// What a failed test still holds is in no other's way.
afterEach(() => {
  client.releaseAll();
});

labTest('the reply says what is there, its addresses in network byte order', async () => {
  const { reply, release } = await client.connect({ pid: guest.pid });
  const number = /^arc_ns(\d+)$/.exec(reply.hostIfname)?.[1] ?? 'none';
  expect(reply).toEqual({
    ipv4Subnet: { baseAddr: 0x805c7364, prefixLen: 30 },
    hostIfname: `arc_ns${number}`,
    hostIpv4Address: 0x815c7364,
    peerIfname: `veth${number}`,
    peerIpv4Address: 0x825c7364,
    netnsName: `connected_netns_${number}`,
  });
  const inside = await guest.ok('ip', ['-4', '-o', 'addr', 'show', 'dev', reply.peerIfname]);
  expect(inside).toContain('inet 100.115.92.130/30 brd 100.115.92.131');
  expect(await guest.ok('ip', ['link', 'show', 'dev', reply.peerIfname])).not.toContain('MULTICAST');
  release();
  await expectIdle();
});

labTest('a new namespace is made for pid -1, and goes with its lifeline', async () => {
  const { reply, release } = await client.connect({ pid: -1 });
  const routes = await lab.host.ok('ip', ['-n', reply.netnsName, 'route', 'show', 'default']);
  expect(routes).toContain(`default via 100.115.92.129 dev ${reply.peerIfname}`);
  const [seen] =
    (
      await lab.host.ok('ip', ['netns', 'exec', reply.netnsName, 'ping', '-c1', '-W20', STANDARD.internet.v4])
    ).match(/1 received/) ?? [];
  expect(seen).toBe('1 received');
  release();
  await expectIdle();
});

labTest(
  'traffic leaves by the outbound device that was asked for, and by the default route otherwise',
  async () => {
    for (const [request, want] of [
      [{}, STANDARD.host.v4],
      [{ routeOnVpn: true }, STANDARD.host.v4],
      [{ outboundPhysicalDevice: 'eth0' }, STANDARD.host.v4],
      [{ outboundPhysicalDevice: 'eth1' }, STANDARD.host.eth1],
      [{ outboundPhysicalDevice: 'eth1', routeOnVpn: true }, STANDARD.host.eth1],
    ] as const) {
      const { release } = await client.connect({ pid: guest.pid, ...request });
      expect([request, await seenAs(guest, STANDARD.internet.v4)]).toEqual([request, want]);
      release();
      await expectIdle();
    }
  },
);

labTest('namespaces do not reach each other, whatever they allow; the host reaches them', async () => {
  const other = await lab.guest('other');
  const a = await client.connect({ pid: guest.pid, allowUserTraffic: true });
  const b = await client.connect({ pid: other.pid, allowUserTraffic: true });
  expect(await pings(guest, '100.115.92.134')).toBe(false);
  expect(await pings(other, '100.115.92.130')).toBe(false);
  expect(await reaches(lab.host, '100.115.92.130')).toBe(true);
  expect(await reaches(lab.host, '100.115.92.134')).toBe(true);
  expect(await reaches(guest, '100.115.92.129')).toBe(true); // its gateway answers
  a.release();
  b.release();
  await other.end();
  await expectIdle();
});

labTest('a guest reaches no service of the host, on none of its addresses', async () => {
  const { release } = await client.connect({ pid: guest.pid });
  const server = lab.host.spawn(
    'socat',
    ['TCP-LISTEN:7777,fork,reuseaddr', 'SYSTEM:echo peer 0.0.0.0 1'],
    {},
  );
  await until(
    'the server answers its own host',
    async () => (await seenAs(lab.host, '100.115.92.129', 7777)) !== undefined,
  );
  for (const address of ['100.115.92.129', STANDARD.host.v4, STANDARD.host.eth1]) {
    expect([address, await seenAs(guest, address, 7777, UNWANTED)]).toEqual([address, undefined]);
  }
  server.kill('SIGKILL');
  await server.exited;
  release();
  await expectIdle();
});

labTest('what a guest sends with a source of somebody else is dropped and counted', async () => {
  const { reply, release } = await client.connect({ pid: guest.pid });
  await guest.shell(`ip addr add 192.168.77.99/32 dev ${reply.peerIfname}`);
  const spoofed = async (): Promise<number> => {
    const list = (await lab.host.json(
      'nft',
      '-j',
      'list',
      'counter',
      'inet',
      'patchpanel',
      'drop_spoofed_ip4',
    )) as {
      nftables: { counter?: { packets: number } }[];
    };
    return list.nftables.find(({ counter }) => counter !== undefined)?.counter?.packets ?? 0;
  };
  const before = await spoofed();
  expect(await reaches(guest, STANDARD.lanhost.v4)).toBe(true); // now it knows its gateway: whoever asks by a source like that is not answered
  expect((await guest.run('ping', ['-c1', '-W1', '-I', '192.168.77.99', STANDARD.lanhost.v4])).code).not.toBe(
    0,
  );
  await until('it is counted', async () => (await spoofed()) > before);
  release();
  await expectIdle();
});

interface LifelineRow {
  readonly name: string;
  readonly make: () => [keep: number, send: number];
  readonly end: (keep: number) => void;
}
const closeFd = (fd: number): void => {
  client.native.closeFd(fd);
};
const LIFELINES: readonly LifelineRow[] = [
  { name: 'the write end of a pipe whose reader closes', make: () => client.native.pipe(), end: closeFd },
  {
    name: 'the read end of a pipe whose writer closes',
    make: () => {
      const [r, w] = client.native.pipe();
      return [w, r];
    },
    end: closeFd,
  },
  { name: 'a stream socket whose peer closes', make: () => client.native.socketPair('stream'), end: closeFd },
  {
    name: 'a seqpacket socket whose peer closes',
    make: () => client.native.socketPair('seqpacket'),
    end: closeFd,
  },
  {
    name: 'data on the read end of a pipe',
    make: () => {
      const [r, w] = client.native.pipe();
      return [w, r];
    },
    end: (fd) => {
      writeByte(fd);
    },
  },
  {
    name: 'data on a socket',
    make: () => client.native.socketPair('stream'),
    end: (fd) => {
      writeByte(fd);
    },
  },
];
const writeByte = (fd: number): void => {
  writeSync(fd, 'x');
};

for (const { name, make, end } of LIFELINES) {
  labTest(`the namespace ends with ${name}`, async () => {
    const [keep, send] = make();
    await client.raw('ConnectNamespace', encode('ConnectNamespaceRequest', { pid: guest.pid }), [send]);
    client.native.closeFd(send);
    expect(await difference()).not.toEqual([]);
    end(keep);
    await expectIdle();
    try {
      closeFd(keep);
    } catch {
      /* the row closed it */
    }
  });
}

labTest('only the descriptor counts: the bus connection that called may go', async () => {
  const brief = await ApiClient.open(lab.bus.outside);
  const [keep, send] = client.native.pipe();
  await brief.raw('ConnectNamespace', encode('ConnectNamespaceRequest', { pid: guest.pid }), [send]);
  client.native.closeFd(send);
  brief.bus.close();
  await client.bus.call({
    destination: 'org.chromium.PatchPanel',
    path: '/',
    interface: 'org.freedesktop.DBus.Peer',
    member: 'Ping',
  });
  expect(await seenAs(guest, STANDARD.internet.v4)).toBe(STANDARD.host.v4);
  closeFd(keep);
  await expectIdle();
});

interface BadRow {
  readonly name: string;
  readonly request?: () => Request;
  readonly body?: Uint8Array;
  /** What is passed as the lifeline; default: a pipe that lives. */
  readonly fd?: () => number | null;
  readonly want: { readonly error: string; readonly sentence: RegExp };
}

const bad = (reason: string, sentence: RegExp): BadRow['want'] => ({
  error: `org.chromium.PatchPanel.Error.${reason}`,
  sentence,
});
let dir = '';
const BAD: readonly BadRow[] = [
  {
    name: 'bytes that are no protobuf',
    body: Uint8Array.from([0xff, 0xff, 0xff]),
    want: bad('InvalidArgument', /is not a ConnectNamespaceRequest/),
  },
  {
    name: 'a field of the wrong wire type',
    body: Uint8Array.from([0x0a, 1, 1]),
    want: bad('InvalidArgument', /wire type/),
  },
  {
    name: '100 kB of noise',
    body: new Uint8Array(100_000).fill(0xee),
    want: bad('InvalidArgument', /is not a/),
  },
  { name: 'no pid', request: () => ({}), want: bad('InvalidArgument', /pid is missing/) },
  { name: 'pid -2', request: () => ({ pid: -2 }), want: bad('InvalidArgument', /pid -2 is negative/) },
  { name: 'pid 1', request: () => ({ pid: 1 }), want: bad('InvalidArgument', /pid 1/) },
  {
    name: "the manager's pid",
    request: () => ({ pid: manager.pid }),
    want: bad('InvalidArgument', /manager itself/),
  },
  {
    name: 'a pid that does not exist',
    request: () => ({ pid: 2 ** 30 }),
    want: bad('NotFound', /no process has the pid 1073741824/),
  },
  {
    name: "a process in the host's namespace",
    request: () => ({ pid: lab.host.pid }),
    want: bad('InvalidArgument', /namespace of the host/),
  },
  {
    name: 'an unknown outbound device',
    request: () => ({ pid: -1, outboundPhysicalDevice: 'wlan7' }),
    want: bad('NotFound', /"wlan7" is not an uplink.*eth0/),
  },
  {
    name: 'an outbound device that is awaited',
    request: () => ({ pid: -1, outboundPhysicalDevice: 'eth9' }),
    want: bad('NotFound', /"eth9" is not an uplink/),
  },
  {
    name: 'lo as outbound device',
    request: () => ({ pid: -1, outboundPhysicalDevice: 'lo' }),
    want: bad('InvalidArgument', /"lo" leads nowhere/),
  },
  {
    name: 'an outbound device that is no name',
    request: () => ({ pid: -1, outboundPhysicalDevice: 'a/b c' }),
    want: bad('InvalidArgument', /no interface name/),
  },
  {
    name: 'an outbound device of 50 kB',
    request: () => ({ pid: -1, outboundPhysicalDevice: 'x'.repeat(50_000) }),
    want: bad('InvalidArgument', /^outbound_physical_device "x{64}\.\.\." is no interface name: 1 to 15/),
  },
  {
    name: 'an unknown traffic source',
    request: () => ({ pid: -1, trafficSource: 77 }),
    want: bad('InvalidArgument', /traffic_source 77/),
  },
  {
    name: 'no lifeline',
    request: () => ({ pid: -1 }),
    fd: () => null,
    want: bad('InvalidArgument', /lifeline is missing/),
  },
  {
    name: 'a regular file as lifeline',
    request: () => ({ pid: -1 }),
    fd: () => openSync(join(dir, 'file'), 'w'),
    want: bad('InvalidArgument', /lifeline is a file/),
  },
  {
    name: 'a directory as lifeline',
    request: () => ({ pid: -1 }),
    fd: () => openSync(dir, 'r'),
    want: bad('InvalidArgument', /lifeline is a directory/),
  },
  {
    name: 'a lifeline that has ended',
    request: () => ({ pid: -1 }),
    fd: () => deadPipe(),
    want: bad('InvalidArgument', /ended already/),
  },
];

function deadPipe(): number {
  const [reader, writer] = client.native.pipe();
  client.native.closeFd(reader);
  return writer;
}

describe('bad input gets its error, and leaves nothing behind:', () => {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'pp-bad-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  for (const { name, request, body, fd, want } of BAD) {
    labTest(name, async () => {
      const [reader, writer] = client.native.pipe();
      const lifeline = fd === undefined ? writer : fd();
      const call = client.raw(
        'ConnectNamespace',
        body ?? encode('ConnectNamespaceRequest', request?.() ?? {}),
        lifeline === null ? [] : [lifeline],
      );
      const error = await call.then(
        () => new Error('accepted'),
        (fault: unknown) => fault as Error,
      );
      for (const each of new Set([reader, writer, ...(lifeline === null ? [] : [lifeline])]))
        client.native.closeFd(each);
      expect([error.name, error.message]).toEqual([want.error, expect.stringMatching(want.sentence)]);
      expect(error.message).not.toContain('\n');
      await expectIdle();
    });
  }
});

labTest('the 17th namespace is refused, and the first free subnet is used again', async () => {
  const held = [];
  for (let n = 0; n < 16; n++) held.push(await client.connect({ pid: -1 }));
  await expect(client.connect({ pid: -1 })).rejects.toMatchObject({
    name: 'org.chromium.PatchPanel.Error.ResourceExhausted',
    message: expect.stringContaining('--pool namespace=CIDR') as string,
  });
  const third = held[2];
  third?.release();
  await until('the subnet is free', () =>
    client.connect({ pid: -1 }).then(
      (next) => {
        held.push(next);
        return true;
      },
      () => false,
    ),
  );
  expect(held.at(-1)?.reply.ipv4Subnet?.baseAddr).toBe(third?.reply.ipv4Subnet?.baseAddr);
  for (const { release } of held) release();
  await expectIdle();
});

labTest('a namespace that is connected already is refused', async () => {
  const first = await client.connect({ pid: guest.pid });
  await expect(client.connect({ pid: guest.pid })).rejects.toMatchObject({
    name: 'org.chromium.PatchPanel.Error.AlreadyExists',
  });
  first.release();
  await expectIdle();
});

labTest(
  '200 calls at once with descriptors: 16 are served, the others get a clear error, nothing leaks',
  async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => client.connect({ pid: -1 })));
    const served = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as Error).name] : [],
    );
    expect(served).toHaveLength(16);
    expect(new Set(refused)).toEqual(new Set(['org.chromium.PatchPanel.Error.ResourceExhausted']));
    expect(new Set(served.map(({ reply }) => reply.hostIfname)).size).toBe(16);
    for (const { release } of served) release();
    await expectIdle();
  },
);

labTest('a client that dies takes all its namespaces with it', async () => {
  const dying = await ApiClient.open(lab.bus.outside);
  await Promise.all(Array.from({ length: 8 }, () => dying.connect({ pid: -1 })));
  expect(await difference()).not.toEqual([]);
  dying.close();
  await expectIdle();
});
