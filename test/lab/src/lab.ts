import { basename } from 'node:path';
import { makeGuest, makeHost, type Guest, type Host } from './host';
import { clearLab, LAB_VARIABLE, makeLabDirectory, sweepDeadLabs } from './lab-directory';
import type { Place } from './place';
import { passesFrames } from './services/links';

/** One end of a cable into a segment. */
export interface Plug {
  readonly ifname: string;
  readonly mac: string;
  /** With prefix length; usable at once, without duplicate address detection. */
  readonly addresses: readonly string[];
}

/**
 * A private world of namespaces that act as hosts, joined by bridges in a namespace of their own: the machine's own network
 * namespace sees nothing of it. What is started in it ends with it, and with the process that opened it.
 */
export class Lab {
  readonly directory: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #hosts = new Map<string, Host>(); // BOUNDED: by the hosts a test makes
  readonly #segments = new Map<string, Promise<unknown>>(); // BOUNDED: by the segments a test names
  #switch: Promise<Host> | undefined;
  #cables = 0;
  #closed = false;

  private constructor(directory: string) {
    this.directory = directory;
    this.#env = { [LAB_VARIABLE]: basename(directory) };
  }

  /** Opens an empty lab, and first clears what a killed run has left. Needs root, or `unshare -Urnm` around it. */
  static async open(): Promise<Lab> {
    await sweepDeadLabs();
    return new Lab(makeLabDirectory());
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** Adds a host with loopback and nothing else. */
  async host(name: string): Promise<Host> {
    this.#assertOpen();
    if (this.#hosts.has(name)) throw new Error(`the lab has a host ${name} already`);
    const host = await makeHost(this.directory, name, this.#env);
    this.#hosts.set(name, host);
    return host;
  }

  /** Adds a process with a network namespace of its own on `host`. */
  async guest(host: Host, name: string): Promise<Guest> {
    this.#assertOpen();
    return makeGuest(host, name, this.#env);
  }

  /** Connects `host` to a segment (an Ethernet switch, made when first named) by a new interface, and brings it up; frames pass when it resolves. */
  async plug(host: Place, segment: string, { ifname, mac, addresses }: Plug): Promise<void> {
    const ethernet = await (this.#switch ??= this.#makeSwitch());
    const port = `port${this.#cables++}`;
    const made = this.#segments.get(segment) ?? addSegment(ethernet, segment);
    this.#segments.set(segment, made);
    await made;
    await ethernet.shell(`
      ip link add ${port} type veth peer name ${ifname} address ${mac} netns ${host.pid}
      ip link set ${port} master ${segment} up`);
    const assign = addresses.map(
      (each) => `ip addr add ${each} dev ${ifname} ${each.includes(':') ? 'nodad' : ''}`,
    );
    await host.shell([...assign, `ip link set ${ifname} up`].join('\n'));
    await Promise.all([passesFrames(ethernet, port), passesFrames(host, ifname)]);
  }

  /** Ends every process of the lab and removes its files; idempotent. Nothing is left afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    await clearLab(this.directory);
  }

  /** A holder made after `close` would have nobody to end it. */
  #assertOpen(): void {
    if (this.#closed) throw new Error('the lab is closed');
  }

  async #makeSwitch(): Promise<Host> {
    const ethernet = await makeHost(this.directory, 'switch', this.#env);
    await ethernet.shell('for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done');
    return ethernet;
  }
}

/** No querier in the lab: with snooping on, a bridge would lose what nobody has asked for. */
async function addSegment(ethernet: Host, name: string): Promise<void> {
  await ethernet.shell(
    `ip link add ${name} type bridge stp_state 0 mcast_snooping 0; ip link set ${name} up`,
  );
}
