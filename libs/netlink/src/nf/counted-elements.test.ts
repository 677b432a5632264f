/** What Linux 6.18 answered, as in decode.test.ts; and the general decoder as the judge. */
import { MalformedError } from '../codec/malformed';
import { hex } from '../testing';
import { dumpCountedElements } from './counted-elements';
import { dumpElements } from './elements';

const SET = { table: { family: 'inet', name: 't' }, name: 'dyn' } as const;
const NEWSETELEM = 0x0a0c;
const HEAD = '01000002 06000100 74000000 08000200 64796e00';
const KEY = (name: string): string =>
  `20000100 1c000100 ${name} 00000000 00000000 00000000 00210000 02000000`;
const COUNTER = (bytes: string): string =>
  '0c000100 636f756e 74657200 1c000200 0c000100 ' + bytes + ' 0c000200 00000000 00000003';
const ELEMENT = (name: string, bytes: string): string => `50000100 ${KEY(name)} 2c000700 ${COUNTER(bytes)}`;
const TWO = `${HEAD} a4000300 ${ELEMENT('65746830', '00000001 00000003')} ${ELEMENT('65746831', '00000000 00000009')}`;
const LISTED = `${HEAD} 58000300 54000100 ${KEY('65746830')} 30000b00 2c000100 ${COUNTER('00000000 00000005')}`;

const message = (body: string) => ({ type: NEWSETELEM, flags: 0, seq: 0, body: hex(body) });
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const { decode } = dumpCountedElements(SET);

test('keys and counters', () => {
  const key = (name: string): string => latin1(hex(`${name} 00000000 00000000 00000000 00210000 02000000`));
  expect(decode(message(TWO))).toEqual([
    { key: key('65746830'), bytes: 4294967299n, packets: 3n },
    { key: key('65746831'), bytes: 9n, packets: 3n },
  ]);
});

test.each([
  { name: 'one expression', body: TWO },
  { name: 'a list of them', body: LISTED },
])('$name: as the general decoder reads it', ({ body }) => {
  const general = dumpElements(SET).decode(message(body)) ?? [];
  expect(decode(message(body))).toEqual(
    general.map(({ key, counter }) => ({ key: latin1(key), ...counter })),
  );
});

test('nothing in it, and another message', () => {
  expect(decode(message(HEAD))).toEqual([]);
  expect(decode({ ...message(TWO), type: 0x0a0a })).toBeNull();
});

test('cut anywhere within the list, or without a counter: refused', () => {
  const bytes = hex(TWO);
  const list = hex(HEAD).length;
  for (let length = list + 1; length < bytes.length; length++)
    expect(() => decode({ ...message(TWO), body: bytes.subarray(0, length) })).toThrow(MalformedError);
  expect(() => decode(message(`${HEAD} 28000300 24000100 ${KEY('65746830')}`))).toThrow(MalformedError);
  for (const length of [0, 3])
    expect(() => decode({ ...message(TWO), body: bytes.subarray(0, length) })).toThrow(MalformedError);
});
