import { KernelError } from '@pp/base';
import { describe, LINK_GROUP } from '@pp/datapath';
import type { Op } from '@pp/datapath';
import type { TunHandle } from '@pp/native';
import { addLink, decodeReply, getLink } from '@pp/netlink';
import type { BatchResult, Link as SeenLink, NetlinkRequest, Query } from '@pp/netlink';
import type { Context } from './context';
import { kernelErrorOf } from './errors';
import type { Outcomes } from './outcomes';

export type LinkOp = Extract<Op, { do: 'link.add' | 'link.del' }>;
export interface LinkStep {
  readonly at: number;
  readonly op: LinkOp;
}

/** A link that is there, but not yet up and without its alias. What it holds must be released. */
export interface MadeLink extends LinkStep {
  readonly seen: SeenLink;
  readonly held: Held;
}

/** Descriptors that stay open until a link is complete. */
export interface Held {
  /** The namespace of a veth's peer. */
  readonly netnsFd?: number;
  /** A TAP goes with it until it is made persistent. */
  readonly tap?: TunHandle;
}

export interface Making {
  readonly made: readonly MadeLink[];
  /** ifindex of each name that was asked for, or why it has none. */
  readonly found: ReadonlyMap<string, number | KernelError>;
}

/** Makes the links and looks up other names, in one datagram. Whatever is refused is said in `outcomes`. */
export async function makeLinks(
  context: Context,
  steps: readonly LinkStep[],
  names: readonly string[],
  outcomes: Outcomes,
): Promise<Making> {
  const opened = steps.flatMap((step) => {
    const held = hold(context, step, outcomes);
    return held === null ? [] : [{ ...step, held, look: lookAt(step.op) }];
  });
  const lookups = names.map((name) => ({ name, look: getLink(name) }));
  const groups = [
    ...opened.map(({ op, held, look }) => [...creation(op, held), look]),
    ...lookups.map(({ look }) => [look]),
  ];
  const results = await context.route.requestMany(groups.flat());
  const answers = split(results, groups);
  const made = opened.flatMap((link, index): readonly MadeLink[] => {
    const seen = seenIn(link.look, answers[index] ?? []);
    if (!(seen instanceof KernelError)) return [{ at: link.at, op: link.op, held: link.held, seen }];
    outcomes.set(link.at, seen);
    release(context, link.held);
    return [];
  });
  const found = lookups.map(({ name, look }, index) => {
    const seen = seenIn(look, answers[opened.length + index] ?? []);
    return [name, seen instanceof KernelError ? seen : seen.ifindex] as const;
  });
  return { made, found: new Map(found) };
}

export function release({ native }: Context, { netnsFd, tap }: Held): void {
  if (netnsFd !== undefined) native.closeFd(netnsFd);
  tap?.close();
}

/** Opens what the new link needs; a TAP is made by opening it. null: refused. */
function hold(context: Context, { at, op }: LinkStep, outcomes: Outcomes): Held | null {
  try {
    return open(context, op);
  } catch (error) {
    const refused = kernelErrorOf(error, describe(op));
    // The kernel calls a TAP of that name busy; the door says the same of all kinds of links.
    const taken = op.link.kind === 'tap' && refused.code === 'EBUSY';
    outcomes.set(at, taken ? new KernelError('EEXIST', refused.request) : refused);
    return null;
  }
}

function open({ native, inHost, netns }: Context, { link }: LinkOp): Held {
  switch (link.kind) {
    case 'veth':
      return { netnsFd: netns.open(link.peer.netns) };
    case 'bridge':
      return {};
    case 'tap':
      return { tap: inHost(() => native.openTun({ mode: 'tap', name: link.ifname, owner: link.owner })) };
  }
}

const lookAt = (op: LinkOp): Query<SeenLink> => ({ ...getLink(op.link.ifname), label: describe(op) });

/** It carries our group from its first moment. A TAP is there already. */
function creation(op: LinkOp, { netnsFd }: Held): readonly NetlinkRequest[] {
  const { ifname, mac, mtu, kind } = op.link;
  const common = { ifname, mac, group: LINK_GROUP };
  switch (kind) {
    case 'tap':
      return [];
    case 'bridge':
      return [{ ...addLink({ ...common, kind: { name: 'bridge' } }), label: describe(op) }];
    case 'veth': {
      const peer = {
        ifname: op.link.peer.ifname,
        mac: op.link.peer.mac,
        mtu,
        ...(netnsFd === undefined ? {} : { netnsFd }),
      };
      return [{ ...addLink({ ...common, mtu, kind: { name: 'veth', peer } }), label: describe(op) }];
    }
  }
}

/** What the look at the end showed, or the first refusal. */
function seenIn(look: Query<SeenLink>, answers: readonly BatchResult[]): SeenLink | KernelError {
  const last = answers.at(-1) ?? [];
  const refused = answers.find((answer) => answer instanceof KernelError);
  if (refused !== undefined || last instanceof KernelError)
    return refused ?? new KernelError('ENODEV', look.label);
  return decodeReply(look, last)[0] ?? new KernelError('ENODEV', look.label);
}

function split(
  results: readonly BatchResult[],
  groups: readonly (readonly unknown[])[],
): readonly (readonly BatchResult[])[] {
  let start = 0;
  return groups.map(({ length }) => results.slice(start, (start += length)));
}
