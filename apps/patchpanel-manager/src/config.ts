import { existsSync, readFileSync } from 'node:fs';
import { accept, checkedAll, checkedEach, refuse, type Checked } from '@pp/base';
import { choice, VERSION, type RawArgs, type ServiceSpec } from '@pp/daemon';
import { HELPERS } from '@pp/forwarding';
import { checkedStore, STORE_EXAMPLE } from '@pp/state';
import { ARC_BRIDGE, extraPool, isIfname, POOL_KINDS, poolsWith, type Pools } from '@pp/datapath';
import { uidsIn } from './domain/accounts';
import { localSourcesOf, type FoundSources } from './domain/local-sources';
import { UPLINK_KINDS, type UplinkKind } from './domain/uplink';
import type { UplinkChoice } from './feeds/uplinks';

export interface Config {
  /** Empty: uplinks are found. */
  readonly uplinks: readonly UplinkChoice[];
  readonly pools: Pools;
  readonly onExit: 'clean' | 'keep';
  /** uid that guests' TAPs belong to; null: the caller's. */
  readonly tapOwner: number | null;
  readonly helpers: 'spawn' | 'none';
  /** The store that counters deliver into, as it was written; null: everything stays on this host. */
  readonly state: string | null;
  /** uid of the person in front of the host; null: there is no such user. */
  readonly sessionUser: number | null;
  readonly local: FoundSources;
  /** Uplinks whose gateways and name servers are watched. */
  readonly monitor: 'wifi' | 'all';
  /** Who says what is an uplink. */
  readonly network: 'rtnetlink' | 'shill';
}

export const SERVICE_SPEC: ServiceSpec<Config> = {
  name: 'patchpanel-manager',
  version: VERSION,
  description:
    'Gives the guests of this host (namespaces, containers, VMs) their network; D-Bus service org.chromium.PatchPanel.',
  options: [
    {
      flags: '--uplink <IF[=KIND]>',
      text: `interface to the outside, KIND ${UPLINK_KINDS.join(', ')}; awaited if absent; default: interfaces with a default route, and physical ones`,
      repeat: true,
    },
    {
      flags: '--pool <KIND=CIDR>',
      text: `more addresses behind the built-in ones, KIND ${POOL_KINDS.join(', ')}; e.g. namespace=10.80.0.0/16`,
      repeat: true,
    },
    {
      flags: '--on-exit <MODE>',
      text: 'clean (default): leave the host as it was; keep: leave guests for the next start',
    },
    {
      flags: '--helpers <MODE>',
      text: `spawn (default): run those of ${HELPERS.join(', ')} that lie beside this program, and again when they end; none: they are started by others`,
    },
    {
      flags: '--state <STORE>',
      text: `file (default): everything stays in files of this host; or what counters deliver their sums into for a fleet, e.g. ${STORE_EXAMPLE}`,
    },
    {
      flags: '--tap-owner <USER>',
      text: "user, by name or number, that may open guests' TAPs; default: whoever asks for the guest",
    },
    {
      flags: '--network <WHO>',
      text: 'rtnetlink (default): uplinks are told from the kernel; shill: by the connection manager org.chromium.flimflam',
    },
    {
      flags: '--monitor <WHICH>',
      text: 'wifi (default): tell clients whether gateways and name servers on wifi links are reachable; all: of all uplinks',
    },
    {
      flags: '--session-user <USER>',
      text: 'the person in front of the host, by name or number: the only one who reaches locked ports, and whose own traffic follows the VPN and its lockdown; default: chronos, and nobody where there is none',
    },
  ],
  notes: 'DBUS_SYSTEM_BUS_ADDRESS chooses the bus. Run as root, or with NET_ADMIN, SYS_ADMIN and NET_RAW.',
  parse: (raw) => configOf(raw, textOf('/etc/passwd'), textOf('/proc/cgroups')),
};

