import { encode, stringAttribute, u16host, u32host, u8 } from '../codec/parts';
import { NLM_F_CREATE, NLM_F_REPLACE } from '../codec/message';
import type { NetlinkRequest } from '../request';
import { RTM_NEWQDISC } from './types';

// linux/rtnetlink.h, linux/pkt_sched.h
const TCA_KIND = 1;
const TC_H_ROOT = 0xffffffff;

/**
 * Hands what leaves by the link to its driver at once. For a link that is down: one that is up waits for the kernel's readers first.
 * EOPNOTSUPP where the kernel has no queueing disciplines.
 */
export const withoutQueue = (ifindex: number): NetlinkRequest => ({
  label: () => `qdisc.replace #${ifindex} noqueue`,
  type: RTM_NEWQDISC,
  flags: NLM_F_CREATE | NLM_F_REPLACE,
  // struct tcmsg: u8 family, u8 pad, u16 pad, s32 ifindex, u32 handle, u32 parent, u32 info
  body: encode(
    u8(0, 0),
    u16host(0),
    u32host(ifindex),
    u32host(0),
    u32host(TC_H_ROOT),
    u32host(0),
    stringAttribute(TCA_KIND, 'noqueue'),
  ),
});
