/** Whether the counters are right, with tcpdump at the uplink as the judge. */
import { spawnSync } from 'node:child_process';
import { seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  STANDARD,
  startTermina,
  startTransfer,
  systemPath,
  until,
  type Place,
} from '@pp/lab';
import { Capture } from './capture';
import { CountersRig, difference, kinds, totals, type Sums } from './counters-rig';

const { internet, host: uplink } = STANDARD;
const PATIENCE = seconds(120);

const missing = (): string | undefined => {
  const lab = labMissing();
  if (lab !== undefined) return lab;
  const env = { ...process.env, PATH: systemPath() };
  const absent = ['tcpdump', 'ethtool', 'socat'].filter(
    (each) => spawnSync('sh', ['-c', `command -v ${each}`], { env }).status !== 0,
  );
  return absent.length === 0 ? undefined : absent.join(', ');
};

let rig: CountersRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

/** Sends 400 kB to the echo of the Internet by TCP and 60 datagrams by UDP, and takes all of it back. */
async function exchange(place: Place, address: string): Promise<void> {
  const family = address.includes(':') ? 6 : 4;
  const target = family === 6 ? `[${address}]` : address;
  const tcp = `head -c 400000 /dev/zero | socat -t 10 - TCP${family}:${target}:7 | tail -c +20 | wc -c`;
  const back = Number(await place.shell(tcp, { timeout: seconds(50) }));
  if (back < 399_000) throw new Error(`${place.name}: only ${back} bytes came back by TCP`);
  const udp = `for n in $(seq 20); do head -c 1200 /dev/zero | socat -t 0.05 - UDP${family}:${target}:7 > /dev/null; done`;
  await place.shell(udp, { timeout: seconds(50) });
}

/** So that each packet passes the counters as it passes the wire. Linux's TCP makes trains of segments whatever the device says, but for their length. */
async function offloadsOff(...places: readonly Place[]): Promise<void> {
  for (const place of places)
    await place.shell(`for i in $(ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'); do
      ethtool -K $i tso off gso off gro off > /dev/null 2>&1 || true
      ip link set $i gso_max_segs 1; done`);
}

/** What passed eth0 while `work` went on, by the counters and by the capture. Both begin and end while nothing passes. */
async function judged(
  rigNow: CountersRig,
  work: () => Promise<void>,
): Promise<{ counted: Sums; captured: Sums }> {
  const read = async (): Promise<Sums> => totals(await rigNow.read());
  const same = (a: Sums, b: Sums): boolean => words(a) === words(b);
  const { capture, before } = await until('a moment of silence to begin in', async () => {
    const first = await read();
    const begun = await Capture.start(rigNow.host, 'eth0');
    if (same(first, await read())) return { capture: begun, before: first };
    await begun.stop();
    return undefined;
  });
  await work();
  const after = await until('a moment of silence to end in', async () => {
    const now = await read();
    await capture.mark();
    return same(now, await read()) ? now : undefined;
  });
  return { counted: difference(after, before), captured: await capture.stop() };
}

