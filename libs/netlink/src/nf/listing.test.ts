/** What Linux 6.18 answered to nft(8), seen by strace. */
import { MalformedError } from '../codec/malformed';
import { hex } from '../testing';
import { decodeKey } from './keys';
import { decodeDeletion, dumpNftRules, dumpSetNames } from './listing';

const TABLE = { family: 'inet', name: 't' } as const;
const NAME = '06000100 74000000';
const RULE = `01000002 ${NAME} 07000200 74780000 0c000300 00000000 00000005`;
const SET = `01000002 ${NAME} 06000200 73000000 08000300 00000000`;

const message = (type: number, body: string) => ({ type: 0x0a00 | type, flags: 0, seq: 0, body: hex(body) });

test('a rule is known by its chain', () => {
  expect(dumpNftRules(TABLE).decode(message(6, RULE))).toEqual({ chain: 'tx' });
});

test('a set by its name', () => {
  expect(dumpSetNames(TABLE).decode(message(9, SET))).toBe('s');
});

test('what belongs to another table, or is another message, is nothing', () => {
  const other = { ...TABLE, name: 'other' };
  expect(dumpNftRules(other).decode(message(6, RULE))).toBeNull();
  expect(dumpSetNames(other).decode(message(9, SET))).toBeNull();
  expect(dumpSetNames(TABLE).decode(message(3, SET))).toBeNull();
});

test.each([
  { name: 'table', type: 2, body: `01000002 ${NAME}`, want: TABLE },
  { name: 'chain', type: 5, body: `01000002 ${NAME} 07000300 74780000`, want: TABLE },
  { name: 'rule', type: 8, body: RULE, want: TABLE },
  { name: 'set', type: 11, body: SET, want: TABLE },
  { name: 'elements', type: 14, body: `01000002 ${NAME} 06000200 73000000`, want: TABLE },
  { name: 'new rule', type: 6, body: RULE, want: null },
  { name: 'rule of the family arp', type: 8, body: `03000002 ${NAME}`, want: null },
])('deletion of a $name', ({ type, body, want }) => {
  expect(decodeDeletion(message(type, body))).toEqual(want);
});

test('a deletion that is cut off is refused', () => {
  expect(() => decodeDeletion(message(2, '010000'))).toThrow(MalformedError);
  expect(() => decodeDeletion(message(2, '01000002 0600'))).toThrow(MalformedError);
});

const KEY = '65746830 00000000 00000000 00000000 00210000 0a000000';
const TYPES = ['ifname', 'mark', 'nf_proto'] as const;

test('a key is read as it was written', () => {
  expect(decodeKey(TYPES, hex(KEY))).toEqual(['eth0', 0x2100, 10]);
  expect(decodeKey(['ifname'], hex('61'.repeat(15) + '00'))).toEqual(['a'.repeat(15)]);
});

test('a key of another length is refused', () => {
  for (const length of [0, 15, 16, 19, 20, 28]) {
    const bytes = new Uint8Array(28);
    bytes.set(hex(KEY));
    expect(() => decodeKey(TYPES, bytes.subarray(0, length))).toThrow(MalformedError);
  }
});
