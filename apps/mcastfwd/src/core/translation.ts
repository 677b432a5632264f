import { BoundedMap } from '@pp/base';
import {
  addressLength,
  DnsType,
  labelsOf,
  nameAt,
  nameKey,
  type DnsScan,
  type NameKey,
  type WireName,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import type { MdnsMessage } from './mdns-message';
import type { MessageEdit } from './message-edit';
import { OnLink } from './on-link';
import type { Policy, PortForward } from './policy';
import { addressOfReverse, endsWithArpa, reverseName } from './reverse-name';
import { rewriteTxt } from './txt';
import type { Exit, Segment, Topology } from './topology';

/** BOUNDED: names of guests' hosts whose address the LAN does not know. */
const MAX_NAMES = 4096;

/** One address and the other that stands for it on the other side. */
type Swap = (address: Uint8Array) => Uint8Array | null;

/**
 * Addresses of guests behind the host's own (NAT): on the LAN the host's address stands for them, towards guests theirs for it. Which
 * guest is meant by the host's address is known by the name that goes with it.
 */
export class Translation {
  #policy: Policy;
  #inside = new OnLink([]);
  /** The address behind a name, in each family, as a LAN was told it. */
  readonly #names = new BoundedMap<string, Uint8Array>(MAX_NAMES, () => undefined);
  /** The address that was heard last by a guest's interface, in each family. */
  readonly #last = new Map<string, Uint8Array>(); // BOUNDED: by the interfaces

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  update(policy: Policy, topology: Topology): void {
    this.#policy = policy;
    const guests = [...topology.segments.values()].filter(({ ifindex }) => topology.guests.has(ifindex));
    this.#inside = new OnLink(guests);
    for (const key of this.#last.keys())
      if (!topology.segments.has(Number(key.slice(1)))) this.#last.delete(key);
  }

  /** Whether an address is one of a guest behind NAT. */
  isInside(address: Uint8Array): boolean {
    return this.#isTranslated(address.length) && this.#inside.has(address);
  }

  /** The forward that leads from an interface's address to a guest's port; the last one that was told counts. */
  forwardTo(
    lan: string,
    protocol: PortForward['protocol'],
    guest: string,
    guestPort: number,
  ): PortForward | undefined {
    return this.#policy.forwards.findLast(
      (each) =>
        each.guestPort === guestPort && each.guest === guest && each.protocol === protocol && isOn(each, lan),
    );
  }

  /** Whether anything but addresses may have to be changed in a message. */
  mayConcern(hasReverse: boolean, hasRecords: boolean): boolean {
    const { nat, forwards, txtKeys } = this.#policy;
    return nat.length > 0 && (hasReverse || (hasRecords && forwards.length + txtKeys.length > 0));
  }

  /** Whether anything of a message may have to be changed on this way. */
  concerns(message: MdnsMessage, { way, segment }: Exit, ingress: Segment | undefined): boolean {
    if (way === 'between-guests' || this.#policy.nat.length === 0) return false;
    if (this.mayConcern(message.hasReverse, message.hasRecords)) return true;
    const lan = way === 'to-lan' ? segment : ingress;
    return message.addresses.some(({ entry }) => {
      const address = dataOf(message.scan, entry);
      return way === 'to-lan' ? this.isInside(address) : isSame(address, lan?.own[familyOf(address.length)]);
    });
  }

  /** Guest to LAN: what must be changed goes into `edit`. A reason: some address has nothing that could stand for it. */
  outwards(scan: DnsScan, edit: MessageEdit, { segment: lan, guest }: Exit): DropReason | null {
    const outside: Swap = (address) => (this.isInside(address) ? lan.own[familyOf(address.length)] : address);
    let lacking: DropReason | null = null;
    for (let entry = scan.questions; entry < scan.entries; entry++) {
      const length = addressLength(scan.type(entry));
      if (length === 0 || edit.isDropped(entry)) continue;
      const address = dataOf(scan, entry);
      if (!this.isInside(address)) continue;
      this.#note(lan, nameKey(nameAt(scan.bytes, scan.name(entry))), guest.ifindex, address.slice());
      const own = lan.own[familyOf(length)];
      if (own !== null) edit.patch(scan.rdata(entry), own);
      else {
        edit.drop(entry);
        lacking = 'no-lan-address';
      }
    }
    this.#reverse(scan, edit, outside);
    this.#services(scan, edit, lan, 'outwards');
    rewriteTxt(scan, edit, this.#policy.txtKeys, outside);
    return lacking;
  }

  /** LAN to guest: the host's address is that of the guest who has the name. */
  inwards(scan: DnsScan, edit: MessageEdit, { guest }: Exit, lan: Segment | undefined): void {
    for (let entry = scan.questions; entry < scan.entries; entry++) {
      const length = addressLength(scan.type(entry));
      if (length === 0 || !this.#isTranslated(length)) continue;
      if (lan === undefined || !isSame(dataOf(scan, entry), lan.own[familyOf(length)])) continue;
      const known = this.#addressOf(lan, nameKey(nameAt(scan.bytes, scan.name(entry))), length);
      if (known !== undefined) edit.patch(scan.rdata(entry), known);
    }
    const inside: Swap = (address) =>
      isSame(address, lan?.own[familyOf(address.length)])
        ? (this.#last.get(`${address.length === 4 ? 4 : 6}${guest.ifindex}`) ?? address)
        : address;
    this.#reverse(scan, edit, inside);
    if (lan !== undefined) this.#services(scan, edit, lan, 'inwards');
  }

  #isTranslated(length: number): boolean {
    return this.#policy.nat.includes(familyOf(length));
  }

  #note(lan: Segment, name: NameKey, ifindex: number, address: Uint8Array): void {
    const family = address.length === 4 ? 4 : 6;
    this.#names.set(`${family}${lan.ifindex} ${name}`, address);
    this.#last.set(`${family}${ifindex}`, address);
  }

  #addressOf(lan: Segment, name: NameKey, length: number): Uint8Array | undefined {
    return this.#names.get(`${length === 4 ? 4 : 6}${lan.ifindex} ${name}`);
  }

  /** Reverse names change their length, and others may share their ending: all of them are written anew. */
  #reverse(scan: DnsScan, edit: MessageEdit, swap: Swap): void {
    const isThere = Array.from({ length: scan.entries }, (_, entry) => entry).some((entry) =>
      endsWithArpa(scan.bytes, scan.name(entry)),
    );
    if (!isThere) return;
    const swapped = (name: WireName): WireName => {
      const address = addressOfReverse(name);
      if (address === null || !this.#isTranslated(address.length)) return name;
      const other = swap(address);
      return other === null || other === address ? name : reverseName(other);
    };
    let isChanged = false;
    for (let entry = 0; entry < scan.entries; entry++) {
      const name = nameAt(scan.bytes, scan.name(entry));
      if (swapped(name) === name) continue;
      isChanged = true;
      // One address stands for many: the others' records of this name must not be flushed (RFC 6762 §10.2).
      if (entry >= scan.questions)
        edit.patch(scan.classAt(entry), Uint8Array.of((scan.u16(scan.classAt(entry)) >> 8) & 0x7f));
    }
    if (isChanged) edit.rename(swapped);
  }

  /** SRV ports, where a forward leads to the guest's port. */
  #services(scan: DnsScan, edit: MessageEdit, lan: Segment, way: 'outwards' | 'inwards'): void {
    if (this.#policy.forwards.length === 0) return;
    for (let entry = scan.questions; entry < scan.entries; entry++) {
      if (scan.type(entry) !== DnsType.SRV || scan.rdataLength(entry) === 0) continue;
      const rdata = scan.rdata(entry);
      const guest = this.#addressOf(lan, nameKey(nameAt(scan.bytes, rdata + 6)), 4);
      if (guest === undefined) continue;
      const port = this.#portOf(scan, entry, lan, guest.join('.'), scan.u16(rdata + 4), way);
      if (port !== undefined) edit.patch(rdata + 4, Uint8Array.of(port >> 8, port & 0xff));
    }
  }

  #portOf(
    scan: DnsScan,
    entry: number,
    { ifname: lan }: Segment,
    guest: string,
    port: number,
    way: 'outwards' | 'inwards',
  ): number | undefined {
    const labels = labelsOf(nameAt(scan.bytes, scan.name(entry))).map((label) =>
      String.fromCharCode(...label),
    );
    const protocol = labels.some((label) => label.toLowerCase() === '_udp') ? 'udp' : 'tcp';
    if (way === 'outwards') return this.forwardTo(lan, protocol, guest, port)?.hostPort;
    return this.#policy.forwards.find(
      (each) =>
        each.protocol === protocol && each.guest === guest && each.hostPort === port && isOn(each, lan),
    )?.guestPort;
  }
}

const isOn = (forward: PortForward, lan: string): boolean => forward.lan === undefined || forward.lan === lan;

const familyOf = (length: number): 'ipv4' | 'ipv6' => (length === 4 ? 'ipv4' : 'ipv6');

const dataOf = (scan: DnsScan, entry: number): Uint8Array =>
  scan.bytes.subarray(scan.rdata(entry), scan.rdata(entry) + scan.rdataLength(entry));

const isSame = (a: Uint8Array, b: Uint8Array | null | undefined): boolean =>
  b?.length === a.length && a.every((byte, i) => byte === b[i]);
