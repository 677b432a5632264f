/** What Linux 6.18 answered, as in decode.test.ts; and the general decoder as the judge. */
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { hex } from '../testing';
import { CountedSet } from './counted-set';
import { dumpElements } from './elements';

const SET = { table: { family: 'inet', name: 't' }, name: 'dyn' } as const;
const NEWSETELEM = 0x0a0c;
const HEAD = '01000002 06000100 74000000 08000200 64796e00';
const KEY = (name: string): string =>
  `20000100 1c000100 ${name} 00000000 00000000 00000000 00210000 02000000`;
const COUNTER = (bytes: string, packets = '00000003'): string =>
  `0c000100 636f756e 74657200 1c000200 0c000100 ${bytes} 0c000200 00000000 ${packets}`;
const ELEMENT = (name: string, bytes: string, packets?: string): string =>
  `50000100 ${KEY(name)} 2c000700 ${COUNTER(bytes, packets)}`;
const TWO = `${HEAD} a4000300 ${ELEMENT('65746830', '00000001 00000003')} ${ELEMENT('65746831', '00000000 00000009')}`;
const LISTED = `${HEAD} 58000300 54000100 ${KEY('65746830')} 30000b00 2c000100 ${COUNTER('00000000 00000005')}`;

interface Shown {
  readonly key: string;
  readonly bytes: bigint;
  readonly packets: bigint;
}

const message = (body: string): NetlinkMessage => ({ type: NEWSETELEM, flags: 0, seq: 0, body: hex(body) });
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

let keysRead = 0;
let set: CountedSet<string, Shown>;
beforeEach(() => {
  keysRead = 0;
  set = new CountedSet({
    keyOf: (bytes) => {
      keysRead += 1;
      return latin1(bytes);
    },
    elementOf: (key, bytes, packets) => ({ key, bytes, packets }),
  });
});

const read = (...messages: readonly NetlinkMessage[]): readonly Shown[] => {
  const { decode } = set.reading(SET);
  return messages.flatMap((each) => decode(each) ?? []);
};

const judged = (...messages: readonly NetlinkMessage[]): readonly Shown[] =>
  messages
    .flatMap((each) => dumpElements(SET).decode(each) ?? [])
    .map(({ key, counter }) => ({
      key: latin1(key),
      bytes: counter?.bytes ?? 0n,
      packets: counter?.packets ?? 0n,
    }));

test('keys and counters', () => {
  const key = (name: string): string => latin1(hex(`${name} 00000000 00000000 00000000 00210000 02000000`));
  expect(read(message(TWO))).toEqual([
    { key: key('65746830'), bytes: 4294967299n, packets: 3n },
    { key: key('65746831'), bytes: 9n, packets: 3n },
  ]);
});

test.each([
  { name: 'one expression', body: TWO },
  { name: 'a list of them', body: LISTED },
])('$name: as the general decoder reads it', ({ body }) => {
  expect(read(message(body))).toEqual(judged(message(body)));
});

test('nothing in it, and another message', () => {
  const { decode } = set.reading(SET);
  expect(decode(message(HEAD))).toEqual([]);
  expect(decode({ ...message(TWO), type: 0x0a0a })).toBeNull();
});

test('cut anywhere within the list, or without a counter: refused, also by who has read it whole before', () => {
  const bytes = hex(TWO);
  const list = hex(HEAD).length;
  for (const before of [[], [message(TWO)]]) {
    read(...before);
    for (let length = list + 1; length < bytes.length; length++)
      expect(() => read({ ...message(TWO), body: bytes.subarray(0, length) })).toThrow(MalformedError);
    expect(() => read(message(`${HEAD} 28000300 24000100 ${KEY('65746830')}`))).toThrow(MalformedError);
    for (const length of [0, 3])
      expect(() => read({ ...message(TWO), body: bytes.subarray(0, length) })).toThrow(MalformedError);
  }
});

/** Elements by name, each a letter, as the kernel would show them in this order, `each` to a message. */
function shown(
  elements: ReadonlyMap<string, number>,
  order: readonly string[],
  each: number,
): NetlinkMessage[] {
  const texts = order.map((name) => {
    const count = elements.get(name) ?? 0;
    const [high, low] = [count % 3 === 0 ? '00000001' : '00000000', count.toString(16).padStart(8, '0')];
    return ELEMENT(`6574${name.charCodeAt(0).toString(16)}00`, `${high} ${low}`, low);
  });
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < texts.length; at += each) {
    const some = texts.slice(at, at + each);
    const length = 4 + some.length * 0x50;
    const header = `${(length & 0xff).toString(16).padStart(2, '0')}${(length >> 8).toString(16).padStart(2, '0')}0300`;
    messages.push(message(`${HEAD} ${header} ${some.join(' ')}`));
  }
  return messages;
}

test('a walk: elements count, come, go and change places; each reading is as the general decoder has it, and what did not change is the same object', () => {
  const seed = 20261121;
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  const elements = new Map<string, number>(Array.from('abcdefgh', (name) => [name, 1]));
  let order = [...elements.keys()];
  let before: readonly Shown[] = [];
  for (let step = 0; step < 500; step++) {
    const name = String.fromCharCode(97 + random(26));
    const what = random(5);
    if (what === 0) elements.delete(name);
    else elements.set(name, (elements.get(name) ?? 0) + 1);
    order = [...order, name].filter((each, at, all) => elements.has(each) && all.indexOf(each) === at);
    if (what === 1) order = order.toSorted(() => random(3) - 1);
    const messages = shown(elements, order, 1 + random(9));
    const now = read(...messages);
    expect({ seed, step, now }).toEqual({ seed, step, now: judged(...messages) });
    for (const element of now) {
      const last = before.find(({ key }) => key === element.key);
      if (last?.bytes === element.bytes && last.packets === element.packets) expect(element).toBe(last);
    }
    before = now;
  }
});

test('a key is read once, and again after it was gone for two readings', () => {
  const [a, both] = [shown(new Map(), ['a'], 1), shown(new Map(), ['a', 'b'], 9)];
  read(...both);
  read(...both);
  expect(keysRead).toBe(2);
  read(...a);
  read(...a);
  read(...both);
  expect(keysRead).toBe(3);
});
