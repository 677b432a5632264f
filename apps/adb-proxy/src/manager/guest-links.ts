import { causeChain, seconds, type Cancel, type Clock, type Logger } from '@pp/base';
import type { Bus, Signal } from '@pp/dbus';
import { decodeStrict, encode, type Messages } from '@pp/proto';

const MANAGER = { path: '/org/chromium/PatchPanel', interface: 'org.chromium.PatchPanel' };
const SERVICE = 'org.chromium.PatchPanel';
const AGAIN = seconds(5);

// patchpanel_service.proto, NetworkDevice.GuestType and NetworkDeviceChangedSignal.Event
const [TERMINA_VM, PLUGIN_VM] = [3, 4];
const DEVICE_ADDED = 1;

/** A link to a Linux VM, and the host's address on it. */
export interface GuestLink {
  readonly ifname: string;
  readonly address: string;
}

export interface GuestLinksParts {
  readonly bus: Pick<Bus, 'call' | 'subscribe' | 'watchName'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: () => void;
}

/** The manager's Termina and plugin VMs, through its restarts: while it is away, those that it told of last. */
export class GuestLinks {
  readonly #parts: GuestLinksParts;
  #links = new Map<string, GuestLink>(); // BOUNDED: by the manager's guests
  readonly #stops: (() => void)[] = []; // BOUNDED: two subscriptions
  #question: AbortController | undefined;
  #cancelAgain: Cancel = () => undefined;

  constructor(parts: GuestLinksParts) {
    this.#parts = parts;
  }

  get links(): readonly GuestLink[] {
    return [...this.#links.values()];
  }

  async start(): Promise<void> {
    const { bus } = this.#parts;
    const rule = { sender: SERVICE, ...MANAGER, member: 'NetworkDeviceChanged' };
    this.#stops.push(
      await bus.subscribe(rule, (signal) => {
        this.#hear(signal);
      }),
      await bus.watchName(SERVICE, (owner) => {
        this.#forgetQuestion();
        if (owner !== undefined) void this.#ask();
      }),
    );
  }

  /** Idempotent. */
  close(): void {
    this.#forgetQuestion();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #forgetQuestion(): void {
    this.#cancelAgain();
    this.#question?.abort();
    this.#question = undefined;
  }

  #hear({ body, signature }: Signal): void {
    const change =
      signature === 'ay' ? decodeStrict('NetworkDeviceChangedSignal', body[0] as Uint8Array) : undefined;
    if (change?.ok !== true || change.value.device === undefined) return;
    const { device, event } = change.value;
    // A listener hears one link, not its name: a link that was made again is told as gone first.
    if (this.#links.delete(device.ifname)) this.#parts.onChange();
    if (this.#question !== undefined) {
      this.#forgetQuestion(); // its answer may be older than this
      void this.#ask();
    } else if (event === DEVICE_ADDED) {
      this.#add(device);
      this.#parts.onChange();
    }
  }

  async #ask(): Promise<void> {
    const { bus, clock, log, onChange } = this.#parts;
    const question = new AbortController();
    this.#question = question;
    try {
      const { signal } = question;
      const call = { destination: SERVICE, ...MANAGER, member: 'GetDevices', signature: 'ay', signal };
      const { body } = await bus.call({ ...call, body: [encode('GetDevicesRequest', {})] });
      const answer = decodeStrict('GetDevicesResponse', body[0] as Uint8Array);
      if (!answer.ok) throw new Error(answer.sentence);
      if (question !== this.#question) return;
      this.#question = undefined;
      this.#links = new Map();
      for (const device of answer.value.devices) this.#add(device);
      onChange();
    } catch (fault) {
      if (question !== this.#question) return;
      log.warn('devices.no-answer', { error: causeChain(fault) });
      this.#cancelAgain = clock.after('adb.devices', AGAIN, () => {
        void this.#ask();
      });
    }
  }

  #add({ ifname, guestType, hostIpv4Addr }: Messages['NetworkDevice']): void {
    if (guestType !== TERMINA_VM && guestType !== PLUGIN_VM) return;
    this.#links.set(ifname, { ifname, address: dotted(hostIpv4Addr) });
  }
}

/** Network byte order in memory: the first byte is the lowest. */
const dotted = (address: number): string =>
  [0, 8, 16, 24].map((shift) => (address >>> shift) & 0xff).join('.');
