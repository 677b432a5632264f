import { decode, encode, type Packet } from 'dns-packet';
import { hex } from '../testing/hex';
import { nameAt, nameFromLabels, nameKey, nameText } from './name';
import { DnsScan, MAX_ENTRIES, type DnsFault } from './scan';

const HEADER = '0000 8400 0000 0001 0000 0000'; // a response with one answer
const NAME = '05 7072696e74 05 6c6f63616c 00'; // print.local
const A = '0001 8001 00000078 0004 c0a80002';

const malformed: { name: string; in: string; want: DnsFault }[] = [
  { name: 'nothing', in: '', want: 'dns-short' },
  { name: 'half a header', in: '0000 8400 0000', want: 'dns-short' },
  { name: 'a count without a record', in: HEADER, want: 'name-truncated' },
  {
    name: 'more answers than there are',
    in: `0000 8400 0000 0002 0000 0000 ${NAME} ${A}`,
    want: 'name-truncated',
  },
  {
    name: 'fewer answers than there are',
    in: `0000 8400 0000 0000 0000 0000 ${NAME} ${A}`,
    want: 'dns-slack',
  },
  { name: 'a byte after the end', in: `${HEADER} ${NAME} ${A} 00`, want: 'dns-slack' },
  {
    name: 'a question that ends early',
    in: `0000 0000 0001 0000 0000 0000 ${NAME} 0001`,
    want: 'dns-truncated',
  },
  {
    name: 'data beyond the end',
    in: `${HEADER} ${NAME} 0010 8001 00000078 0005 c0a80002`,
    want: 'dns-truncated',
  },
  {
    name: 'an A of three bytes',
    in: `${HEADER} ${NAME} 0001 8001 00000078 0003 c0a800`,
    want: 'dns-rdata',
  },
  { name: 'an AAAA of four', in: `${HEADER} ${NAME} 001c 8001 00000078 0004 c0a80002`, want: 'dns-rdata' },
  {
    name: 'an SRV whose name ends before its data',
    in: `${HEADER} ${NAME} 0021 8001 00000078 0009 0000 0000 0050 c00c 00`,
    want: 'dns-rdata',
  },
  {
    name: 'a PTR whose name goes past its data',
    in: `0000 8400 0000 0001 0000 0001 ${NAME} 000c 0001 00000078 0002 0361 ${NAME} ${A}`,
    want: 'name-truncated',
  },
  { name: 'a pointer to itself', in: `${HEADER} c00c ${A}`, want: 'name-pointer' },
  { name: 'a pointer forwards', in: `${HEADER} c00e ${A} ${NAME}`, want: 'name-pointer' },
  { name: 'a pointer into the header', in: `${HEADER} c000 ${A}`, want: 'name-pointer' },
  { name: 'a pointer that leads back to its own name', in: `${HEADER} 0161 c00c ${A}`, want: 'name-pointer' },
  { name: 'half a pointer', in: `${HEADER} c0`, want: 'name-truncated' },
  { name: 'a label of 64 (kind 01)', in: `${HEADER} 40 ${'61'.repeat(64)} 00 ${A}`, want: 'name-label' },
  { name: 'a label of kind 10', in: `${HEADER} 80 00 ${A}`, want: 'name-label' },
  {
    name: 'a name of 256 bytes',
    in: `${HEADER} ${`3f${'61'.repeat(63)}`.repeat(3)} 3e${'61'.repeat(62)} 00 ${A}`.replace('3e', '3f61'),
    want: 'name-long',
  },
  {
    name: 'questions without end',
    in: `0000 0000 ffff 0000 0000 0000 ${'00 0001 0001'.repeat(MAX_ENTRIES + 1)}`,
    want: 'dns-count',
  },
];

test.each(malformed)('$name: $want', ({ in: text, want }) => {
  expect(new DnsScan().read(hex(text))).toBe(want);
});

