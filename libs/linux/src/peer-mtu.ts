import { KernelError } from '@pp/base';
import type { Op, Veth } from '@pp/datapath';
import { getLink, NetlinkClient, netlinkIn, setLink } from '@pp/netlink';
import type { Context } from './context';
import { isSystemError } from './errors';

/**
 * The far ends of veths whose MTU was changed get the same: a frame that is larger than the receiving end allows vanishes without a
 * word. What cannot be reached any more needs none.
 */
export async function followMtu(context: Context, ops: readonly Op[]): Promise<void> {
  await Promise.all(ops.flatMap(resized).map((link) => setPeer(context, link)));
}

const resized = (op: Op): readonly Veth[] =>
  op.do === 'link.set' && op.link.kind === 'veth' && op.link.mtu !== null && op.link.mtu !== op.was.mtu
    ? [op.link]
    : [];

async function setPeer({ native, netns }: Context, { peer, mtu }: Veth): Promise<void> {
  let fd: number;
  try {
    fd = netns.open(peer.netns);
  } catch (error) {
    if (isSystemError(error)) return;
    throw error;
  }
  const inside = new NetlinkClient(netlinkIn(native, 'route', fd));
  try {
    const { ifindex } = await inside.get(getLink(peer.ifname));
    await inside.request(setLink(ifindex, { mtu }));
  } catch (error) {
    if (!(error instanceof KernelError)) throw error; // its owner may have renamed it, or set what it likes
  } finally {
    inside.close();
    native.closeFd(fd);
  }
}
