import { describe, LINK_GROUP } from '@pp/datapath';
import type { Bridge, Op, Veth } from '@pp/datapath';
import { addLink } from '@pp/netlink';
import type { JobPart, NetlinkRequest } from '@pp/netlink';
import type { Context } from './context';
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
  readonly held: Pick<Held, 'netnsFd' | 'close'>;
}

/** It is known by what ifindex the link will be known. */
export interface NumberedLink extends HeldLink {
  readonly ifindex: number;
  /** Of a veth's far end, in its namespace. */
  readonly peerIfindex: number;
}

/** Opens what a new link needs. Nothing, when that is refused. */
export const holdLink = (
  context: Context,
  step: LinkStep,
  spaces: Spaces,
  outcomes: Outcomes,
): readonly HeldLink[] =>
  outcomes.try(step, () => ({ at: step.at, op: step.op, held: new Held(context, step.op.link, spaces) }));

export const numbered = ({ ifindexes }: Context, link: HeldLink): NumberedLink => ({
  at: link.at,
  op: link.op,
  held: link.held,
  ifindex: ifindexes.take(link.op.link.kind === 'bridge' ? 'bridge' : 'guest'),
  peerIfindex: link.op.link.kind === 'veth' ? ifindexes.take('guest') : 0,
});

/** A veth and a bridge carry our group from their first moment. */
export function creation(link: NumberedLink): JobPart {
  const label = (): string => describe(link.op);
  const { op, ifindex } = link;
  if (op.link.kind !== 'tap') return { requests: [relabelled(newLink(op.link, link), label)], netnsFd: null };
  const { ifname: name, owner } = op.link;
  return { tap: { name, owner, ifindex }, label };
}

/** The request as a part of something larger, which its label names. Field by field, as all that each guest needs: a spread takes V8 longer. */
export const relabelled = (
  { type, flags, body }: NetlinkRequest,
  label: NetlinkRequest['label'],
): NetlinkRequest => ({ label, type, flags, body });

/** As many as a veth uses. */
const QUEUES = 1;

function newLink(
  link: Veth | Bridge,
  { held: { netnsFd }, ifindex, peerIfindex }: NumberedLink,
): NetlinkRequest {
  const { ifname, mac, mtu, multicast } = link;
  const group = LINK_GROUP;
  if (link.kind === 'bridge') {
    // It has one port, and the kernel would remember as many addresses as the guest makes up, without end.
    const kind = { name: 'bridge', learns: false } as const;
    return addLink({ ifname, ifindex, mac, multicast, group, kind });
  }
  const peer = {
    ifname: link.peer.ifname,
    ifindex: peerIfindex,
    mac: link.peer.mac,
    multicast: link.peer.multicast,
    mtu,
    queues: QUEUES,
    netnsFd,
  };
  const kind = { name: 'veth', peer } as const;
  return addLink({ ifname, ifindex, mac, multicast, group, mtu, queues: QUEUES, kind });
}