const textOf = (path: string) => (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** `accounts`: the text of /etc/passwd; `cgroups`: that of /proc/cgroups. */
export function configOf(
  raw: RawArgs,
  accounts: () => string,
  cgroups: () => string = () => '',
): Checked<Config> {
  const checked = checkedAll({
    uplinks: uplinksOf(raw.all('uplink')),
    pools: poolsOf(raw.all('pool')),
    onExit: choice(raw, 'on-exit', ['clean', 'keep'], 'clean'),
    helpers: choice(raw, 'helpers', ['spawn', 'none'], 'spawn'),
    state: stateOf(raw.one('state')),
    tapOwner: userOf('--tap-owner', raw.one('tap-owner'), accounts),
    sessionUser: userOf('--session-user', raw.one('session-user'), accounts),
    monitor: choice(raw, 'monitor', ['wifi', 'all'], 'wifi'),
    network: choice(raw, 'network', ['rtnetlink', 'shill'], 'rtnetlink'),
  });
  if (!checked.ok) return checked;
  const { network, uplinks, helpers, state } = checked.value;
  if (network === 'shill' && uplinks.length > 0)
    return refuse('InvalidArgument', '--network shill names the uplinks itself: leave --uplink out');
  if (helpers === 'none' && state !== null)
    return refuse(
      'InvalidArgument',
      '--state is for the counters that the manager runs: with --helpers none give it to counters instead',
    );
  const sessionUser = checked.value.sessionUser ?? uidsIn(accounts()).get(CHRONOS) ?? null;
  return accept({ ...checked.value, sessionUser, local: localSourcesOf(accounts(), cgroups(), sessionUser) });
}

function poolsOf(texts: readonly string[]): Checked<Pools> {
  const extra = checkedEach(texts, extraPool);
  return extra.ok ? poolsWith(extra.value) : extra;
}

/** The guests' world itself is always in a file: it must be durable before the kernel is changed, whatever the network does. */
function stateOf(text = 'file'): Checked<string | null> {
  if (text === 'file') return accept(null);
  const store = checkedStore(text);
  return store.ok ? accept(text) : refuse(store.reason, `--state: ${store.sentence}, or file`);
}

/** The person in front of a Chromebook. */
const CHRONOS = 'chronos';

/** The one above means nobody in particular (chown(2)). Directories (LDAP, AD) give out uids of ten digits, and their users are not in /etc/passwd. */
const MAX_UID = 2 ** 32 - 2;

/** null: `user` is not given. */
function userOf(flag: string, user: string | undefined, accounts: () => string): Checked<number | null> {
  if (user === undefined) return accept(null);
  if (/^\d{1,10}$/.test(user) && Number(user) <= MAX_UID) return accept(Number(user));
  const uid = uidsIn(accounts()).get(user);
  if (uid !== undefined) return accept(uid);
  return refuse(
    'InvalidArgument',
    `${flag} '${user}' is no user of this host; write a name of /etc/passwd or a uid`,
  );
}

function uplinksOf(texts: readonly string[]): Checked<readonly UplinkChoice[]> {
  const choices = checkedEach(texts, uplinkChoice);
  if (!choices.ok) return choices;
  const names = choices.value.map(({ ifname }) => ifname);
  const twice = names.find((ifname, i) => names.indexOf(ifname) !== i);
  return twice === undefined
    ? choices
    : refuse('InvalidArgument', `--uplink names '${twice}' twice; write it once`);
}

/** "eth0" or "eth0=wifi". */
function uplinkChoice(text: string): Checked<UplinkChoice> {
  const [ifname = '', kind, ...more] = text.split('=');
  if (!isIfname(ifname) || ifname === 'lo') {
    return refuse(
      'InvalidArgument',
      `--uplink '${text}': '${ifname}' cannot be an uplink; write an interface name such as eth0`,
    );
  }
  if (kind === undefined) return accept({ ifname, kind: null });
  if (ifname === ARC_BRIDGE && kind !== 'vpn') {
    return refuse(
      'InvalidArgument',
      `--uplink '${text}': ${ARC_BRIDGE} leads to Android, which can be the host's VPN only; write ${ARC_BRIDGE}=vpn`,
    );
  }
  if (!isUplinkKind(kind) || more.length > 0) {
    return refuse(
      'InvalidArgument',
      `--uplink '${text}': after the = write one of ${UPLINK_KINDS.join(', ')}`,
    );
  }
  return accept({ ifname, kind });
}

const isUplinkKind = (text: string): text is UplinkKind => (UPLINK_KINDS as readonly string[]).includes(text);
