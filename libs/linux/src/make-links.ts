import { KernelError } from '@pp/base';
import { describe, LINK_GROUP } from '@pp/datapath';
import type { Link, Op } from '@pp/datapath';
import { addLink, decodeReply, getLink } from '@pp/netlink';
import type { BatchResult, Link as SeenLink, NetlinkRequest, Query } from '@pp/netlink';
import type { Context } from './context';
import { kernelErrorOf } from './errors';
import { Held } from './held';
import type { Outcomes } from './outcomes';
import type { Spaces } from './spaces';

export type LinkOp = Extract<Op, { do: 'link.add' | 'link.del' }>;
export interface LinkStep {
  readonly at: number;
  readonly op: LinkOp;
}

/** What a new link needs is open. */
export interface HeldLink extends LinkStep {
  readonly held: Held;
}

/** A link that is there, but not yet up and without its alias. */
export interface MadeLink extends HeldLink {
  readonly ifindex: number;
  /** Of a veth's far end, in its namespace; null: there is none. */
  readonly peerIfindex: number | null;
}

export interface Making {
  readonly made: readonly MadeLink[];
  /** What has each name that was asked for, or why nothing has. */
  readonly found: ReadonlyMap<string, SeenLink | KernelError>;
}

/** Opens what a new link needs. Nothing, when that is refused. */
export function holdLink(
  context: Context,
  step: LinkStep,
  spaces: Spaces,
  outcomes: Outcomes,
): readonly HeldLink[] {
  const { op } = step;
  return outcomes.try(step, () => {
    try {
      return { ...step, held: new Held(context, op.link, spaces) };
    } catch (error) {
      const refused = kernelErrorOf(error, describe(op));
      // The kernel calls a TAP of that name busy; the door says the same of all kinds of links.
      if (op.link.kind === 'tap' && refused.code === 'EBUSY')
        throw new KernelError('EEXIST', refused.request);
      throw refused;
    }
  });
}

/** Makes links that are no TAPs, and looks up other names, in one datagram; what is refused is said in `outcomes`. Names namespaces meanwhile. */
export async function makeLinks(
  context: Context,
  links: readonly HeldLink[],
  names: readonly string[],
  spaces: Spaces,
  outcomes: Outcomes,
): Promise<Making> {
  const lookups = names.map((name) => ({ name, look: getLink(name) }));
  const groups = [...links.map(({ op, held }) => creation(op, held)), ...lookups.map(({ look }) => [look])];
  const sent = context.route.requestMany(groups.flat());
  spaces.name(outcomes);
  const answers = split(await sent, groups);
  const made = links.flatMap((link, index): readonly MadeLink[] => {
    const { tap } = link.held;
    if (tap !== null) return [{ ...link, ifindex: tap.ifindex, peerIfindex: null }];
    const seen = seenIn(lookAt(link.op), answers[index] ?? []);
    outcomes.refuseIf(link.at, seen);
    return seen instanceof KernelError ? [] : [{ ...link, ifindex: seen.ifindex, peerIfindex: seen.link }];
  });
  const found = lookups.map(
    ({ name, look }, index) => [name, seenIn(look, answers[links.length + index] ?? [])] as const,
  );
  return { made, found: new Map(found) };
}

const lookAt = (op: LinkOp): Query<SeenLink> => ({ ...getLink(op.link.ifname), label: () => describe(op) });

/** The link carries our group from its first moment, and a look shows its indexes. A TAP is there already. */
function creation(op: LinkOp, held: Held): readonly NetlinkRequest[] {
  const request = newLink(op.link, held);
  return request === null ? [] : [{ ...request, label: () => describe(op) }, lookAt(op)];
}

function newLink(link: Link, { netnsFd }: Held): NetlinkRequest | null {
  const { ifname, mac, mtu } = link;
  const common = { ifname, mac, group: LINK_GROUP };
  switch (link.kind) {
    case 'tap':
      return null;
    case 'bridge':
      return addLink({ ...common, kind: { name: 'bridge' } });
    case 'veth': {
      const peer = {
        ifname: link.peer.ifname,
        mac: link.peer.mac,
        mtu,
        ...(netnsFd === null ? {} : { netnsFd }),
      };
      return addLink({ ...common, mtu, kind: { name: 'veth', peer } });
    }
  }
}

/** What the look at the end showed, or the first refusal. */
function seenIn(look: Query<SeenLink>, answers: readonly BatchResult[]): SeenLink | KernelError {
  const refused = answers.find((answer) => answer instanceof KernelError);
  const last = answers.at(-1) ?? [];
  if (refused !== undefined || last instanceof KernelError)
    return refused ?? new KernelError('ENODEV', look.label());
  return decodeReply(look, last)[0] ?? new KernelError('ENODEV', look.label());
}

function split(
  results: readonly BatchResult[],
  groups: readonly (readonly unknown[])[],
): readonly (readonly BatchResult[])[] {
  let start = 0;
  return groups.map(({ length }) => results.slice(start, (start += length)));
}
