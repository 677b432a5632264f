import { onHost, problem, warning, withSysctl } from './changes';
import type { FaultRow } from './fault-row';

const otherLink = (ifname: string, cidr?: string): FaultRow['change'] =>
  onHost(({ network: { view, own } }) => ({
    network: {
      own,
      view: {
        ...view,
        links: [...view.links, ...view.links.slice(0, 1).map((link) => ({ ...link, ifname, ifindex: 9 }))],
        addresses: [...view.addresses, ...(cidr === undefined ? [] : [{ ifindex: 9, cidr }])],
      },
    },
  }));

/** Networks and marks of others, and the table of connections. */
export const NETWORK_ROWS: readonly FaultRow[] = [
  {
    name: "an address among guests'",
    change: otherLink('other', '100.115.92.200/24'),
    want: [
      warning(
        'network',
        "the address 100.115.92.200/24 of other lies in guests' 100.115.92.0/23: guests and hosts there may not reach each other",
        'give that network other addresses',
      ),
    ],
    lab: {
      comes:
        'ip link add other type bridge; ip address add 100.115.92.200/24 dev other; ip link set other up',
      goes: 'ip link del other',
    },
  },
  {
    name: 'another program that looks at our bits of the mark',
    change: onHost(({ network: { view, own } }) => ({
      network: {
        own,
        view: { ...view, markRules: [{ family: 'ipv4', priority: 5210, value: 0x80000, mask: 0xff0000 }] },
      },
    })),
    want: [
      warning(
        'network',
        "rule 5210 of another program looks for mark 0x00080000 in 0x00ff0000 of which 0xffffff01 are ours: one may lead the other's packets astray",
        'keep one of them away from this host',
      ),
    ],
    lab: {
      comes: 'ip rule add fwmark 0x80000/0xff0000 lookup main priority 5210',
      goes: 'ip rule del priority 5210',
    },
  },
  {
    name: 'a program that is known to use them',
    change: otherLink('tailscale0'),
    want: [
      warning(
        'network',
        "Tailscale is here and marks packets in 0x00ff0000 of which 0xffffff01 are ours: one may lead the other's packets astray",
        'keep one of them away from this host',
      ),
    ],
    lab: { comes: 'ip link add tailscale0 type bridge', goes: 'ip link del tailscale0' },
  },
  {
    name: 'all connections that may be tracked are',
    change: withSysctl('net.netfilter.nf_conntrack_count', '262144'),
    want: [
      problem(
        'conntrack',
        '262144 of 262144 connections are tracked: new ones are dropped',
        'allow more: sysctl -w net.netfilter.nf_conntrack_max=524288',
      ),
    ],
  },
  {
    name: 'almost all',
    change: withSysctl('net.netfilter.nf_conntrack_count', '250000'),
    want: [
      warning(
        'conntrack',
        '250000 of 262144 connections are tracked, almost all',
        'allow more: sysctl -w net.netfilter.nf_conntrack_max=524288',
      ),
    ],
  },
];
