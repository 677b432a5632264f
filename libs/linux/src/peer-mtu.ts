import type { Veth } from '@pp/datapath';
import { getLink, NetlinkClient, netlinkIn, setLink } from '@pp/netlink';
import type { Context } from './context';
import { outcomeOf } from './outcomes';
import type { Step } from './runs';

/**
 * The far ends of veths whose MTU was changed get the same: a frame that is larger than the receiving end allows vanishes without a
 * word. What cannot be reached any more needs none.
 */
export async function followMtu(context: Context, resized: readonly Veth[]): Promise<void> {
  await Promise.all(resized.map((link) => outcomeOf(setPeer(context, link)))); // its owner may have renamed it, or set what it likes
}

/** Veths whose MTU these steps change. */
export function resizedIn(steps: readonly Step[]): readonly Veth[] {
  const resized: Veth[] = []; // BOUNDED: by `steps`
  for (const { op } of steps) {
    if (op.do !== 'link.set' || op.link.kind !== 'veth') continue;
    if (op.link.mtu !== null && op.link.mtu !== op.was.mtu) resized.push(op.link);
  }
  return resized;
}

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
