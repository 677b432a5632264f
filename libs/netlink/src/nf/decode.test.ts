/** What Linux 6.18 answered to nft(8), seen by strace. */
import { runBpf } from '@pp/wire';
import { MalformedError } from '../codec/malformed';
import { hex } from '../testing';
import { dumpCounters } from './counter';
import { dumpElements } from './elements';
import { nftEventOf, notByPort } from './edits';
import { dumpChains, dumpTables } from './tables';

const TABLE = { family: 'inet', name: 't' } as const;
const NAME = '06000100 74000000';
const NEWTABLE = 0x0a00;
const DELTABLE = 0x0a02;
const NEWCHAIN = 0x0a03;
const NEWSETELEM = 0x0a0c;
const NEWOBJ = 0x0a12;

const VERDICTS = `
  01000002 ${NAME} 07000200 766d0000 38000300 34000100
    18000100 14000100 6172635f 6e733000 00000000 00000000
    18000200 14000200 08000100 fffffffd 07000200 63310000`;
const COUNTED = `
  01000002 ${NAME} 08000200 64796e00 54000300 50000100
    20000100 1c000100 65746830 00000000 00000000 00000000 00210000 02000000
    2c000700 0c000100 636f756e 74657200 1c000200 0c000100 00000001 00000003 0c000200 00000000 00000003`;
const COUNTER = `
  01000002 ${NAME} 06000200 6b000000 08000300 00000001 0c000600 00000000 00000002 08000500 00000000
  1c000400 0c000100 00000000 00000009 0c000200 00000000 00000007`;
const CHAIN = `01000002 ${NAME} 07000300 63310000 0c000200 00000000 00000001 08000600 00000001`;
const TABLE_BODY = `01000002 ${NAME} 08000300 00000004 0c000400 00000000 00000001 08000200 00000000`;

const message = (
  type: number,
  body: string,
): { type: number; flags: number; seq: number; body: Uint8Array } => ({
  type,
  flags: 0,
  seq: 0,
  body: hex(body),
});

test('elements of a verdict map', () => {
  expect(dumpElements({ table: TABLE, name: 'vm' }).decode(message(NEWSETELEM, VERDICTS))).toEqual([
    {
      key: hex('6172635f6e7330000000000000000000'),
      keyEnd: null,
      intervalEnd: false,
      jump: 'c1',
      counter: null,
    },
  ]);
});

test('elements with counters above 2^32', () => {
  expect(dumpElements({ table: TABLE, name: 'dyn' }).decode(message(NEWSETELEM, COUNTED))).toEqual([
    {
      key: hex('65746830000000000000000000000000 00210000 02000000'),
      keyEnd: null,
      intervalEnd: false,
      jump: null,
      counter: { bytes: 4294967299n, packets: 3n },
    },
  ]);
});

test('an empty set', () => {
  expect(
    dumpElements({ table: TABLE, name: 'vm' }).decode(
      message(NEWSETELEM, `01000002 ${NAME} 07000200 766d0000 04000300`),
    ),
  ).toEqual([]);
});

test('a counter object', () => {
  expect(dumpCounters(TABLE).decode(message(NEWOBJ, COUNTER))).toEqual({ name: 'k', bytes: 9n, packets: 7n });
});

test('an object of another type', () => {
  const quota = COUNTER.replace('08000300 00000001', '08000300 00000002');
  expect(dumpCounters(TABLE).decode(message(NEWOBJ, quota))).toBeNull();
});

test('chains of one table only', () => {
  expect(dumpChains(TABLE).decode(message(NEWCHAIN, CHAIN))).toEqual({ table: TABLE, name: 'c1' });
  expect(dumpChains({ ...TABLE, name: 'u' }).decode(message(NEWCHAIN, CHAIN))).toBeNull();
});

test('tables, and those of families we do not know', () => {
  expect(dumpTables().decode(message(NEWTABLE, TABLE_BODY))).toEqual(TABLE);
  expect(dumpTables().decode(message(NEWTABLE, TABLE_BODY.replace('01000002', '07000002')))).toBeNull();
});

