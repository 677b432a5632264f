import type { SeededRandom } from '@pp/base/testing';
import { releaseEnded } from '../usecases/release-ended';
import { connectNamespace } from '../usecases/connect-namespace';
import { createPortRule, deletePortRule } from '../usecases/modify-port-rule';
import { redirectDns } from '../usecases/redirect-dns';
import { startArc } from '../usecases/start-arc';
import { startVm } from '../usecases/start-vm';
import { neighborDetected, neighborLost, type NeighborEvent } from '../usecases/neighbor-events';
import type { DnsRule } from '../domain/dns-rules';
import { linksOf } from '../domain/guest';
import { withoutGuests, type World } from '../domain/world';
import { uplink } from './worlds';

/** `world` after something that clients or the host's network may do; the same world where it is refused. */
export function nextWorld(world: World, random: SeededRandom): World {
  const bytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, () => random.below(256));
  const owner = random.below(3) * 1000;
  const decision = random.pick([
    () =>
      connectNamespace(
        world,
        {
          client: random.below(4) === 0 ? null : { pid: 7, inode: random.below(20) },
          outboundDevice: '',
          routeOnVpn: random.below(2) === 0,
          allowUserTraffic: false,
          source: 'USER',
          owner,
          passedOver: 0,
          hasDefaultRoute: false,
        },
        bytes,
      ),
    () =>
      startVm(
        world,
        {
          kind: random.pick(['termina', 'plugin']),
          id: String(1 + random.below(5)),
          subnetIndex: 0,
          tapOwner: owner,
          owner,
        },
        bytes,
      ),
    () => startArc(world, { container: null, id: 3, tapOwner: owner, owner }, bytes),
    () => createPortRule(world, { rule: lockOf(random), owner }),
    () => deletePortRule(world, lockOf(random)),
    () => redirectDns(world, dnsOf(random, owner)),
    () => redirectDns(world, dnsOf(random, owner)),
    () => neighborDetected(world, someNeighbor(world, random)),
    () => neighborDetected(world, someNeighbor(world, random)),
    () => neighborLost(world, someNeighbor(world, random)),
    () => releaseEnded(world, someKeys(world, random)),
    () => ({ ok: true as const, value: { world: withoutGuests(world, someKeys(world, random)) } }),
    () => ({ ok: true as const, value: { world: { ...world, uplinks: someUplinks(random) } } }),
  ])();
  return decision.ok ? decision.value.world : world;
}

const lockOf = (random: SeededRandom): { type: 'lockdown'; protocol: 'tcp'; port: number } => ({
  type: 'lockdown',
  protocol: 'tcp',
  port: 1 + random.below(5),
});

/** For few purposes, so that they stand in each other's way. */
function dnsOf(random: SeededRandom, owner: number): DnsRule {
  const [family, proxy] = random.pick([
    ['ipv4', '10.0.0.1'],
    ['ipv6', 'fd00::1'],
  ] as const);
  const type = random.pick(['default', 'arc', 'user'] as const);
  return type === 'user'
    ? { type, family, proxy, nameservers: [], owner }
    : { type, family, proxy, ifname: `vmtap${random.below(2)}`, owner };
}

const someKeys = ({ guests, dnsRules }: World, random: SeededRandom): readonly string[] =>
  [...guests.keys(), ...dnsRules.keys()].filter(() => random.below(4) === 0);

/** Of few addresses, so that they move and are lost. */
function someNeighbor({ guests, uplinks }: World, random: SeededRandom): NeighborEvent {
  const links = [...guests.values()].flatMap(linksOf);
  const address = new Uint8Array(16);
  address.set([0x20, random.below(6)]);
  return {
    ifname: links[random.below(links.length + 1)] ?? 'none',
    upstream: uplinks[0]?.ifname ?? 'none',
    address,
  };
}

const someUplinks = (random: SeededRandom): World['uplinks'] =>
  [uplink('eth0', 'ethernet', 100), uplink('wlan0', 'wifi', 600)].filter(() => random.below(3) > 0);
