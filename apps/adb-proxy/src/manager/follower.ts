import type { Clock, Logger } from '@pp/base';
import type { Bus } from '@pp/dbus';
import { forwardingClient, type ForwardingArc, type ForwardingClient } from '@pp/forwarding';
import type { Config } from '../config';
import { desiredOf, isAllowed, type Desired } from './desired';
import { GuestLinks } from './guest-links';
import { Sideloading } from './sideloading';

export interface FollowerParts {
  readonly bus: Pick<Bus, 'call' | 'subscribe' | 'watchName'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: Config;
  readonly isDeveloperMode: boolean;
  readonly onDesired: (desired: Desired) => void;
}

/** Follows the manager and the session manager, and says what is to be relayed. */
export class Follower {
  readonly #parts: FollowerParts;
  readonly #sideloading: Sideloading;
  readonly #links: GuestLinks;
  #forwarding: ForwardingClient | undefined;
  #arc: ForwardingArc | null = null;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    const tell = (): void => {
      this.#tell();
    };
    this.#sideloading = new Sideloading({ ...parts, onAnswer: tell });
    this.#links = new GuestLinks({ ...parts, onChange: tell });
  }

  async start(): Promise<void> {
    const { bus, clock, log, config, isDeveloperMode } = this.#parts;
    if (config.allow === 'sideload' && !isDeveloperMode) await this.#sideloading.start();
    if (config.allow !== 'never') await this.#links.start();
    this.#forwarding = await forwardingClient({
      bus,
      clock,
      log,
      onChange: ({ arc }) => {
        this.#arc = arc;
        this.#tell();
      },
    });
  }

  /** Idempotent. */
  close(): void {
    this.#forwarding?.close();
    this.#links.close();
    this.#sideloading.close();
  }

  /** For the status. */
  get status(): object {
    const { config } = this.#parts;
    return {
      manager: this.#forwarding?.isCurrent === true ? 'told' : 'not there',
      android: arcText(this.#arc),
      allow: config.allow,
      allowed: isAllowed(config.allow, this.#facts),
      ...(config.allow === 'sideload'
        ? { developerMode: this.#parts.isDeveloperMode, sideloading: this.#sideloading.state }
        : {}),
    };
  }

  get #facts() {
    const { isDeveloperMode } = this.#parts;
    return { isDeveloperMode, isSideloading: this.#sideloading.isEnabled };
  }

  #tell(): void {
    this.#parts.onDesired(
      desiredOf(this.#parts.config, { ...this.#facts, arc: this.#arc, links: this.#links.links }),
    );
  }
}

function arcText(arc: ForwardingArc | null): string {
  if (arc === null) return 'does not run';
  return arc.kind === 'vm' ? `VM ${arc.cid}` : `container, pid ${arc.pid}`;
}
