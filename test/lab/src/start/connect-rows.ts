import type { ConnectedNamespace } from '../ctl';
import { namespaceOf } from '../process-table';
import type { Place } from '../place';
import { seenAs, startPeerEcho, UNWANTED } from '../services/peer-echo';
import { pings, reaches } from '../services/probes';
import { STANDARD } from '../standard-lab';
import { connectGuest, connectionOf, type Scene } from './scene';
import type { Row, Verdict } from './table';

const { internet, lanhost, host: uplink } = STANDARD;

/** What a connected namespace is good for, from connecting it on. */
export const CONNECT_ROWS: readonly Row<Scene>[] = [
  { name: 'namespace connected', check: namespaceConnected },
  { name: 'addresses and names as the API says', check: addressesAndNames },
  { name: 'ping to the Internet', check: pingToInternet },
  { name: 'TCP to the Internet through NAT', check: tcpThroughNat },
  { name: 'LAN neighbour cannot reach in unasked', check: neighbourKeptOut },
];

async function namespaceConnected(scene: Scene): Promise<Verdict> {
  const { namespace } = await connectGuest(scene);
  const name = (
    await scene.lab.host.shell(`stat -L -c 'net:[%i]' /run/netns/${namespace.netns_name}`)
  ).trim();
  const evidence = `pid ${scene.guest.pid} ${namespaceOf(scene.guest.pid, 'net') ?? 'gone'} is ${namespace.netns_name} ${name}`;
  return { ok: name === namespaceOf(scene.guest.pid, 'net'), evidence };
}

/** spec/patchpanel.md 2: the first connected namespace of a manager without a past. */
const FIRST_NAMESPACE: ConnectedNamespace = {
  netns_name: 'connected_netns_0',
  host_ifname: 'arc_ns0',
  peer_ifname: 'veth0',
  host_ipv4_address: '100.115.92.129',
  peer_ipv4_address: '100.115.92.130',
  ipv4_subnet: '100.115.92.128/30',
};

async function addressesAndNames(scene: Scene): Promise<Verdict> {
  const { namespace } = connectionOf(scene);
  const seen = {
    ...namespace,
    'address on the host': await addressesOf(scene.lab.host, namespace.host_ifname),
    'address in the namespace': await addressesOf(scene.guest, namespace.peer_ifname),
    'default route in the namespace': await defaultRouteOf(scene.guest),
  };
  const want: Record<keyof typeof seen, string> = {
    ...FIRST_NAMESPACE,
    'address on the host': '100.115.92.129/30',
    'address in the namespace': '100.115.92.130/30',
    'default route in the namespace': '100.115.92.129 dev veth0',
  };
  const keys = Object.keys(want) as (keyof typeof seen)[];
  const wrong = keys
    .filter((key) => seen[key] !== want[key])
    .map((key) => `${key}: ${seen[key]}, not ${want[key]}`);
  const evidence = `${namespace.host_ifname} ${seen['address on the host']} <-> ${namespace.peer_ifname} ${seen['address in the namespace']}`;
  return { ok: wrong.length === 0, evidence: [evidence, ...wrong].join('\n') };
}

async function addressesOf(place: Place, ifname: string): Promise<string> {
  const text = await place.ok('ip', ['-4', '-o', 'addr', 'show', 'dev', ifname]);
  return [...text.matchAll(/ inet (\S+)/g)].map(([, address]) => address).join(' ');
}

async function defaultRouteOf(place: Place): Promise<string> {
  const text = await place.ok('ip', ['-4', 'route', 'show', 'default']);
  return [...text.matchAll(/^default via (\S+ dev \S+)/gm)].map(([, route]) => route).join(' and ');
}

async function pingToInternet(scene: Scene): Promise<Verdict> {
  const { peer_ipv4_address } = connectionOf(scene).namespace;
  const ok = await reaches(scene.guest, internet.v4);
  return { ok, evidence: `${peer_ipv4_address} -> ${internet.v4} ${ok ? 'answered' : 'no answer'}` };
}

/** The Internet of the lab has no route to guests, and says by which address it sees a client. */
export async function tcpThroughNat(scene: Scene): Promise<Verdict> {
  const { peer_ipv4_address } = connectionOf(scene).namespace;
  const seen = await seenAs(scene.guest, internet.v4);
  const evidence = `${peer_ipv4_address} -> ${internet.v4} ${seen === undefined ? 'no answer' : `seen as ${seen}`}`;
  return { ok: seen === uplink.v4, evidence };
}

/** The neighbour knows the way, and the guest's server answers the host: only the host can be what keeps the neighbour out. */
async function neighbourKeptOut(scene: Scene): Promise<Verdict> {
  const { lab, guest } = scene;
  const { ipv4_subnet, peer_ipv4_address: address } = connectionOf(scene).namespace;
  const server = await startPeerEcho(guest, ['tcp:7']);
  await lab.lanhost.ok('ip', ['route', 'replace', ipv4_subnet, 'via', uplink.v4]);
  try {
    const [neighbourTcp, neighbourPing, knowsTheWay, hostTcp] = await Promise.all([
      seenAs(lab.lanhost, address, 7, UNWANTED),
      pings(lab.lanhost, address),
      reaches(lab.lanhost, uplink.v4),
      seenAs(lab.host, address),
    ]);
    const reached = [neighbourTcp === undefined ? [] : ['TCP'], neighbourPing ? ['ping'] : []].flat();
    const kept = `${lanhost.v4} -> ${address} ${reached.length === 0 ? 'no answer' : `answered to ${reached.join(' and ')}`}`;
    const control = `the host -> ${address} ${hostTcp === undefined ? 'no answer either' : `seen as ${hostTcp}`}`;
    const ok = reached.length === 0 && knowsTheWay && hostTcp !== undefined;
    return { ok, evidence: `${kept}; ${control}` };
  } finally {
    await server.stop();
    await lab.lanhost.ok('ip', ['route', 'del', ipv4_subnet]);
  }
}