const RULE = `01000002 ${NAME} 07000200 63310000 0c000300 00000000 00000004`;
const GEN = '00000002 08000100 00000009 08000200 00001267 08000300 6e667400';
const event = (type: number, body: string, table = 't') =>
  nftEventOf({ family: 'inet', name: table })({ ...message(type, body), portId: 4711 });

test.each([
  { name: 'the table goes', type: DELTABLE, body: TABLE_BODY, want: { on: 'edit', what: 'gone' } },
  { name: 'or is destroyed', type: 0x0a1a, body: TABLE_BODY, want: { on: 'edit', what: 'gone' } },
  { name: 'it gets another flag', type: NEWTABLE, body: TABLE_BODY, want: { on: 'edit', what: 'added' } },
  { name: 'a chain comes', type: NEWCHAIN, body: CHAIN, want: { on: 'edit', what: 'added' } },
  { name: 'a chain goes', type: 0x0a05, body: CHAIN, want: { on: 'edit', what: 'changed' } },
  { name: 'a rule comes', type: 0x0a06, body: RULE, want: { on: 'edit', what: 'changed' } },
  { name: 'a rule goes', type: 0x0a08, body: RULE, want: { on: 'edit', what: 'changed' } },
  { name: 'elements come', type: NEWSETELEM, body: VERDICTS, want: { on: 'edit', what: 'changed' } },
  { name: 'elements go', type: 0x0a0e, body: VERDICTS, want: { on: 'edit', what: 'changed' } },
  { name: 'an object comes', type: NEWOBJ, body: COUNTER, want: { on: 'edit', what: 'added' } },
  { name: 'elements are only listed', type: 0x0a0d, body: VERDICTS, want: null },
  { name: 'cut off before the name ends', type: NEWCHAIN, body: '01000002 060001', want: null },
  {
    name: 'all of it is done',
    type: 0x0a0f,
    body: GEN,
    want: { on: 'commit', portId: 4711, process: 'nft', pid: 0x1267 },
  },
])('told of a table: $name', ({ type, body, want }) => {
  expect(event(type, body)).toEqual(want);
});

test.each([
  { name: 'of another name', body: RULE, table: 'u' },
  { name: 'whose name ours begins', body: RULE.replace(NAME, '07000100 74750000'), table: 't' },
  { name: 'whose name begins ours', body: RULE, table: 'tu' },
  { name: 'of another family', body: RULE.replace('01000002', '02000002'), table: 't' },
])('a table $name is not told of', ({ body, table }) => {
  expect(event(0x0a08, body, table)).toBeNull();
});

test('a socket hears nothing of what came by its port', () => {
  const run = (portId: number): number =>
    runBpf(notByPort(4711), hex(`14000000 080a 0000 00000000 ${le32(portId)}`));
  expect([
    run(4711) > 0,
    run(4712) > 0,
    runBpf(notByPort(0xfffffff0), hex(`14000000 080a 0000 00000000 f0ffffff`)),
  ]).toEqual([false, true, 0]);
});

const le32 = (n: number): string =>
  [0, 8, 16, 24].map((shift) => ((n >>> shift) & 255).toString(16).padStart(2, '0')).join('');

test.each([
  {
    name: 'elements',
    type: NEWSETELEM,
    body: VERDICTS,
    decode: dumpElements({ table: TABLE, name: 'vm' }).decode,
  },
  { name: 'counter', type: NEWOBJ, body: COUNTER, decode: dumpCounters(TABLE).decode },
  { name: 'table', type: NEWTABLE, body: TABLE_BODY, decode: dumpTables().decode },
])('cut $name: refused within an attribute', ({ type, body, decode }) => {
  const bytes = hex(body);
  const first = 4 + 6; // header and the table's name without its padding
  for (const length of [0, 1, 2, 3, 5, 6, 7, first - 1, bytes.length - 5]) {
    expect(() => decode({ type, flags: 0, seq: 0, body: bytes.subarray(0, length) })).toThrow(MalformedError);
  }
});
