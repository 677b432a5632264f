import { isIpv6Forwarding } from '@pp/datapath';
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

export function forwardedPortsOf({ portRules }: Pick<World, 'portRules'>): readonly ForwardedPort[] {
  const ports: ForwardedPort[] = [];
  portRules.forEach(({ rule }) => {
    if (rule.type !== 'forwarding' || isIpv6Forwarding(rule)) return;
    ports.push({
      upstream: rule.ifname,
      protocol: PROTOCOLS[rule.protocol],
      port: rule.port,
      address: rule.to.address,
      targetPort: rule.to.port,
    });
  });
  return ports;
}
