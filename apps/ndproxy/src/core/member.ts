import { millis, TokenBucket, type Millis } from '@pp/base';
import type { Limits } from './limits';

export type Role = 'upstream' | 'downstream';

/** An interface of a group that is there and up. */
export interface MemberLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly role: Role;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /**
   * A link without Ethernet (PPP, TUN, raw cellular): only routers are at its other end, and nobody has a link-layer address. Its frames
   * lie behind an Ethernet header all the same, which means nothing.
   */
  readonly isPointToPoint?: boolean;
  /** A guest is at its other end, and no switch that would have to know which groups are heard here. */
  readonly isDirect?: boolean;
}

/** RFC 4389 §6: nothing passes a downstream before two advertisements were sent there, in which another proxy would recognise us. */
export interface Gate {
  isOpen: boolean;
  adverts: number;
  /** When the advertisement is to be sent again; Infinity: not. */
  repeatAt: number;
  /** It opens then, unless an advertisement comes before. */
  opensAt: number;
}

/** Of a mark: the shortest nonce, RFC 3971 §5.3.2. */
export const MARK_BYTES = 6;

/** A member and what the group remembers of it. */
export class Member {
  link: MemberLink;
  readonly gate: Gate;
  readonly routerSolicits: TokenBucket;
  /** Of our questions there: on other segments nobody knows it. See lookForDetours. */
  readonly mark: Uint8Array;
  /** Of questions of ours for what is asked, or sent to, from here: who asks for much holds up nobody else's segment. */
  readonly solicits: TokenBucket;
  /** Our link-local address there, once it is usable. */
  linkLocal: Uint8Array | null = null;
  /** One of our addresses there that reaches beyond the link. */
  global: Uint8Array | null = null;
  disabledUntil = -Infinity;
  received = 0;
  sent = 0;

  constructor(link: MemberLink, mark: Uint8Array, limits: Limits, now: Millis) {
    this.link = link;
    this.mark = mark;
    this.routerSolicits = new TokenBucket(limits.routerSolicitsPerSecond, now);
    this.solicits = new TokenBucket(limits.solicitsPerSecond, now);
    this.gate = {
      isOpen: link.role === 'upstream',
      adverts: 0,
      repeatAt: Infinity,
      opensAt: millis(now + limits.gateQuiet),
    };
  }

  isDisabled(now: Millis): boolean {
    return now < this.disabledUntil;
  }

  /** Messages may pass. */
  isOpen(now: Millis): boolean {
    return this.isGateOpen(now) && !this.isDisabled(now);
  }

  /** Once open it stays open. */
  isGateOpen(now: Millis): boolean {
    if (now >= this.gate.opensAt) this.gate.isOpen = true;
    return this.gate.isOpen;
  }
}
