/** Asks for all facts, through doors that change nothing. */
import { causeChain, KernelError } from '@pp/base';
import { ExitCode, hasCapability, Refused } from '@pp/daemon';
import { sysctlWishes } from '@pp/datapath';
import { helpersOn } from '@pp/forwarding';
import { hostIpv6Of, type HostInspection, type HostIpv6 } from '@pp/ports';
import { SERVICE, type BusDoor } from '../call-manager';
import type { BusFacts, Facts, ManagerFacts, Meddling, Told } from './facts';
import { managerFacts } from './manager-facts';
import { chainsIn, type FirewallChain } from './ruleset';

export interface DoctorDoors extends BusDoor {
  readonly host: HostInspection;
  /** What a service's status socket says; throws Refused. */
  readonly status: (service: string) => Promise<string>;
  /** The bus is not the system's own. */
  readonly hasOwnBus: boolean;
  /** Of this program. */
  readonly version: string;
}

export async function gather(doors: DoctorDoors): Promise<Facts> {
  const { host, version } = doors;
  const manager = await managerOf(doors);
  const lacking = lackingIn(host.text('/proc/self/status') ?? '');
  const network = await told(() => host.network());
  const ipv6 = hostIpv6Of((key) => host.sysctl(key));
  const uplinks = manager.ok ? manager.value.uplinks : [];
  const keys = sysctlWishes({ uplinks }).map(({ key }) => key);
  return {
    version,
    lacking,
    manager,
    silentHelpers: manager.ok ? await silent(doors, manager.value, ipv6) : [],
    bus: await busOf(doors),
    policies: doors.hasOwnBus ? null : policiesOf(host),
    tunFault: host.openFault('/dev/net/tun'),
    datapathFault:
      lacking.length > 0 ? denied(`it takes ${lacking.join(' and ')}`) : await told(() => host.tryDatapath()),
    network,
    ipv6,
    sysctls: new Map(keys.map((key) => [key, host.sysctl(key)])),
    firewall: await firewallOf(host),
    legacyFilters: LEGACY_TABLES.filter(({ names }) => host.text(names)?.split('\n').includes('filter')).map(
      ({ program }) => program,
    ),
    conntrack: conntrackOf(host),
    meddling: network.ok ? network.value.own.flatMap((link) => meddlersOf(host, link)) : [],
    avahiReflects: isRunning(host, '/run/avahi-daemon/pid', 'avahi-daemon') && reflects(host),
  };
}

const LEGACY_TABLES = [
  { program: 'iptables', names: '/proc/net/ip_tables_names' },
  { program: 'ip6tables', names: '/proc/net/ip6_tables_names' },
] as const;

const denied = (why: string): Told<never> => ({ ok: false, why, denied: true });

/** What is refused is a fact, too. */
async function told<T>(ask: () => Promise<T>): Promise<Told<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (fault) {
    if (fault instanceof KernelError)
      return { ok: false, why: fault.message, denied: fault.code === 'EPERM' || fault.code === 'EACCES' };
    if (fault instanceof Refused)
      return { ok: false, why: fault.sentence, denied: fault.exitCode === ExitCode.denied };
    throw fault;
  }
}

const managerOf = ({ status }: DoctorDoors): Promise<Told<ManagerFacts>> =>
  told(async () => managerFacts(await status('patchpanel-manager')));

async function silent(
  { host, status }: DoctorDoors,
  { helpers }: ManagerFacts,
  ipv6: HostIpv6,
): Promise<readonly string[]> {
  const running = helpers.filter(({ state }) => state === 'running').map(({ name }) => name);
  const installed = (): readonly string[] => helpersOn(ipv6).filter((name) => hasUnit(host, name));
  const answers = await Promise.all(
    (helpers.length > 0 ? running : installed()).map(async (name) => ({
      name,
      ...(await told(() => status(name))),
    })),
  );
  return answers.filter((answer) => !answer.ok && !answer.denied).map(({ name }) => name);
}

