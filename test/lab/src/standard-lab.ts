import type { Guest, Host } from './host';
import { Lab, type Plug } from './lab';
import { startBus, type Bus } from './services/bus';
import { startDnsmasq } from './services/dnsmasq';
import { startPeerEcho } from './services/peer-echo';
import { startRadvd } from './services/radvd';
import { until } from './until';

/*
 *   internet 203.0.113.10  2001:db8:ffff::10        peer-echo on tcp:7 udp:7 http:80
 *      | wan
 *   router   203.0.113.1 / 192.168.77.1             radvd, dnsmasq; no NAT, and no route to any guest
 *      | lan  192.168.77.0/24  2001:db8:77::/64
 *      +-- lanhost 192.168.77.20
 *      +-- host    192.168.77.2 (eth0)              a system bus of its own
 *      | lan2 192.168.88.0/24  2001:db8:88::/64     only with `secondUplink`
 *   router2  203.0.113.2 / 192.168.88.1             radvd with low preference; host is 192.168.88.2 (eth1), metric 200
 */

/** Addresses of the standard lab, for tests to name. */
export const STANDARD = {
  internet: { v4: '203.0.113.10', v6: '2001:db8:ffff::10' },
  router: { v4: '192.168.77.1', v6: '2001:db8:77::1' },
  lanhost: { v4: '192.168.77.20', v6: '2001:db8:77::20' },
  host: { v4: '192.168.77.2', v6: '2001:db8:77:0:50:50ff:fe00:7702', eth1: '192.168.88.2' },
} as const;

export interface StandardLab {
  readonly lab: Lab;
  readonly internet: Host;
  readonly router: Host;
  /** A neighbour on the host's LAN. */
  readonly lanhost: Host;
  /** The machine that patchpanel runs on. */
  readonly host: Host;
  readonly bus: Bus;
  /** Adds a client process with a network namespace of its own on `host`. */
  guest(name: string): Promise<Guest>;
  close(): Promise<void>;
}

export interface StandardLabOptions {
  /** Gives `host` a second uplink, eth1, by a router of its own. */
  readonly secondUplink?: boolean;
}

/** Brings up the hosts above with their services, and waits until the host has IPv6 from the router. */
export async function standardLab({ secondUplink = false }: StandardLabOptions = {}): Promise<StandardLab> {
  const lab = await Lab.open();
  try {
    return await bringUp(lab, secondUplink);
  } catch (fault) {
    await lab.close();
    throw fault;
  }
}

async function bringUp(lab: Lab, secondUplink: boolean): Promise<StandardLab> {
  const [internet, router, lanhost, host] = await allDone([
    labHost(lab, 'internet'),
    labHost(lab, 'router'),
    labHost(lab, 'lanhost'),
    labHost(lab, 'host'),
  ]);
  await allDone([
    setUpInternet(lab, internet),
    setUpRouter(lab, router, FIRST),
    setUpNeighbour(lab, lanhost),
    ...(secondUplink ? [labHost(lab, 'router2').then((router2) => setUpRouter(lab, router2, SECOND))] : []),
  ]);
  const bus = await startBus(host);
  await setUpUplink(lab, host, 'eth0', FIRST);
  if (secondUplink) await setUpUplink(lab, host, 'eth1', SECOND);
  await duplicateAddressDetection(host, 1); // from here on the host is as Linux makes it
  return {
    lab,
    internet,
    router,
    lanhost,
    host,
    bus,
    guest: (name) => lab.guest(host, name),
    close: () => lab.close(),
  };
}