const words = (sums: Sums): string =>
  JSON.stringify(sums, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

labTest(
  'with offloads off every byte counts: TCP and UDP, both families, from the host, from guests, and forwarded for others',
  async () => {
    rig = await CountersRig.open();
    const { lab, client, host } = rig;
    await rig.startCounters();
    const namespace = await lab.guest('namespace');
    await client.connect({ pid: namespace.pid });
    const vm = await startTermina({ lab, client }, 5);
    await giveIpv6(rig, vm.guest, vm.ifname, vm.link);
    const other = await otherNetwork(rig);
    await offloadsOff(host, lab.router, lab.internet, namespace, vm.guest, other);
    const { counted, captured } = await judged(rig, async () => {
      await exchange(host, internet.v4);
      await exchange(host, internet.v6);
      await exchange(namespace, internet.v4);
      await exchange(vm.guest, internet.v4);
      await exchange(vm.guest, internet.v6);
      await exchange(other, internet.v4);
    });
    expect(counted).toEqual(captured);
    expect(counted[4].tx).toBeGreaterThan(4n * 424_000n); // else it was not this traffic
    expect(counted[6].tx).toBeGreaterThan(2n * 424_000n);
    expect(kinds(await rig.read())).toEqual(
      expect.arrayContaining(['eth0 CROSVM v4', 'eth0 CROSVM v6', 'eth0 SYSTEM v4', 'eth0 UNKNOWN v4']),
    );
  },
  missing(),
  PATIENCE,
);

/** An address of the uplink's network; the router is told the way that ndproxy would show it. */
async function giveIpv6(
  { client, lab }: CountersRig,
  guest: Place,
  ifname: string,
  link: string,
): Promise<void> {
  const address = '2001:db8:77::c0fe';
  const bytes = Uint8Array.from(Buffer.from('20010db800770000000000000000c0fe', 'hex'));
  await client.neighbor('NeighborDetected', { ifname: link, address: bytes, upstream: 'eth0' });
  const gateway = (await lab.host.json(
    'ip',
    '-j',
    '-6',
    'addr',
    'show',
    'dev',
    link,
    'scope',
    'link',
  )) as readonly {
    readonly addr_info: readonly { readonly local: string }[];
  }[];
  const via = gateway.flatMap(({ addr_info }) => addr_info.map(({ local }) => local))[0] ?? '';
  await guest.shell(
    `ip addr add ${address}/128 dev ${ifname} nodad; ip -6 route replace default via ${via} dev ${ifname}`,
  );
  await lab.router.ok('ip', ['-6', 'route', 'replace', `${address}/128`, 'via', uplink.v6, 'dev', 'lan']);
}

/** A network behind the host that is not ours, with routes of its own. */
async function otherNetwork({ lab }: CountersRig): Promise<Place> {
  const other = await lab.guest('other');
  await lab.host.shell(`ip link add other0 type veth peer name eth0 netns ${other.pid}
    ip addr add 10.9.9.1/24 dev other0; ip link set other0 up`);
  await other.shell(
    'ip addr add 10.9.9.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.9.9.1',
  );
  await lab.router.ok('ip', ['route', 'add', '10.9.9.0/24', 'via', uplink.v4]);
  await lab.internet.ok('ip', ['route', 'add', '10.9.9.0/24', 'via', '203.0.113.1']);
  return other;
}

labTest(
  'with offloads on the sums are the payload within 5 %',
  async () => {
    rig = await CountersRig.open();
    const { lab, client } = rig;
    await rig.startCounters();
    const vm = await startTermina({ lab, client }, 5);
    const transfer = await startTransfer(vm.guest, internet.v4);
    await transfer.goesOn(16 * 1024 * 1024);
    const payload = await transfer.finish();
    const counters = (await rig.read(['eth0'])).filter(({ source }) => source === 4);
    const { rx, tx } = totals(counters)[4];
    for (const direction of [Number(rx), Number(tx)]) {
      expect(direction).toBeGreaterThanOrEqual(payload);
      expect(direction).toBeLessThan(payload * 1.05);
    }
  },
  missing(),
  PATIENCE,
);

labTest(
  'through kill -9 of counters and manager, and a restart of counters that keeps the table, nothing is lost and nothing counts twice',
  async () => {
    rig = await CountersRig.open();
    const { lab, client, host } = rig;
    const keep = ['--on-exit', 'keep'];
    await rig.startCounters(keep);
    const vm = await startTermina({ lab, client }, 5);
    await offloadsOff(host, lab.router, lab.internet, vm.guest);
    const here = rig;
    const megabyte = 1024 * 1024;
    const { counted, captured } = await judged(rig, async () => {
      const transfer = await startTransfer(vm.guest, internet.v4);
      await transfer.goesOn(megabyte);
      await here.killCounters();
      await transfer.goesOn(megabyte);
      await here.startCounters(keep);
      await transfer.goesOn(megabyte);
      await here.restartManager();
      await transfer.goesOn(megabyte);
      expect((await here.counters?.stop())?.code).toBe(0);
      await transfer.goesOn(megabyte);
      await here.startCounters(keep);
      await transfer.goesOn(megabyte);
      await transfer.finish();
    });
    expect(counted).toEqual(captured);
    expect(counted[4].tx).toBeGreaterThan(6n * 1024n * 1024n);
    expect((await rig.status())['losses']).toBe(0);
  },
  missing(),
  PATIENCE,
);
