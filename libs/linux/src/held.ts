import type { Link } from '@pp/datapath';
import type { TunHandle } from '@pp/native';
import type { Context } from './context';
import type { Spaces } from './spaces';

/** What stays open until a new link is complete. */
export class Held {
  readonly #context: Context;
  /** The namespace of a veth's peer; open in `spaces`, or here. */
  readonly netnsFd: number | null;
  readonly #ownFd: number | null;
  /** A TAP is made by opening it, and goes with it until it is made persistent. */
  readonly tap: TunHandle | null;

  /** Throws what the addon throws. */
  constructor(context: Context, link: Link, spaces: Spaces) {
    const { native, inHost, netns } = context;
    this.#context = context;
    const shared = link.kind === 'veth' ? spaces.fdOf(link.peer.netns) : null;
    this.#ownFd = link.kind === 'veth' && shared === null ? netns.open(link.peer.netns) : null;
    this.netnsFd = shared ?? this.#ownFd;
    this.tap =
      link.kind === 'tap'
        ? inHost(() => native.openTun({ mode: 'tap', name: link.ifname, owner: link.owner }))
        : null;
  }

  /** Once. */
  close(): void {
    this.tap?.close();
    if (this.#ownFd !== null) this.#context.native.closeFd(this.#ownFd);
  }
}
