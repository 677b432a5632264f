/** dbus-next is the judge: what we write it writes too, what we accept it reads as the same values, and where it differs has a name. */
import { isDeepStrictEqual } from 'node:util';
import { causeChain } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import { ProtocolError } from '../errors';
import * as dbusNext from '../testing/dbus-next';
import { CAPTURED_MESSAGES } from '../testing/golden-captured';
import { GLIB_MESSAGES } from '../testing/golden-glib';
import { randomType, randomValue } from '../testing/random-values';
import { encodeBody } from '../testing/raw-message';
import { decodeBody } from './body';
import { decodeFixedHeader, decodeHeader, type FixedHeader } from './decode-header';
import { KnownCalls } from './usual-fields';
import { encodeMessage } from './encode';
import { FIELD_RULES } from './header-fields';
import { signatureOf } from './signature';
import { Variant, type Body } from './values';

const FD_COUNT = 3;

interface RandomBody {
  readonly signature: string;
  readonly values: Body;
}

function randomBody(random: SeededRandom): RandomBody {
  const types = Array.from({ length: 1 + random.below(4) }, () => randomType(random, 3));
  return {
    signature: types.map(signatureOf).join(''),
    values: types.map((type) => randomValue(random, type, FD_COUNT)),
  };
}

test.each([1, 2, 3, 4])(
  'random values are written as it writes them, and read as they were: seed %i',
  (seed) => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 500; round++) {
      const { signature, values } = randomBody(random);
      const bytes = encodeBody(signature, values, FD_COUNT);
      expect([signature, bytes.toString('hex')]).toEqual([
        signature,
        dbusNext.writeBody(signature, values).toString('hex'),
      ]);
      const read = decodeBody({ bytes, signature, bigEndian: false, fdCount: FD_COUNT });
      expect([signature, read]).toEqual([signature, { ok: true, body: values }]);
    }
  },
);

describe('values that only one of us sends', () => {
  test.each([
    { name: 'a number for a boolean', in: ['b', [1]] },
    { name: 'a number for a bigint', in: ['x', [1]] },
    { name: 'text for a bigint', in: ['t', ['1']] },
    { name: 'an object path that is none', in: ['o', ['a']] },
    { name: 'a negative index of a descriptor', in: ['h', [-1]] },
    { name: 'an index beyond the last descriptor', in: ['h', [FD_COUNT]] },
    { name: 'a signature without a type', in: ['g', ['m']] },
    { name: 'variants 65 deep', in: ['v', [nested(65)]] },
  ] as const)('$name: it does', ({ in: [signature, values] }) => {
    expect(() => encodeBody(signature, values, FD_COUNT)).toThrow(TypeError);
    expect(() => dbusNext.writeBody(signature, values)).not.toThrow();
  });

  test.each([
    { name: 'NaN', in: ['d', [NaN]] },
    { name: 'infinity', in: ['d', [-Infinity]] },
    { name: 'the smallest x', in: ['x', [-(2n ** 63n)]] },
  ] as const)('$name: we do', ({ in: [signature, values] }) => {
    expect(() => dbusNext.writeBody(signature, values)).toThrow();
    const bytes = encodeBody(signature, values, 0);
    expect(decodeBody({ bytes, signature, bigEndian: false, fdCount: 0 })).toEqual({
      ok: true,
      body: values,
    });
  });

  /** `depth` variants around a byte. */
  function nested(depth: number): Variant {
    return depth === 1 ? new Variant('y', 1) : new Variant('v', nested(depth - 1));
  }
});

/** It takes nearly all brackets for a signature, and reads an array of empty structs until memory ends: it is not asked. */
const NO_SIGNATURE = /signature '.*' (?:has|ends)/s;

/** What else it lets pass, by our words. */
const ONLY_WE_REFUSE: readonly RegExp[] = [
  /padding is not zero/,
  /a string is not ended by a NUL/,
  /a string holds a NUL/,
  /a string is not UTF-8/,
  /a boolean is neither 0 nor 1/,
  /an object path is not valid/,
  /an array does not end where an element ends/,
  /an array runs past the end/,
  /an array is longer than 64 MiB/,
  /a value runs past the end/,
  /there are bytes after the last value/,
  /is not exactly one type/,
  /there is a header field 0/,
  /there are two fields \w+/,
  /the field \w+ is not valid/,
  /the field \w+ is missing/,
  /there is a body without a signature/,
];

