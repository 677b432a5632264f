import type { HostIpv6 } from '@pp/ports';

/** Where the manager's inner interface is (proto/forwarding.proto). */
export const SERVICE = 'org.chromium.PatchPanel';
export const FORWARDING = {
  path: '/org/chromium/PatchPanel',
  interface: 'org.chromium.PatchPanel.Forwarding1',
} as const;

/** Programs that follow the manager; it runs them itself unless it is told otherwise. */
export const HELPERS = ['ndproxy', 'mcastfwd', 'bcast-fwd', 'adb-proxy', 'counters'] as const;

/** Those that have work on such a host: without IPv6 there are no neighbours to discover. */
export const helpersOn = (ipv6: HostIpv6): readonly (typeof HELPERS)[number][] =>
  HELPERS.filter((name) => name !== 'ndproxy' || ipv6 === 'on');