/** Promise.all that lets the others finish before it fails: nobody may go on building in a lab that is being closed. */
async function allDone<T extends readonly Promise<unknown>[]>(
  work: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** One way from the host to the Internet. `number` is in its addresses of both families. */
interface Way {
  readonly segment: string;
  readonly number: number;
  /** Last number of the router's WAN address. */
  readonly wan: number;
  readonly preference: 'low' | 'high';
  readonly metric: number;
}

const FIRST: Way = { segment: 'lan', number: 77, wan: 1, preference: 'high', metric: 100 };
const SECOND: Way = { segment: 'lan2', number: 88, wan: 2, preference: 'low', metric: 200 };

async function labHost(lab: Lab, name: string): Promise<Host> {
  const host = await lab.host(name);
  await duplicateAddressDetection(host, 0);
  return host;
}

/** Off while the lab is set up: it would cost two seconds, and its addresses are known to be unique. */
async function duplicateAddressDetection(host: Host, accept: 0 | 1): Promise<void> {
  await host.shell(`cd /proc/sys/net/ipv6/conf
    for i in all default; do echo ${accept} > $i/accept_dad; echo ${accept} > $i/router_solicitation_delay; done`);
}

async function setUpInternet(lab: Lab, internet: Host): Promise<void> {
  await lab.plug(internet, 'wan', cable('eth0', 0, 10, ['203.0.113.10/24', '2001:db8:ffff::10/64']));
  const back = [FIRST, SECOND].map(
    ({ number, wan }) => `
    ip route add 192.168.${number}.0/24 via 203.0.113.${wan}
    ip route add 2001:db8:${number}::/64 via 2001:db8:ffff::${wan}`,
  );
  await internet.shell(back.join(''));
  await startPeerEcho(internet, ['tcp:7', 'udp:7', 'http:80']);
}

async function setUpRouter(lab: Lab, router: Host, { segment, number, wan, preference }: Way): Promise<void> {
  await router.shell(
    'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
  );
  await lab.plug(router, 'wan', cable('wan', 0, wan, [`203.0.113.${wan}/24`, `2001:db8:ffff::${wan}/64`]));
  await lab.plug(
    router,
    segment,
    cable('lan', number, 1, [`192.168.${number}.1/24`, `2001:db8:${number}::1/64`]),
  );
  await startRadvd(router, { ifname: 'lan', prefix: `2001:db8:${number}::/64`, preference });
  await startDnsmasq(router, {
    ifname: 'lan',
    range: [`192.168.${number}.100`, `192.168.${number}.199`],
    names: { 'internet.lab': STANDARD.internet.v4, 'router.lab': `192.168.${number}.1` },
  });
}

async function setUpNeighbour(lab: Lab, lanhost: Host): Promise<void> {
  await lab.plug(lanhost, 'lan', cable('eth0', 77, 20, ['192.168.77.20/24', '2001:db8:77::20/64']));
  await lanhost.shell('ip route add default via 192.168.77.1');
}

/** As a DHCP client and the kernel's own SLAAC would have it. */
async function setUpUplink(
  lab: Lab,
  host: Host,
  ifname: string,
  { segment, number, metric }: Way,
): Promise<void> {
  await lab.plug(host, segment, cable(ifname, number, 2, [`192.168.${number}.2/24`]));
  await host.shell(`ip route add default via 192.168.${number}.1 dev ${ifname} proto dhcp metric ${metric}`);
  await until(`${host.name} has an IPv6 address and default route on ${ifname}`, async () => {
    const routes = await host.ok('ip', ['-6', 'route', 'show', 'default', 'dev', ifname]);
    const addresses = await host.ok('ip', [
      '-6',
      'addr',
      'show',
      'dev',
      ifname,
      'scope',
      'global',
      '-tentative',
    ]);
    return routes.includes('via fe80:') && addresses.includes(`2001:db8:${number}:`);
  });
}

/** The MAC tells segment and host: 02:50:50:00:77:02 is host 2 of segment 77. */
function cable(ifname: string, segment: number, host: number, addresses: readonly string[]): Plug {
  const digits = (n: number): string => String(n).padStart(2, '0');
  return { ifname, mac: `02:50:50:00:${digits(segment)}:${digits(host)}`, addresses };
}
