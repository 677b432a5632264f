import { isIpv6Forwarding } from '@pp/datapath';
import type { Change } from './change';
import type { OwnedPortRule } from './port-rules';
import type { World } from './world';

/** A port of an uplink that leads to a guest over IPv4, as helpers are told: over IPv6 a guest answers for itself. */
export interface ForwardedPort {
  readonly upstream: string;
  /** IPPROTO_TCP or IPPROTO_UDP (linux/in.h). */
  readonly protocol: number;
  readonly port: number;
  readonly address: string;
  readonly targetPort: number;
}

const PROTOCOLS = { tcp: 6, udp: 17 } as const;

export const forwardedPortsOf = ({ portRules }: Pick<World, 'portRules'>): readonly ForwardedPort[] =>
  [...portRules.values()].flatMap(portsOf);

/** What a change of the world does to the ports; rules that it does not touch are passed over. */
export const forwardedPortsChange = (from: World, to: World): Change<ForwardedPort> => ({
  removed: portsOnlyOf(from, to),
  added: portsOnlyOf(to, from),
});

/** Two rules may have the same port, for they differ in the address that is asked for. */
const portsOnlyOf = (world: World, other: World): readonly ForwardedPort[] =>
  world.portRules
    .beside(other.portRules)
    .flatMap(([, owned]) => portsOf(owned))
    .filter((port) => !other.held.ports.has(forwardedPortText(port)));

export const forwardedPortText = ({ upstream, protocol, port, address, targetPort }: ForwardedPort): string =>
  `forwarded ${upstream} ${protocol} ${port} ${address} ${targetPort}`;

/** Of one rule: one, or none. */
export function portsOf({ rule }: OwnedPortRule): readonly ForwardedPort[] {
  if (rule.type !== 'forwarding' || isIpv6Forwarding(rule)) return [];
  const { ifname: upstream, protocol, port, to } = rule;
  return [{ upstream, protocol: PROTOCOLS[protocol], port, address: to.address, targetPort: to.port }];
}
