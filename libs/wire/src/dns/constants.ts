// RFC 1035 §4.1.1, RFC 6762 §18
export const DNS_HEADER_LENGTH = 12;
/** RFC 6762 §17: with IP and UDP headers. */
export const MDNS_MAX_PACKET = 9000;
/** Bits of the flags word. */
export const DnsFlag = { response: 0x8000, opcode: 0x7800, truncated: 0x0200, rcode: 0x000f } as const;
/** RFC 6762 §5.4, §10.2: the top bit of a class means "unicast response" in a question, "cache flush" in a record. */
export const CLASS_TOP_BIT = 0x8000;

/** RFC 1035 §3.2.2, RFC 2782, 3596, 4034, 6672, 6891. */
export const DnsType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  PX: 26,
  AAAA: 28,
  SRV: 33,
  KX: 36,
  DNAME: 39,
  OPT: 41,
  NSEC: 47,
  ANY: 255,
} as const;

/** How data with domain names is made: bytes of fixed length, and names; `rest` is whatever follows. RFC 6762 §18.14 lists the types. */
export type RdataField = number | 'name' | 'rest';

export const RDATA_WITH_NAMES: ReadonlyMap<number, readonly RdataField[]> = new Map<
  number,
  readonly RdataField[]
>([
  [DnsType.NS, ['name']],
  [DnsType.CNAME, ['name']],
  [DnsType.PTR, ['name']],
  [DnsType.DNAME, ['name']],
  [DnsType.SOA, ['name', 'name', 20]],
  [DnsType.MX, [2, 'name']],
  [DnsType.AFSDB, [2, 'name']],
  [DnsType.RT, [2, 'name']],
  [DnsType.KX, [2, 'name']],
  [DnsType.RP, ['name', 'name']],
  [DnsType.PX, [2, 'name', 'name']],
  [DnsType.SRV, [6, 'name']],
  [DnsType.NSEC, ['name', 'rest']],
]);

/** Types whose data has one length only: an address. */
export const addressLength = (type: number): number =>
  type === DnsType.A ? 4 : type === DnsType.AAAA ? 16 : 0;
