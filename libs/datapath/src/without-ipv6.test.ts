import { namespacePart } from './parts/namespace';
import { uplinksPart } from './parts/uplinks';
import type { Part } from './desired';
import { routeText, ruleText, sysctlText } from './text';
import { withoutIpv6 } from './without-ipv6';

const UPLINK = {
  ifname: 'eth0',
  ifindex: 2,
  kind: 'ethernet',
  addresses: ['192.0.2.2/24'],
  defaults: [{ family: 'ipv4', gateway: '192.0.2.1', metric: 100 }],
  routes: [{ family: 'ipv4', dst: '192.0.2.0/24', gateway: null, src: null, metric: 0 }],
} as const;

const NAMESPACE = {
  number: 0,
  subnet: '100.115.92.128/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: null,
  egress: { kind: 'default' },
  source: 'UNKNOWN',
  allowUserTraffic: false,
  forceForwarding: true,
} as const;

/** All that has a family. */
const textsOf = ({ routes, rules, linkSysctls }: Part): readonly string[] => [
  ...routes.map(routeText),
  ...rules.map(ruleText),
  ...linkSysctls.map(sysctlText),
];

test.each([
  { name: 'uplinks', part: uplinksPart([UPLINK]) },
  { name: 'a namespace', part: namespacePart(NAMESPACE) },
])('$name: what is of IPv6 is left out, and all else stays', ({ part }) => {
  const all = textsOf(part);
  const ofIpv4 = all.filter((text) => !/ipv6|::/.test(text));
  expect(ofIpv4.length).toBeLessThan(all.length);
  expect(ofIpv4).not.toEqual([]);
  expect(textsOf(withoutIpv6(part))).toEqual(ofIpv4);
  const { links, addresses, elements, netns } = part;
  expect(withoutIpv6(part)).toMatchObject({ links, addresses, elements, netns });
});
