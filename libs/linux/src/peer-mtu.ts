import type { Op, Veth } from '@pp/datapath';
import { getLink, NetlinkClient, netlinkIn, setLink } from '@pp/netlink';
import type { Context } from './context';
import { outcomeOf } from './outcomes';

/**
 * The far ends of veths whose MTU was changed get the same: a frame that is larger than the receiving end allows vanishes without a
 * word. What cannot be reached any more needs none.
 */
export async function followMtu(context: Context, ops: readonly Op[]): Promise<void> {
  await Promise.all(ops.flatMap(resized).map((link) => outcomeOf(setPeer(context, link)))); // its owner may have renamed it, or set what it likes
}

const resized = (op: Op): readonly Veth[] =>
  op.do === 'link.set' && op.link.kind === 'veth' && op.link.mtu !== null && op.link.mtu !== op.was.mtu
    ? [op.link]
    : [];

async function setPeer({ native, netns }: Context, { peer, mtu }: Veth): Promise<void> {
  const fd = netns.open(peer.netns);
  const inside = new NetlinkClient(netlinkIn(native, 'route', fd));
  try {
    const { ifindex } = await inside.get(getLink(peer.ifname));
    await inside.request(setLink(ifindex, { mtu }));
  } finally {
    inside.close();
    native.closeFd(fd);
  }
}
