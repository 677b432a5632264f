import { decode, encode, type Packet } from 'dns-packet';
import { hex, toHex } from '../testing/hex';
import { nameFromLabels, nameKey, type WireName } from './name';
import { reencode } from './reencode';
import { DnsScan } from './scan';

const ALL: Packet = {
  type: 'query',
  id: 7,
  questions: [{ type: 'PTR', name: '_ipp._tcp.local', class: 'IN' }],
  answers: [
    { type: 'PTR', name: '_ipp._tcp.local', ttl: 9, data: 'one._ipp._tcp.local' },
    { type: 'CNAME', name: 'a.local', ttl: 9, data: 'b.local' },
    { type: 'DNAME', name: 'c.local', ttl: 9, data: 'd.local' },
    { type: 'MX', name: 'e.local', ttl: 9, data: { preference: 3, exchange: 'f.local' } },
    { type: 'RP', name: 'g.local', ttl: 9, data: { mbox: 'h.local', txt: 'i.local' } },
    { type: 'TXT', name: 'one._ipp._tcp.local', ttl: 9, data: 'k=v' },
  ],
  authorities: [
    { type: 'NS', name: 'local', ttl: 9, data: 'ns.local' },
    {
      type: 'SOA',
      name: 'local',
      ttl: 9,
      data: { mname: 'm.local', rname: 'r.local', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    },
  ],
  additionals: [
    { type: 'SRV', name: 'one._ipp._tcp.local', ttl: 9, data: { port: 631, target: 'host.local' } },
    { type: 'NSEC', name: 'host.local', ttl: 9, data: { nextDomain: 'host.local', rrtypes: ['A', 'AAAA'] } },
    { type: 'A', name: 'host.local', ttl: 9, data: '192.0.2.1' },
    { type: 'HINFO', name: 'host.local', ttl: 9, data: { cpu: 'x', os: 'y' } },
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 1440,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [{ code: 12, length: 3 }],
    },
  ],
};

const same = (name: WireName): WireName => name;

function scanned(bytes: Uint8Array): DnsScan {
  const scan = new DnsScan();
  expect(scan.read(bytes)).toBeNull();
  return scan;
}

const wire = (packet: Packet): Uint8Array => new Uint8Array(encode(packet));
const plain = (bytes: Uint8Array): unknown => JSON.parse(JSON.stringify(decode(Buffer.from(bytes))));

test('a message with every kind of data is the same afterwards, and smaller', () => {
  const bytes = wire(ALL);
  const again = reencode(scanned(bytes), { keep: () => true, rename: same });
  expect(plain(again)).toEqual(plain(bytes));
  expect(again.length).toBeLessThan(bytes.length);
  expect([...reencode(scanned(again), { keep: () => true, rename: same })]).toEqual([...again]);
});

test('entries that are left out are missing from their section', () => {
  const bytes = wire(ALL);
  const scan = scanned(bytes);
  const again = reencode(scan, { keep: (entry) => ![0, 2, 9].includes(entry), rename: same });
  const want = {
    ...ALL,
    questions: [],
    answers: ALL.answers?.filter((_, i) => i !== 1),
    additionals: ALL.additionals?.slice(1),
  } as Packet;
  expect(plain(again)).toEqual(plain(wire(want)));
});

test('a name that changes its length changes everywhere', () => {
  const longer = nameFromLabels(['a-much-longer-host', 'local']) ?? new Uint8Array();
  const host = nameKey(nameFromLabels(['host', 'local']) ?? new Uint8Array());
  const rename = (name: WireName): WireName => (nameKey(name) === host ? longer : name);
  const again = reencode(scanned(wire(ALL)), { keep: () => true, rename });
  const want = JSON.parse(
    JSON.stringify(plain(wire(ALL))).replaceAll('host.local', 'a-much-longer-host.local'),
  ) as unknown;
  expect(plain(again)).toEqual(want);
});

test('the target of an SRV record is written out for a one-shot query', () => {
  const packet: Packet = {
    type: 'response',
    answers: [
      { type: 'A', name: 'host.local', ttl: 9, data: '192.0.2.1' },
      { type: 'SRV', name: 's.local', ttl: 9, data: { port: 1, target: 'host.local' } },
    ],
  };
  const length = (plainSrv: boolean): number =>
    reencode(scanned(wire(packet)), { keep: () => true, rename: same, plainSrv }).length;
  expect(length(true) - length(false)).toBe('host.local'.length + 2 - 2);
});

const HOST = '04 686f7374 05 6c6f63616c 00'; // host.local
const TV = '02 7476 00';

test.each<{ name: string; type: number; data: string; isOpaque?: boolean }>([
  { name: 'NS', type: 2, data: HOST },
  { name: 'CNAME', type: 5, data: HOST },
  { name: 'SOA', type: 6, data: `${HOST} ${TV} ${'61'.repeat(20)}` },
  { name: 'PTR', type: 12, data: HOST },
  { name: 'MX', type: 15, data: `6161 ${HOST}` },
  { name: 'RP', type: 17, data: `${HOST} ${TV}` },
  { name: 'AFSDB', type: 18, data: `6161 ${HOST}` },
  { name: 'RT', type: 21, data: `6161 ${HOST}` },
  { name: 'PX', type: 26, data: `6161 ${HOST} ${TV}` },
  { name: 'SRV', type: 33, data: `6161 6161 6161 ${HOST}` },
  { name: 'KX', type: 36, data: `6161 ${HOST}` },
  { name: 'DNAME', type: 39, data: HOST },
  { name: 'NSEC', type: 47, data: `${HOST} 6161 61` },
  { name: 'no known type', type: 99, data: HOST, isOpaque: true },
  { name: 'a PTR without data (RFC 2136 §2.4)', type: 12, data: '' },
])('names in the data are renamed, and nothing else: $name', ({ type, data, isOpaque = false }) => {
  const message = (rdata: string): string => {
    const length = hex(rdata).length.toString(16).padStart(4, '0');
    return `0000 8400 0000 0001 0000 0001 00 00${type.toString(16).padStart(2, '0')} 0001 00000009 ${length} ${rdata} 00 0010 0001 00000009 0000`;
  };
  const rename = (wireName: WireName): WireName =>
    wireName.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte));
  const again = reencode(scanned(hex(message(data))), { keep: () => true, rename });
  const renamed = data.replace(HOST, '04 484f5354 05 4c4f43414c 00').replace(TV, '02 5456 00');
  expect(toHex(again)).toBe(toHex(hex(message(isOpaque ? data : renamed))));
});
