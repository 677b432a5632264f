import type { Finding } from '../finding';
import type { FaultRow } from './fault-row';

const listed =
  (...objects: readonly object[]): FaultRow['change'] =>
  (setting) => ({
    ...setting,
    host: { ...setting.host, ruleset: JSON.stringify({ nftables: [{ metainfo: {} }, ...objects] }) },
  });

const base = (family: string, table: string, name: string, policy: string): object => ({
  chain: { family, table, name, handle: 1, type: 'filter', hook: 'forward', prio: 0, policy },
});
const jumped = (family: string, table: string, name: string): object => ({
  chain: { family, table, name, handle: 1 },
});
const rule = (
  family: string,
  table: string,
  chain: string,
  handle: number,
  ...expr: readonly object[]
): object => ({
  rule: { family, table, chain, handle, expr },
});
const iif = (name: string): object => ({
  match: { op: '==', left: { meta: { key: 'iifname' } }, right: name },
});
const oif = (name: string): object => ({
  match: { op: '==', left: { meta: { key: 'oifname' } }, right: name },
});
const STATES = { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } };
const DNAT = { match: { op: 'in', left: { ct: { key: 'status' } }, right: 'dnat' } };
const ICMP = { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'icmp' } };
const DNS = { match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 53 } };
const SHARED_ADDRESSES = {
  match: {
    op: '==',
    left: { payload: { protocol: 'ip', field: 'saddr' } },
    right: { prefix: { addr: '100.64.0.0', len: 10 } },
  },
};
const ACCEPT = { accept: null };

const found = (chain: string, by: string, advice: string): Finding => ({
  level: 'problem',
  name: 'firewall',
  found: `chain ${chain} drops packets from vmtap0 to eth0 by ${by}, and no accept of ours can overrule that`,
  advice,
});
const commands = (chain: string, links = 'vmtap'): string =>
  `nft insert rule ${chain} iifname '"${links}*"' accept && nft insert rule ${chain} oifname '"${links}*"' accept`;
const insert = (chain: string): string => `let guests through: ${commands(chain)}`;
const UFW = 'let guests through: ufw route allow in on vmtap+ && ufw route allow out on vmtap+';
const DOCKER =
  'let guests through: iptables -I DOCKER-USER -i vmtap+ -j ACCEPT && iptables -I DOCKER-USER -o vmtap+ -j ACCEPT';

/** A table with that base chain, by nft(8). */
function load(chain: string, policy: string, ...rules: readonly string[]): string {
  const [family = '', table = ''] = chain.split(' ');
  return [
    `nft add table ${family} ${table}`,
    `nft 'add chain ${chain} { type filter hook forward priority 0; policy ${policy}; }'`,
    ...rules.map((each) => `nft 'add rule ${chain} ${each}'`),
  ].join('\n');
}

