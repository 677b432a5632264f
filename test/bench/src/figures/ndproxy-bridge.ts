import { seconds } from '@pp/base';
import { program, until, type Host } from '@pp/lab';
import type { Bed } from '../bed/bed';
import { atLeast, unmeasured, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import type { Figure, Settings } from './figure';

/** TCP through ndproxy's bridge mode: client -- bridge -- server, beside the same with a bridge of the kernel. */
export const ndproxyBridgeFigure: Figure = {
  name: 'ndproxy-bridge',
  about: 'TCP through ndproxy --mode bridge, beside a bridge of the kernel',
  measure,
};

interface Way {
  readonly client: Host;
  readonly server: string;
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const { code } = await bed.sink.run('sh', ['-c', 'command -v iperf3']);
  if (code !== 0) return [unmeasured('ndproxy: TCP in bridge mode', 'iperf3 is not installed')];
  const ours = await way(bed, 'ours', startOurs);
  const theirs = await way(bed, 'kernel', startKernelBridge);
  const samples = await interleave(settings.quick ? 2 : 7, {
    ours: () => gigabitsPerSecond(ours),
    theirs: () => gigabitsPerSecond(theirs),
  });
  const spread = spreadOf(pairRatios(samples.ours, samples.theirs));
  const texts = [samples.ours, samples.theirs].map((each) => spreadText(spreadOf(each), 'Gbit/s'));
  return [
    {
      name: 'ndproxy: TCP in bridge mode, of the kernel bridge’s',
      measured: spread.median,
      unit: 'x',
      goal: { ...atLeast(0.1), enforced: false },
      spread,
      details: [
        `ndproxy: ${texts[0] ?? ''}; kernel bridge: ${texts[1] ?? ''}`,
        'one connection, reno, 2 s a round; segmentation left to hardware stays so on the way through',
      ],
    },
  ];
}

async function way(bed: Bed, name: string, start: (host: Host) => Promise<void>): Promise<Way> {
  const [client, host, server] = [
    await bed.lab.host(`${name}-client`),
    await bed.lab.host(`${name}-bridge`),
    await bed.lab.host(`${name}-server`),
  ];
  await host.shell(`
    ip link add lan0 type veth peer name eth0 netns ${client.pid}
    ip link add guest0 type veth peer name eth0 netns ${server.pid}
    ip link set lan0 up; ip link set guest0 up`);
  const [from, to] = ['2001:db8:1::1', '2001:db8:1::2'];
  for (const [end, address] of [
    [client, from],
    [server, to],
  ] as const)
    await end.shell(`
      sysctl -qw net.ipv4.tcp_congestion_control=reno
      ip link set eth0 up; ip addr add ${address}/64 dev eth0 nodad`);
  await start(host);
  server.spawn('iperf3', ['-6', '-s']);
  await until(
    `${name} carries packets`,
    async () => (await client.run('ping', ['-c1', '-W1', to])).code === 0,
    {
      deadline: seconds(30), // a downstream opens after 12 s without a router
    },
  );
  return { client, server: to };
}

async function startOurs(host: Host): Promise<void> {
  const args = [
    '--mode',
    'bridge',
    '--state-dir',
    '/run/lab/ndproxy',
    '--log-level',
    'error',
    'lan0',
    'guest0',
  ];
  host.spawn(program('ndproxy'), args);
  await until('ndproxy answers for itself', () =>
    host.ok(program('ndproxy'), ['status', '--json', '--state-dir', '/run/lab/ndproxy']),
  );
}

const startKernelBridge = async (host: Host): Promise<void> => {
  await host.shell(`ip link add br0 type bridge mcast_snooping 0; ip link set br0 up
    ip link set lan0 master br0; ip link set guest0 master br0`);
};

async function gigabitsPerSecond({ client, server }: Way): Promise<number> {
  const text = await client.ok('iperf3', ['-6', '-J', '-t', '2', '-c', server], { timeout: seconds(20) });
  const { end } = JSON.parse(text) as {
    readonly end: { readonly sum_received: { readonly bits_per_second: number } };
  };
  return end.sum_received.bits_per_second / 1e9;
}
