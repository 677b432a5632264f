import type { Link } from '@pp/datapath';
import type { Context } from './context';
import type { Spaces } from './spaces';

/** What stays open until a new link is complete. */
export class Held {
  readonly #context: Context;
  /** The namespace of a veth's peer; open in `spaces`, or here. */
  readonly netnsFd: number | null;
  readonly #ownFd: number | null;

  constructor(context: Context, link: Link, spaces: Spaces) {
    this.#context = context;
    const shared = link.kind === 'veth' ? spaces.fdOf(link.peer.netns) : null;
    this.#ownFd = link.kind === 'veth' && shared === null ? context.netns.open(link.peer.netns) : null;
    this.netnsFd = shared ?? this.#ownFd;
  }

  /** Once. */
  close(): void {
    if (this.#ownFd !== null) this.#context.native.closeFd(this.#ownFd);
  }
}