/** What other firewalls do with forwarded packets. */
export const FIREWALL_ROWS: readonly FaultRow[] = [
  {
    name: 'a forward chain that drops by its policy',
    change: listed(base('ip', 'filter', 'FORWARD', 'drop')),
    want: [found('FORWARD of table ip filter', 'its policy', insert('ip filter FORWARD'))],
    lab: {
      comes: load('ip filter FORWARD', 'drop'),
      goes: 'nft delete table ip filter',
    },
  },
  {
    name: "Docker's",
    change: listed(
      base('ip', 'filter', 'FORWARD', 'drop'),
      jumped('ip', 'filter', 'DOCKER-USER'),
      rule('ip', 'filter', 'FORWARD', 2, { counter: {} }, { jump: { target: 'DOCKER-USER' } }),
      rule('ip', 'filter', 'FORWARD', 3, iif('docker0'), ACCEPT),
      rule('ip', 'filter', 'FORWARD', 4, { xt: { type: 'match', name: 'conntrack' } }, ACCEPT),
      rule('ip', 'filter', 'DOCKER-USER', 5, { counter: {} }, { return: null }),
    ),
    want: [found('FORWARD of table ip filter', 'its policy', DOCKER)],
    lab: {
      needs: '/usr/sbin/iptables-nft',
      comes: `iptables-nft -N DOCKER-USER; iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -j DOCKER-USER
        iptables-nft -A FORWARD -i docker0 -j ACCEPT; iptables-nft -A DOCKER-USER -j RETURN
        iptables-nft -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      goes: 'nft delete table ip filter',
    },
  },
  {
    name: "Docker's, told to let guests through",
    change: listed(
      base('ip', 'filter', 'FORWARD', 'drop'),
      jumped('ip', 'filter', 'DOCKER-USER'),
      rule('ip', 'filter', 'FORWARD', 2, { jump: { target: 'DOCKER-USER' } }),
      rule('ip', 'filter', 'DOCKER-USER', 5, oif('vmtap*'), ACCEPT),
      rule('ip', 'filter', 'DOCKER-USER', 6, iif('vmtap*'), ACCEPT),
    ),
    want: [],
    lab: {
      needs: '/usr/sbin/iptables-nft',
      comes: `iptables-nft -N DOCKER-USER; iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -j DOCKER-USER
        iptables-nft -I DOCKER-USER -i vmtap+ -j ACCEPT && iptables-nft -I DOCKER-USER -o vmtap+ -j ACCEPT`,
      goes: 'nft delete table ip filter',
    },
  },
  {
    name: "ufw's, which lets pings through",
    change: listed(
      base('ip', 'filter', 'FORWARD', 'drop'),
      jumped('ip', 'filter', 'ufw-before-forward'),
      rule('ip', 'filter', 'FORWARD', 2, { jump: { target: 'ufw-before-forward' } }),
      rule('ip', 'filter', 'ufw-before-forward', 3, { xt: { type: 'match', name: 'conntrack' } }, ACCEPT),
      rule(
        'ip',
        'filter',
        'ufw-before-forward',
        4,
        ICMP,
        { xt: { type: 'match', name: 'icmp' } },
        { counter: {} },
        ACCEPT,
      ),
      rule('ip', 'filter', 'ufw-before-forward', 5, DNS, ACCEPT),
    ),
    want: [found('FORWARD of table ip filter', 'its policy', UFW)],
  },
  {
    name: 'guests of both kinds are dropped',
    change: (setting) => {
      const { host } = listed(base('ip', 'filter', 'FORWARD', 'drop'))(setting);
      const own = ['vmtap0', 'arc_ns0', 'arc_eth0'].map((ifname, i) => ({ ifname, ifindex: 7 + i }));
      return { ...setting, host: { ...host, network: { ...host.network, own } } };
    },
    want: [
      found(
        'FORWARD of table ip filter',
        'its policy',
        `${insert('ip filter FORWARD')} && ${commands('ip filter FORWARD', 'arc')}`,
      ),
    ],
  },
  {
    name: "firewalld's, which rejects what it has no zone for by a last rule",
    change: listed(
      base('inet', 'firewalld', 'filter_FORWARD', 'accept'),
      jumped('inet', 'firewalld', 'filter_FORWARD_POLICIES'),
      rule('inet', 'firewalld', 'filter_FORWARD', 2, STATES, ACCEPT),
      rule('inet', 'firewalld', 'filter_FORWARD', 3, DNAT, ACCEPT),
      rule('inet', 'firewalld', 'filter_FORWARD', 4, { jump: { target: 'filter_FORWARD_POLICIES' } }),
      rule('inet', 'firewalld', 'filter_FORWARD', 5, { reject: { type: 'icmpx', expr: 'admin-prohibited' } }),
      rule('inet', 'firewalld', 'filter_FORWARD_POLICIES', 6, iif('virbr0'), { goto: { target: 'none' } }),
    ),
    want: [
      found(
        'filter_FORWARD of table inet firewalld',
        'its rule with handle 5',
        "give guests' links to a zone that forwards: firewall-cmd --permanent --zone=trusted --add-interface=vmtap+ && firewall-cmd --reload",
      ),
    ],
    lab: {
      comes: load(
        'inet firewalld filter_FORWARD',
        'accept',
        'ct state established,related accept',
        'ct status dnat accept',
        'iifname virbr0 accept',
        'reject with icmpx admin-prohibited',
      ),
      goes: 'nft delete table inet firewalld',
    },
  },
  {
    name: 'rules for what the doctor does not know may accept',
    change: listed(
      base('ip', 'filter', 'FORWARD', 'drop'),
      rule(
        'ip',
        'filter',
        'FORWARD',
        2,
        {
          match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '100.115.92.26' },
        },
        ACCEPT,
      ),
    ),
    want: [
      {
        level: 'warning',
        name: 'firewall',
        found:
          'chain FORWARD of table ip filter drops packets from vmtap0 to eth0 by its policy, unless one of its rules accepts them',
        advice: insert('ip filter FORWARD'),
      },
    ],
    lab: {
      comes: load('ip filter FORWARD', 'drop', 'ip saddr 100.115.92.26 accept'),
      goes: 'nft delete table ip filter',
    },
  },
  {
    name: 'rules for what the doctor does not know may lead past the drop',
    change: listed(
      base('ip', 'filter', 'FORWARD', 'accept'),
      jumped('ip', 'filter', 'DOCKER-USER'),
      rule('ip', 'filter', 'FORWARD', 2, { jump: { target: 'DOCKER-USER' } }),
      rule(
        'ip',
        'filter',
        'DOCKER-USER',
        3,
        {
          match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '100.115.92.26' },
        },
        { return: null },
      ),
      rule('ip', 'filter', 'DOCKER-USER', 4, { drop: null }),
    ),
    want: [
      {
        level: 'warning',
        name: 'firewall',
        found:
          'chain FORWARD of table ip filter drops packets from vmtap0 to eth0 by its rule with handle 4 in DOCKER-USER, unless one of its rules accepts them',
        advice: DOCKER,
      },
    ],
  },
  {
    name: "what drops guests' addresses, as Tailscale does on the way into its tunnel",
    change: listed(
      base('ip', 'filter', 'FORWARD', 'accept'),
      jumped('ip', 'filter', 'ts-forward'),
      rule('ip', 'filter', 'FORWARD', 6, { jump: { target: 'ts-forward' } }),
      rule('ip', 'filter', 'ts-forward', 2, oif('eth0'), SHARED_ADDRESSES, { drop: null }),
      rule('ip', 'filter', 'ts-forward', 3, oif('eth0'), ACCEPT),
    ),
    want: [
      found(
        'FORWARD of table ip filter',
        'its rule with handle 2 in ts-forward',
        insert('ip filter FORWARD'),
      ),
    ],
    lab: {
      needs: '/usr/sbin/iptables-nft',
      comes: `iptables-nft -N ts-forward; iptables-nft -A ts-forward -o eth0 -s 100.64.0.0/10 -j DROP
        iptables-nft -A ts-forward -o eth0 -j ACCEPT; iptables-nft -A FORWARD -j ts-forward`,
      goes: 'nft delete table ip filter',
    },
  },
  {
    name: 'only answers are dropped',
    change: listed(
      base('inet', 'mine', 'forward', 'drop'),
      rule('inet', 'mine', 'forward', 2, {
        vmap: {
          key: { ct: { key: 'state' } },
          data: {
            set: [
              ['new', ACCEPT],
              ['invalid', { drop: null }],
            ],
          },
        },
      }),
    ),
    want: [
      {
        level: 'problem',
        name: 'firewall',
        found:
          'chain forward of table inet mine drops packets from eth0 to vmtap0 by its policy, and no accept of ours can overrule that',
        advice: insert('inet mine forward'),
      },
    ],
    lab: {
      comes: load('inet mine forward', 'drop', 'ct state vmap { new : accept, invalid : drop }'),
      goes: 'nft delete table inet mine',
    },
  },
  {
    name: 'ours, a bridge’s, and one that accepts',
    change: listed(
      base('inet', 'patchpanel', 'forward', 'drop'),
      base('bridge', 'filter', 'FORWARD', 'drop'),
      base('inet', 'filter', 'forward', 'accept'),
    ),
    want: [],
  },
  {
    name: 'iptables-legacy',
    change: (setting) => ({
      ...setting,
      host: {
        ...setting.host,
        files: {
          ...setting.host.files,
          '/proc/net/ip_tables_names': 'nat\nfilter\n',
          '/proc/net/ip6_tables_names': 'filter\n',
        },
      },
    }),
    want: ['iptables', 'ip6tables'].map((program) => ({
      level: 'warning',
      name: 'firewall',
      found: `${program}-legacy has a filter table, which nft does not show`,
      advice: `see that its FORWARD chain accepts guests: ${program}-legacy -S FORWARD; else let guests through: ${program}-legacy -I FORWARD -i vmtap+ -j ACCEPT && ${program}-legacy -I FORWARD -o vmtap+ -j ACCEPT`,
    })),
  },
  {
    name: 'a listing that nobody understands',
    change: (setting) => ({ ...setting, host: { ...setting.host, ruleset: '{"nftables":7}' } }),
    want: [
      {
        level: 'warning',
        name: 'firewall',
        found: 'cannot be looked at: nft lists the rules in a way that this program does not know',
        advice: 'mend what is said above',
      },
    ],
  },
];
