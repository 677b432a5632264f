import type { LocalSources, TrafficSource } from '@pp/datapath';
import { uidsIn } from './accounts';

/** Users of the host whose traffic has a source of its own and wants the VPN (spec/patchpanel.md 3.2), beside the session's user. */
const USERS: readonly (readonly [string, TrafficSource])[] = [
  ['debugd', 'USER'],
  ['cups', 'USER'],
  ['lpadmin', 'USER'],
  ['kerberosd', 'SYSTEM'],
  ['kerberosd-exec', 'SYSTEM'],
  ['tlsdate', 'SYSTEM'],
  ['pluginvm', 'USER'],
  ['fuse-smbfs', 'SYSTEM'],
];

export interface FoundSources {
  readonly sources: LocalSources;
  /** Names that this host does not have. */
  readonly absent: readonly string[];
}

/** `accounts`: the text of /etc/passwd; `cgroups`: that of /proc/cgroups. One uid has one source: the first. */
export function localSourcesOf(accounts: string, cgroups: string, sessionUser: number | null): FoundSources {
  const uids = uidsIn(accounts);
  const users = new Map<number, TrafficSource>();
  if (sessionUser !== null) users.set(sessionUser, 'CHROME');
  for (const [name, source] of USERS) {
    const uid = uids.get(name);
    if (uid !== undefined && !users.has(uid)) users.set(uid, source);
  }
  return {
    sources: {
      users: [...users].map(([uid, source]) => ({ uid, source })),
      cgroup: /^net_cls\s/m.test(cgroups),
    },
    absent: USERS.map(([name]) => name).filter((name) => !uids.has(name)),
  };
}
