import { COUNTING_SETS } from '@pp/datapath';
import { countedKeyText, type CountedElement, type Json } from '@pp/ports';
import type { Family, TrafficRow } from './traffic-table';

/** What an element of the kernel counts for. */
export interface Account {
  /** '' where the element is of an uplink. */
  readonly guest: string;
  /** Name of the uplink, or VPN_DEVICE. */
  readonly device: string;
}

export interface AccountedElement extends CountedElement, Account {}

export interface CountedUplink {
  readonly ifname: string;
  readonly vpn: boolean;
}

/** One entry of the history file. Samples carry the kernel's own values, not differences: whatever of them is lost, the next one makes up for it. */
export type HistoryRecord =
  /** Elements that changed since the sample before. `at`: when that time began, in ms since 1970. */
  | {
      readonly do: 'sample';
      readonly at: number;
      readonly run: string;
      readonly elements: readonly AccountedElement[];
    }
  /** Elements that were deleted from the kernel: a later one of the same key starts from zero. */
  | { readonly do: 'forget'; readonly run: string; readonly elements: readonly CountedElement[] }
  | { readonly do: 'uplinks'; readonly uplinks: readonly CountedUplink[] }
  /** The kernel's table was gone or damaged: what passed in the last `unseenMs` before `at` may not be counted. */
  | { readonly do: 'loss'; readonly at: number; readonly unseenMs: number };

export function recordToJson(record: HistoryRecord): Json {
  switch (record.do) {
    case 'sample':
      return { ...record, elements: record.elements.map(accountedToJson) };
    case 'forget':
      return { ...record, elements: record.elements.map(elementToJson) };
    case 'uplinks':
      return { do: 'uplinks', uplinks: record.uplinks.map(({ ifname, vpn }) => [ifname, vpn]) };
    case 'loss':
      return { ...record };
  }
}

/** Of what `recordToJson` wrote: the file's checksum vouches for it. */
export function recordFromJson(json: Json): HistoryRecord {
  const raw = json as unknown as RawRecord;
  switch (raw.do) {
    case 'sample':
      return { ...raw, elements: raw.elements.map(accountedFromJson) };
    case 'forget':
      return { ...raw, elements: raw.elements.map(elementFromJson) };
    case 'uplinks':
      return { do: 'uplinks', uplinks: raw.uplinks.map(([ifname, vpn]) => ({ ifname, vpn })) };
    case 'loss':
      return raw;
  }
}

type RawRecord =
  | { do: 'sample'; at: number; run: string; elements: RawAccounted[] }
  | { do: 'forget'; run: string; elements: RawElement[] }
  | { do: 'uplinks'; uplinks: [string, boolean][] }
  | { do: 'loss'; at: number; unseenMs: number };

/** Set by its place in COUNTING_SETS, ifname, uplink, mark, family, bytes, packets: 64 bits do not fit a number of JSON. */
export type RawElement = [number, string, string, number, Family, string, string];
type RawAccounted = [...RawElement, string, string];

export const elementToJson = (element: CountedElement): RawElement => [
  COUNTING_SETS.indexOf(element.set),
  element.ifname,
  element.uplink,
  element.mark,
  element.family,
  String(element.bytes),
  String(element.packets),
];

export function elementFromJson([
  set,
  ifname,
  uplink,
  mark,
  family,
  bytes,
  packets,
]: RawElement): CountedElement {
  const name = COUNTING_SETS[set] ?? 'uplink_rx';
  const key = { set: name, ifname, uplink, mark, family };
  return { ...key, key: countedKeyText(key), bytes: BigInt(bytes), packets: BigInt(packets) };
}

const accountedToJson = (element: AccountedElement): RawAccounted => [
  ...elementToJson(element),
  element.guest,
  element.device,
];

function accountedFromJson(raw: RawAccounted): AccountedElement {
  const [set, ifname, uplink, mark, family, bytes, packets, guest, device] = raw;
  return { ...elementFromJson([set, ifname, uplink, mark, family, bytes, packets]), guest, device };
}

/** Guest, uplink, source, family, and the four sums. */
export type RawRow = [string, string, number, Family, string, string, string, string];

export const rowToJson = (row: TrafficRow): RawRow => [
  row.guest,
  row.uplink,
  row.source,
  row.family,
  String(row.rxBytes),
  String(row.txBytes),
  String(row.rxPackets),
  String(row.txPackets),
];

export const rowFromJson = ([guest, uplink, source, family, ...sums]: RawRow): TrafficRow => {
  const [rxBytes, txBytes, rxPackets, txPackets] = sums;
  return {
    guest,
    uplink,
    source,
    family,
    rxBytes: BigInt(rxBytes),
    txBytes: BigInt(txBytes),
    rxPackets: BigInt(rxPackets),
    txPackets: BigInt(txPackets),
  };
};
