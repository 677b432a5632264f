/** What of the host guests need, and who else has a hand in it. */
import { desiredSysctls } from '@pp/datapath';
import { IPV6_WARNINGS } from '@pp/ports';
import type { Check } from './check';
import { clashes, sentenceFinding } from './clashes';
import type { Meddling } from './facts';
import { ok, problem, unseen, warning } from './finding';

export const tun: Check = ({ tunFault, lacking }) => {
  if (tunFault === 'EACCES' && lacking.length > 0)
    return [unseen('tun', { why: '/dev/net/tun is not for this user', denied: true })];
  switch (tunFault) {
    case null:
      return [ok('tun', '/dev/net/tun opens')];
    case 'ENOENT':
      return [
        problem(
          'tun',
          '/dev/net/tun is not there: VMs get no TAP',
          'load the module: modprobe tun; in a container, give it the device',
        ),
      ];
    default:
      return [
        problem(
          'tun',
          `/dev/net/tun does not open (${tunFault}): VMs get no TAP`,
          'run this as root; in a container, allow it the device 10:200',
        ),
      ];
  }
};

export const kernel: Check = ({ datapathFault }) => {
  if (!datapathFault.ok) return [unseen('kernel', datapathFault)];
  const fault = datapathFault.value;
  if (fault === null) return [ok('kernel', 'links, rules, sets and routes of guests can be made')];
  const advice = fault.includes('nft.load table inet patchpanel: ENOENT')
    ? 'install nft: apt-get install nftables'
    : 'use a kernel with veth, tun, nftables (nat, ct, fib) and policy routing, and load its modules';
  return [problem('kernel', `it refuses what guests need: ${fault}`, advice)];
};

export const ipv6: Check = ({ ipv6: state }) =>
  state === 'on'
    ? [ok('ipv6', 'this host has IPv6')]
    : IPV6_WARNINGS[state].map((sentence) => sentenceFinding('ipv6', sentence, 'guests have IPv4 alone'));

/** Why the manager wants a key so; the first that fits. */
const SYSCTLS: readonly { readonly key: RegExp; readonly means: string; readonly level: typeof problem }[] = [
  { key: /^net\.ipv4\.ip_forward$/, means: 'no IPv4 of guests is forwarded', level: problem },
  {
    key: /\.accept_ra$/,
    means: 'while it forwards, the host ignores router advertisements and loses its IPv6',
    level: problem,
  },
  { key: /forwarding$/, means: 'no IPv6 of guests is forwarded', level: problem },
  {
    key: /\.rp_filter$/,
    means: 'answers to guests that come in by this uplink may be dropped',
    level: warning,
  },
  {
    key: /^net\.ipv4\.ip_local_port_range$/,
    means: 'the host may take ports that belong to guests',
    level: warning,
  },
];

export const sysctls: Check = ({ sysctls: now, manager: told }) => {
  if (!told.ok)
    return [told.denied ? unseen('sysctls', told) : ok('sysctls', 'the manager sets them when it starts')];
  const changed = [...desiredSysctls({ uplinks: told.value.uplinks, originals: now })];
  if (changed.length === 0) return [ok('sysctls', 'all are as the manager set them')];
  return changed.map(([key, want]) => {
    const { means, level } = SYSCTLS.find((each) => each.key.test(key)) ?? OTHER_SYSCTL;
    const [is, shall] = [now.get(key) ?? '', want].map((value) => value.replaceAll('\t', ' '));
    return level(
      'sysctls',
      `somebody set ${key} to ${is}: ${means}`,
      `write sysctl -w ${key}='${shall}', and look for what changes it in /etc/sysctl.d`,
    );
  });
};

const OTHER_SYSCTL = { means: 'the manager wants it otherwise', level: warning };

export const network: Check = (facts) => {
  if (!facts.network.ok) return [unseen('network', facts.network)];
  const found = clashes(facts).map((sentence) =>
    sentenceFinding('network', sentence, 'keep one of them away from this host'),
  );
  return found.length > 0 ? found : [ok('network', "no address, route or mark is in guests' way")];
};

const HANDS_OFF: Readonly<Record<Meddling['program'], string>> = {
  NetworkManager:
    "write '[device-patchpanel]', 'match-device=interface-name:vmtap*;interface-name:arc*' and 'managed=0' to /etc/NetworkManager/conf.d/90-patchpanel.conf and restart it: systemctl restart NetworkManager",
  'systemd-networkd':
    "write '[Match]', 'Name=vmtap* arc*', '[Link]' and 'Unmanaged=yes' to /etc/systemd/network/05-patchpanel.network and reload it: networkctl reload",
  dhcpcd: "write 'denyinterfaces vmtap* arc*' to /etc/dhcpcd.conf and restart it",
};

export const meddlers: Check = ({ meddling }) =>
  meddling.length === 0
    ? [ok('managers', "no other program manages guests' links")]
    : meddling.map(({ program, ifname }) =>
        warning(
          'managers',
          `${program} manages ${ifname}, which is ours, and may change its addresses`,
          HANDS_OFF[program],
        ),
      );

/** From here on it is said. */
const CONNTRACK_HIGH = 0.8;

export const conntrack: Check = ({ conntrack: now }) => {
  if (now === null) return [ok('conntrack', 'no connections are tracked yet')];
  const { count, max } = now;
  const found = `${count} of ${max} connections are tracked`;
  const advice = `allow more: sysctl -w net.netfilter.nf_conntrack_max=${max * 2}`;
  if (count >= max) return [problem('conntrack', `${found}: new ones are dropped`, advice)];
  return [
    count > max * CONNTRACK_HIGH
      ? warning('conntrack', `${found}, almost all`, advice)
      : ok('conntrack', found),
  ];
};

export const reflector: Check = ({ avahiReflects, silentHelpers, manager: told }) => [
  avahiReflects && told.ok && !silentHelpers.includes('mcastfwd')
    ? warning(
        'reflector',
        'avahi-daemon reflects mDNS between interfaces, as mcastfwd does: names are announced twice and may be taken for conflicts',
        "write 'enable-reflector=no' to /etc/avahi/avahi-daemon.conf and restart it",
      )
    : ok('reflector', 'nobody else reflects mDNS'),
];
