import { accept, refuse, type Checked } from '@pp/base';
import type { DesiredGroup, DesiredGroups } from './desired-groups';
import { Status } from './status';

interface Held {
  readonly members: Set<string>;
  upstream: string | null;
}

const GROUP_NAME = /^[\w-]{1,64}$/;
const IFNAME = /^[^\s/:]{1,15}$/;
const MAX_GROUPS = 256;
const MAX_INTERFACES = 1024;

/**
 * Groups as operators make them: interfaces are bound, and each is in at most one group. Interfaces need not exist yet. What Portier's API
 * calls its results are the codes; BOUNDED by the two maxima.
 */
export class GroupRegistry implements DesiredGroups {
  readonly #groups = new Map<string, Held>();
  /** Bound interfaces, and the group of each. */
  readonly #interfaces = new Map<string, string | null>();
  #onGroups: (groups: readonly DesiredGroup[]) => void = () => undefined;

  /** `initial`: what the command line says. */
  constructor(initial: readonly DesiredGroup[] = []) {
    for (const { name, upstream, downstreams } of initial) {
      const members = [...(upstream === null ? [] : [upstream]), ...downstreams];
      this.#groups.set(name, { members: new Set(members), upstream });
      for (const ifname of members) this.#interfaces.set(ifname, name);
    }
  }

  start(onGroups: (groups: readonly DesiredGroup[]) => void): void {
    this.#onGroups = onGroups;
    onGroups(this.groups);
  }

  get groups(): readonly DesiredGroup[] {
    return [...this.#groups].map(([name, { members, upstream }]) => ({
      name,
      upstream,
      downstreams: [...members].filter((ifname) => ifname !== upstream),
    }));
  }

  bindInterface(ifname: string): Status {
    if (!IFNAME.test(ifname) || ifname === 'lo')
      return Status.of('INVALID_ARGUMENT', `'${ifname}' cannot be proxied; name an Ethernet interface`);
    if (this.#interfaces.has(ifname)) return Status.of('ALREADY_EXISTS', `'${ifname}' is bound already`);
    if (this.#interfaces.size >= MAX_INTERFACES)
      return Status.of('RESULT_UNAVAILABLE', 'too many interfaces');
    this.#interfaces.set(ifname, null);
    return Status.ok;
  }

  releaseInterface(ifname: string): Status {
    if (!this.#interfaces.has(ifname)) return notBound(ifname);
    this.#take(ifname);
    this.#interfaces.delete(ifname);
    return this.#changed();
  }

  createGroup(name: string): Status {
    const checked = checkedGroupName(name);
    if (!checked.ok) return Status.of('INVALID_ARGUMENT', checked.sentence);
    if (this.#groups.has(name)) return Status.of('ALREADY_EXISTS', `group '${name}' is there already`);
    if (this.#groups.size >= MAX_GROUPS) return Status.of('RESULT_UNAVAILABLE', 'too many groups');
    this.#groups.set(name, { members: new Set(), upstream: null });
    return this.#changed();
  }

  releaseGroup(name: string): Status {
    const group = this.#groups.get(name);
    if (group === undefined) return noGroup(name);
    for (const ifname of group.members) this.#interfaces.set(ifname, null);
    this.#groups.delete(name);
    return this.#changed();
  }

  /** In the group already: nothing happens, but that it may become upstream. */
  addToGroup(ifname: string, name: string, asUpstream: boolean): Status {
    const home = this.#interfaces.get(ifname);
    const group = this.#groups.get(name);
    if (home === undefined) return notBound(ifname);
    if (group === undefined) return noGroup(name);
    if (home !== null && home !== name)
      return Status.of('ALREADY_EXISTS', `'${ifname}' is in group '${home}'`);
    this.#interfaces.set(ifname, name);
    group.members.add(ifname);
    if (asUpstream) group.upstream = ifname;
    return this.#changed();
  }

  /** RESULT_UNAVAILABLE: it was in no group, and nothing was done. */
  removeFromGroup(ifname: string): Status {
    const home = this.#interfaces.get(ifname);
    if (home === undefined) return notBound(ifname);
    if (home === null) return Status.of('RESULT_UNAVAILABLE', `'${ifname}' is in no group`);
    this.#take(ifname);
    return this.#changed();
  }

  /** It takes the place of the group's upstream, which becomes a downstream. RESULT_UNAVAILABLE: it is in no group. */
  setUpstream(ifname: string): Status {
    const home = this.#interfaces.get(ifname);
    if (home === undefined) return notBound(ifname);
    const group = home === null ? undefined : this.#groups.get(home);
    if (group === undefined) return Status.of('RESULT_UNAVAILABLE', `'${ifname}' is in no group`);
    group.upstream = ifname;
    return this.#changed();
  }

  unsetUpstream(name: string): Status {
    const group = this.#groups.get(name);
    if (group === undefined) return noGroup(name);
    group.upstream = null;
    return this.#changed();
  }

  #take(ifname: string): void {
    const home = this.#interfaces.get(ifname);
    const group = home === undefined || home === null ? undefined : this.#groups.get(home);
    group?.members.delete(ifname);
    if (group?.upstream === ifname) group.upstream = null;
    this.#interfaces.set(ifname, null);
  }

  #changed(): Status {
    this.#onGroups(this.groups);
    return Status.ok;
  }
}

/** The name that a group has, or is to have. */
export const checkedGroupName = (name: string): Checked<string> =>
  GROUP_NAME.test(name)
    ? accept(name)
    : refuse('InvalidArgument', `'${name}' cannot be a group; write letters, digits, _ and -`);

const notBound = (ifname: string): Status =>
  Status.of('DOES_NOT_EXIST', `interface '${ifname}' is not bound`);
const noGroup = (name: string): Status => Status.of('DOES_NOT_EXIST', `there is no group '${name}'`);
