import { SharedMap } from '@pp/base';
import { namespacePart, uplinksPart, type Desired } from '@pp/datapath';

export const UPLINK = {
  ifname: 'eth0',
  ifindex: 2,
  kind: 'ethernet',
  addresses: ['192.0.2.10/24'],
  defaults: [],
  routes: [],
} as const;

/** arc_ns0's. */
export const GUEST_PART = namespacePart({
  number: 0,
  subnet: '100.115.92.128/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: null,
  egress: { kind: 'default' },
  source: 'SYSTEM',
  allowUserTraffic: false,
  forceForwarding: false,
});

/** Of an uplink and a namespace. */
export const wanted: Desired = {
  shape: { uplinks: [UPLINK], guestPrefixes: ['100.115.92.0/23'] },
  sysctls: new Map(),
  parts: SharedMap.of([
    ['uplinks', uplinksPart([UPLINK])],
    ['namespace/0', GUEST_PART],
  ]),
};