const UNIT_DIRECTORIES = ['/lib/systemd/system', '/usr/lib/systemd/system', '/etc/systemd/system'];

/** Each helper is a package of its own, and may be left out. */
const hasUnit = (host: HostInspection, name: string): boolean =>
  UNIT_DIRECTORIES.some((directory) => host.text(`${directory}/${name}.service`) !== null);

/** Whatever is wrong with the bus is what is to be told. */
async function busOf({ connectBus }: BusDoor): Promise<Told<BusFacts>> {
  try {
    const bus = await connectBus();
    try {
      const { body } = await bus.call({
        destination: 'org.freedesktop.DBus',
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'NameHasOwner',
        signature: 's',
        body: [SERVICE],
      });
      return { ok: true, value: { hasManager: body[0] === true } };
    } finally {
      bus.close();
    }
  } catch (fault) {
    return { ok: false, why: causeChain(fault), denied: false };
  }
}

const POLICY_DIRECTORIES = ['/usr/share/dbus-1/system.d', '/etc/dbus-1/system.d'];

const policiesOf = (host: HostInspection): readonly string[] =>
  POLICY_DIRECTORIES.flatMap((directory) =>
    host.names(directory).map((name) => `${directory}/${name}`),
  ).filter((path) => path.endsWith('.conf') && host.text(path)?.includes(`own="${SERVICE}"`) === true);

const NEEDED = ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN'] as const;

const lackingIn = (status: string): readonly string[] =>
  NEEDED.filter((capability) => !hasCapability(status, capability));

async function firewallOf(host: HostInspection): Promise<Told<readonly FirewallChain[]>> {
  const text = await told(() => host.ruleset());
  if (!text.ok) return text;
  const chains = chainsIn(text.value);
  return chains === null
    ? { ok: false, why: 'nft lists the rules in a way that this program does not know', denied: false }
    : { ok: true, value: chains };
}

function conntrackOf(host: HostInspection): Facts['conntrack'] {
  const [count, max] = ['count', 'max'].map((what) =>
    Number(host.sysctl(`net.netfilter.nf_conntrack_${what}`) ?? NaN),
  );
  return count === undefined || max === undefined || !(max > 0 && count >= 0) ? null : { count, max };
}

/** By what the programs write of each interface where others may read it. */
function meddlersOf(
  host: HostInspection,
  { ifname, ifindex }: { readonly ifname: string; readonly ifindex: number },
): readonly Meddling[] {
  const nm = host.text(`/run/NetworkManager/devices/${ifindex}`) ?? '';
  const networkd = host.text(`/run/systemd/netif/links/${ifindex}`) ?? '';
  return [
    ...(/^managed=(true|1)$/m.test(nm) ? [{ program: 'NetworkManager', ifname } as const] : []),
    ...(/^ADMIN_STATE=(configuring|configured|failed)$/m.test(networkd)
      ? [{ program: 'systemd-networkd', ifname } as const]
      : []),
    ...(dhcpcdTakesAll(host) ? [{ program: 'dhcpcd', ifname } as const] : []),
  ];
}

/** Without a list of interfaces dhcpcd asks on every one that comes. */
const dhcpcdTakesAll = (host: HostInspection): boolean =>
  ['/run/dhcpcd/pid', '/run/dhcpcd.pid'].some((path) => isRunning(host, path, 'dhcpcd')) &&
  !/^\s*(denyinterfaces|allowinterfaces)\s/m.test(host.text('/etc/dhcpcd.conf') ?? '');

/** The process of that pid file has that name. */
function isRunning(host: HostInspection, pidFile: string, name: string): boolean {
  const pid = host.text(pidFile)?.trim() ?? '';
  return /^\d+$/.test(pid) && host.text(`/proc/${pid}/comm`)?.trim() === name;
}

const reflects = (host: HostInspection): boolean =>
  /^\s*enable-reflector\s*=\s*yes\b/m.test(host.text('/etc/avahi/avahi-daemon.conf') ?? '');