test('damaged messages: what we accept it reads as the same, and what only we refuse is listed', () => {
  const random = new SeededRandom(20_261_121);
  const met = new Map(ONLY_WE_REFUSE.map((reason) => [reason, 0]));
  const counts = { accepted: 0, refusedByBoth: 0 };
  for (let round = 0; round < 15_000; round++) {
    const message = damaged(random, randomMessage(random));
    const ours = read(message);
    if (typeof ours === 'string' && NO_SIGNATURE.test(ours)) continue;
    const theirs = judged(message);
    if (typeof ours !== 'string') {
      if (!isDeepStrictEqual(theirs, ours)) expect(theirs).toEqual(ours);
      counts.accepted++;
    } else if (typeof theirs === 'string') {
      counts.refusedByBoth++;
    } else {
      const reason = ONLY_WE_REFUSE.find((each) => each.test(ours));
      if (reason === undefined) throw new Error(`not listed: ${ours} (${message.toString('hex')})`);
      met.set(reason, (met.get(reason) ?? 0) + 1);
    }
  }
  expect(Math.min(counts.accepted, counts.refusedByBoth)).toBeGreaterThan(500);
  expect([...met].filter(([, count]) => count === 0)).toEqual([]);
});

interface Message {
  readonly fields: unknown;
  readonly body: Body;
}

function randomMessage(random: SeededRandom): Buffer {
  if (random.below(2) === 0)
    return Buffer.from(random.pick([...GLIB_MESSAGES, ...CAPTURED_MESSAGES]).hex, 'hex');
  const header = { type: 'signal', path: '/a/b', interface: 'a.b', member: 'C', sender: ':1.7' } as const;
  return encodeMessage({ ...header, ...randomBody(random) }, 1 + random.below(1000), FD_COUNT);
}

const DAMAGE = Buffer.from('.()as{}v');

/** Lengths of the fixed part stay: what they mean is the framer's business. */
function damaged(random: SeededRandom, message: Buffer): Buffer {
  for (let hits = random.below(3); hits > 0; hits--) {
    const at = 16 + random.below(message.length - 16);
    message[at] = random.pick([0, 1, 2, 8, 0xff, random.below(256), ...DAMAGE]);
  }
  return message;
}

/** What the message says, or why it says nothing. */
function read(message: Buffer): Message | string {
  const fixed = decodeFixedHeader(message);
  try {
    const { header } = decodeHeader(message, fixed, new KnownCalls());
    const { signature = '', ...rest } = header ?? {};
    const bytes = message.subarray(fixed.headerBytes);
    const decoded = decodeBody({ bytes, signature, bigEndian: fixed.bigEndian, fdCount: FD_COUNT });
    return decoded.ok ? { fields: known(rest, signature), body: decoded.body } : decoded.why;
  } catch (error) {
    if (error instanceof ProtocolError) return causeChain(error);
    throw error;
  }
}

function judged(message: Buffer): Message | string {
  const fixed: FixedHeader = decodeFixedHeader(message);
  try {
    const fields = dbusNext.readFields(message, fixed);
    const named = Object.fromEntries(FIELD_RULES.map(({ name }, index) => [name, fields.get(index + 1)]));
    const signature = (fields.get(8) ?? '') as string;
    const bytes = message.subarray(fixed.headerBytes);
    const body = dbusNext.readBody(bytes, signature, fixed.bigEndian, FD_COUNT);
    return { fields: known(named, signature), body };
  } catch (error) {
    return String(error);
  }
}

/** The fields that a header keeps for its readers. */
function known(from: Readonly<Record<string, unknown>>, signature: string): unknown {
  const { path, interface: name, member, errorName, replySerial, destination, sender } = from;
  return { path, name, member, errorName, replySerial, destination, sender, signature };
}
