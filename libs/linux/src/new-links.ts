import { KernelError } from '@pp/base';
import { describe, LINK_GROUP } from '@pp/datapath';
import type { Link, Op } from '@pp/datapath';
import { addLink } from '@pp/netlink';
import type { NetlinkRequest } from '@pp/netlink';
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
  readonly held: Pick<Held, 'netnsFd' | 'tap' | 'close'>;
}

/** It is known by what ifindex the link will be known; that of a TAP is its own already. */
export interface NumberedLink extends HeldLink {
  readonly ifindex: number;
  /** Of a veth's far end, in its namespace. */
  readonly peerIfindex: number;
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

export const numbered = ({ ifindexes }: Context, link: HeldLink): NumberedLink => ({
  ...link,
  ifindex: link.held.tap?.ifindex ?? ifindexes.take(link.op.link.kind === 'bridge' ? 'bridge' : 'veth'),
  peerIfindex: link.op.link.kind === 'veth' ? ifindexes.take('veth') : 0,
});

/** The link carries our group from its first moment. A TAP is there already. */
export function creation(link: NumberedLink): readonly NetlinkRequest[] {
  const request = newLink(link.op.link, link);
  return request === null ? [] : [{ ...request, label: () => describe(link.op) }];
}

/** As many as a veth uses. */
const QUEUES = 1;

function newLink(
  link: Link,
  { held: { netnsFd }, ifindex, peerIfindex }: NumberedLink,
): NetlinkRequest | null {
  const { ifname, mac, mtu, multicast } = link;
  const common = { ifname, ifindex, mac, multicast, group: LINK_GROUP };
  switch (link.kind) {
    case 'tap':
      return null;
    case 'bridge':
      return addLink({ ...common, kind: { name: 'bridge' } });
    case 'veth': {
      const peer = {
        ifname: link.peer.ifname,
        ifindex: peerIfindex,
        mac: link.peer.mac,
        multicast: link.peer.multicast,
        mtu,
        queues: QUEUES,
        ...(netnsFd === null ? {} : { netnsFd }),
      };
      return addLink({ ...common, mtu, queues: QUEUES, kind: { name: 'veth', peer } });
    }
  }
}
