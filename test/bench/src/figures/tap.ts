import { seconds } from '@pp/base';
import { ApiClient, dotted, guestMac, until, type Child, type Guest, type Host } from '@pp/lab';
import type { Bed, Machine } from '../bed/bed';
import { programPath } from '../bed/programs';
import { Manager } from '../manager/manager';
import { exactCpuSecondsOf } from '../manager/process';
import { atLeast, hoped, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** What the manager's datapath costs a VM: the same guest behind the manager's TAP, and behind a TAP on a bridge with masquerade. */
export const tapFigure: Figure = {
  name: 'tap',
  about: 'TCP of a VM through the manager’s TAP and NAT, beside a bridge with masquerade made by hand',
  measure,
};

const CID = 5;
const PORT = 5201;
const BY_HAND = { tap: 'tap0', gateway: '10.211.0.1', address: '10.211.0.2', length: 24 } as const;

type Name = 'ours' | 'byHand';
/** Who sends: the guest, or the sink (iperf3 -R). */
type Way = 'out' | 'in';

/** A guest that runs, and the sink that it talks to. */
interface Running {
  readonly guest: Guest;
  readonly machine: Machine;
  /** The processes in whose time the host forwards: the pump, and iperf3 at the sink. */
  readonly movers: readonly Child[];
  /** CPU seconds of the movers for a GB, of each sample of the way that is measured. BOUNDED: by the rounds. */
  readonly cpuPerGb: number[];
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const [ours, byHand] = [await bed.machine('manager'), await bed.machine('byhand')];
  const manager = await Manager.start(bed, ours);
  const api = await ApiClient.open(manager.bus.outside);
  const running: Readonly<Record<Name, Running>> = {
    ours: await managed(bed, ours, api),
    byHand: await bridged(bed, byHand),
  };
  const rounds = settings.quick ? 3 : 40;
  const rows: Row[] = []; // BOUNDED: one for each way
  for (const way of ['out', 'in'] as const) {
    const samples = await interleave(
      rounds,
      {
        ours: () => gigabits(running.ours, way),
        byHand: () => gigabits(running.byHand, way),
      },
      progress(settings, `TAP, ${way}`, rounds),
    );
    const cpu = { ours: running.ours.cpuPerGb.splice(0), byHand: running.byHand.cpuPerGb.splice(0) };
    rows.push(rateRow(way, samples), cpuRow(way, cpu));
  }
  api.close();
  await manager.stop();
  return rows;
}

async function managed(bed: Bed, machine: Machine, api: ApiClient): Promise<Running> {
  const { device } = await api.ask('TerminaVmStartup', { cid: CID });
  if (device === undefined) throw new Error('the reply has no device');
  const link = {
    tap: device.ifname,
    gateway: dotted(device.hostIpv4Addr),
    address: dotted(device.ipv4Addr),
    length: device.ipv4Subnet?.prefixLen ?? 32,
  };
  return plugged(bed, machine, link);
}

/** As a person would set it up: ip and nft. */
async function bridged(bed: Bed, machine: Machine): Promise<Running> {
  const { tap, gateway, length } = BY_HAND;
  await machine.host.shell(`
    ip link add br0 type bridge
    ip tuntap add ${tap} mode tap vnet_hdr
    ip link set ${tap} master br0
    ip addr add ${gateway}/${length} dev br0
    ip link set br0 up; ip link set ${tap} up
    echo 1 > /proc/sys/net/ipv4/ip_forward
    nft add table ip byhand
    nft add chain ip byhand out '{ type nat hook postrouting priority srcnat; }'
    nft add rule ip byhand out ip saddr ${gateway}/${length} oifname eth0 masquerade`);
  return plugged(bed, machine, BY_HAND);
}

interface Link {
  readonly tap: string;
  readonly gateway: string;
  readonly address: string;
  readonly length: number;
}

/** The guest on its TAP, with Linux's own network stack, proven to reach the sink by reno. */
async function plugged(
  bed: Bed,
  machine: Machine,
  { tap, gateway, address, length }: Link,
): Promise<Running> {
  const { host, sink } = machine;
  const guest = await bed.lab.guest(host, `${host.name}-vm`);
  const args = [tap, String(guest.pid), 'eth0', guestMac(CID)];
  const pump = host.spawn(programPath('tap-pump'), args);
  await pump.line('sign of being ready', (line) => (line === 'ready' ? true : undefined));
  await guest.shell(`
    ip addr add ${address}/${length} dev eth0
    ip link set eth0 up
    ip route add default via ${gateway}`);
  await until(`the VM of ${host.name} reaches ${sink}`, async () => {
    const { code } = await guest.run('ping', ['-c', '1', '-W', '1', sink]);
    return code === 0;
  });
  for (const place of [guest, bed.sink]) await proveReno(place);
  return { guest, machine, movers: [pump, await startSink(bed, machine, guest)], cpuPerGb: [] };
}

async function proveReno(place: Guest | Host): Promise<void> {
  const used = (await place.ok('sysctl', ['-n', 'net.ipv4.tcp_congestion_control'])).trim();
  if (used !== 'reno') throw new Error(`congestion control of ${place.name} is ${used}`);
}

async function startSink(bed: Bed, { sink }: Machine, guest: Guest): Promise<Child> {
  const server = bed.sink.spawn('iperf3', ['-s', '-B', sink, '-p', String(PORT)]);
  await until(`iperf3 at ${sink}`, async () => {
    const { code } = await guest.run('iperf3', [...clientArgs(sink), '-n', '1']);
    return code === 0;
  });
  return server;
}

const clientArgs = (sink: string): readonly string[] => ['-c', sink, '-p', String(PORT), '-J'];

/** Short samples, and many: what else the machine does comes in bursts of seconds. */
const SPAN_SEC = 1;

async function gigabits({ guest, machine, movers, cpuPerGb }: Running, way: Way): Promise<number> {
  const args = [...clientArgs(machine.sink), '-t', String(SPAN_SEC), ...(way === 'in' ? ['-R'] : [])];
  const cpuSeconds = (): number => movers.reduce((sum, { pid }) => sum + exactCpuSecondsOf(pid), 0);
  const before = cpuSeconds();
  const text = await guest.ok('iperf3', args, { timeout: seconds(SPAN_SEC + 20) });
  const { end } = JSON.parse(text) as {
    readonly end: { readonly sum_received: { readonly bytes: number; readonly bits_per_second: number } };
  };
  const { bytes, bits_per_second } = end.sum_received;
  cpuPerGb.push((cpuSeconds() - before) / (bytes / 1e9));
  return bits_per_second / 1e9;
}

type Samples = Readonly<Record<Name, readonly number[]>>;

const both = ({ ours, byHand }: Samples, unit: string): string =>
  `manager: ${spreadText(spreadOf(ours), unit)}; by hand: ${spreadText(spreadOf(byHand), unit)}`;

const directionOf = (way: Way): string => (way === 'out' ? 'from a VM' : 'to a VM');

function rateRow(way: Way, rates: Samples): Row {
  const spread = spreadOf(pairRatios(rates.ours, rates.byHand));
  return {
    name: `tap: TCP ${directionOf(way)}, share of a bridge made by hand`,
    measured: spread.median,
    unit: 'x',
    goal: atLeast(0.95),
    spread,
    details: [
      both(rates, 'Gbit/s'),
      'iperf3, one connection, reno; virtio-net headers and segmentation offload on both TAPs, one pump in C for both',
    ],
  };
}

/** The same by what it costs, which the machine's other work disturbs less. */
function cpuRow(way: Way, cpu: Samples): Row {
  const spread = spreadOf(pairRatios(cpu.ours, cpu.byHand));
  return {
    name: `tap: CPU for a GB ${directionOf(way)}, times that by a bridge made by hand`,
    measured: spread.median,
    unit: 'x',
    goal: hoped(1.05),
    spread,
    details: [
      both(cpu, 's/GB'),
      'of the pump and of iperf3 at the sink, in whose time the host forwards; limit: policy routing, three tables for a packet out and four for one in, its source included, and two look-ups of the guest',
    ],
  };
}
