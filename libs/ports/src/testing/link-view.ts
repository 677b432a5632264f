import type { LinkView } from '../network-news';

/** A link that is up and runs, of no device. */
export const linkView = (
  ifindex: number,
  ifname: string,
  more: Partial<Omit<LinkView, 'ifindex' | 'ifname'>> = {},
): LinkView => ({
  ifindex,
  ifname,
  kind: null,
  type: 1,
  loopback: false,
  up: true,
  running: true,
  multicast: true,
  mtu: 1500,
  mac: `02:00:00:00:00:${ifindex.toString(16).padStart(2, '0')}`,
  physical: false,
  enslaved: false,
  ...more,
});