test('a chain of pointers that is too long', () => {
  const links = Array.from({ length: 40 }, (_, i) =>
    (0xc00c + (i === 0 ? 0 : 15 + 12 * (i - 1))).toString(16),
  );
  const records = links.map((link) => `${link} 0010 0001 00000078 0000`);
  const text = `0000 8400 0000 0029 0000 0000 00 0010 0001 00000000 0004 00000000 ${records.join(' ')}`;
  expect(new DnsScan().read(hex(text))).toBe('name-pointer');
});

/** What an avahi answers about a printer: names compressed in the data too. */
const RESPONSE: Packet = {
  type: 'response',
  flags: 0x400,
  answers: [
    { type: 'PTR', name: '_ipp._tcp.local', ttl: 4500, data: 'Kitchen Printer._ipp._tcp.local' },
    { type: 'TXT', name: 'Kitchen Printer._ipp._tcp.local', ttl: 4500, flush: true, data: ['a=b', ''] },
  ],
  authorities: [{ type: 'NS', name: 'local', ttl: 1, data: 'ns.local' }],
  additionals: [
    {
      type: 'SRV',
      name: 'Kitchen Printer._ipp._tcp.local',
      ttl: 120,
      flush: true,
      data: { priority: 0, weight: 0, port: 631, target: 'print.local' },
    },
    { type: 'A', name: 'print.local', ttl: 120, flush: true, data: '192.168.77.9' },
    { type: 'AAAA', name: 'print.local', ttl: 120, flush: true, data: '2001:db8::9' },
  ],
};

test('entries are where they are', () => {
  const scan = new DnsScan();
  const bytes = new Uint8Array(encode(RESPONSE));
  expect(scan.read(bytes)).toBeNull();
  expect([scan.questions, scan.entries, scan.flags]).toEqual([0, 6, 0x8400]);
  const rows = Array.from({ length: 6 }, (_, i) => [
    nameText(nameAt(bytes, scan.name(i))),
    scan.type(i),
    scan.u16(scan.classAt(i)),
    scan.ttlSec(i),
    scan.section(i),
  ]);
  expect(rows).toEqual([
    ['_ipp._tcp.local', 12, 1, 4500, 'answer'],
    ['Kitchen Printer._ipp._tcp.local', 16, 0x8001, 4500, 'answer'],
    ['local', 2, 1, 1, 'authority'],
    ['Kitchen Printer._ipp._tcp.local', 33, 0x8001, 120, 'additional'],
    ['print.local', 1, 0x8001, 120, 'additional'],
    ['print.local', 28, 0x8001, 120, 'additional'],
  ]);
  expect([...bytes.subarray(scan.rdata(4), scan.rdata(4) + scan.rdataLength(4))]).toEqual([192, 168, 77, 9]);
});

test('no beginning of a message is one', () => {
  const bytes = new Uint8Array(encode(RESPONSE));
  const scan = new DnsScan();
  const taken = Array.from(bytes.keys()).filter((length) => scan.read(bytes.subarray(0, length)) === null);
  expect(taken).toEqual([]);
});

test('what dns-packet writes and reads is the same', () => {
  expect(decode(encode(RESPONSE)).answers).toHaveLength(2);
});

describe('names', () => {
  const name = (...labels: readonly string[]) => nameFromLabels(labels) ?? new Uint8Array();

  test.each([
    { name: 'dots and backslashes are escaped', in: ['a.b\\c', 'local'], want: 'a\\.b\\\\c.local' },
    { name: 'UTF-8 is as it is', in: ['Küche', 'local'], want: 'Küche.local' },
    { name: 'the root', in: [], want: '.' },
  ])('$name', ({ in: labels, want }) => {
    expect(nameText(name(...labels))).toBe(want);
  });

  test('case does not matter to keys, and a dot in a label is no boundary', () => {
    expect(nameKey(name('PRINT', 'Local'))).toBe(nameKey(name('print', 'local')));
    expect(nameKey(name('a.b'))).not.toBe(nameKey(name('a', 'b')));
  });

  test.each([
    { labels: [''] },
    { labels: ['a'.repeat(64)] },
    { labels: Array.from({ length: 64 }, () => 'abc') },
  ])('no name: %#', ({ labels }) => {
    expect(nameFromLabels(labels)).toBeNull();
  });
});
