import { SeededRandom } from '@pp/base/testing';
import { Malformed } from '../errors';
import { CAPTURED_MESSAGES } from '../testing/golden-captured';
import { GLIB_MESSAGES } from '../testing/golden-glib';
import { decodeFixedHeader, readFields } from './decode-header';
import type { HeaderFields } from './header-fields';
import { FIXED_HEADER_BYTES } from './limits';
import { KnownCalls, usualFields } from './usual-fields';

const HEADERS = [...GLIB_MESSAGES, ...CAPTURED_MESSAGES]
  .map(({ name, hex }) => ({
    name,
    bytes: Buffer.from(hex, 'hex'),
    ...decodeFixedHeader(Buffer.from(hex, 'hex')),
  }))
  .filter(({ bigEndian }) => !bigEndian)
  .map(({ name, bytes, headerBytes, fieldsBytes }) => ({
    name,
    bytes: bytes.subarray(0, headerBytes),
    end: FIXED_HEADER_BYTES + fieldsBytes,
  }));

/** Undefined: malformed. */
function careful(bytes: Buffer, end: number): HeaderFields | undefined {
  try {
    return readFields(bytes, end, false);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

test.each(HEADERS)('$name is usual', ({ bytes, end }) => {
  expect(usualFields(bytes, end)).toEqual(readFields(bytes, end, false));
});

test('a zero behind the last field is not padding: what follows is the body, and is not looked at', () => {
  const member = Buffer.from([3, 1, 0x73, 0, 2, 0, 0, 0, 0x61, 0x62, 0, 0, 0, 0, 0, 0]); // "ab", one zero too many, padding
  const message = Buffer.concat([Buffer.alloc(FIXED_HEADER_BYTES), member, Buffer.from([1])]);
  expect(usualFields(message, FIXED_HEADER_BYTES + 12)).toBeUndefined();
  expect(careful(message, FIXED_HEADER_BYTES + 12)).toBeUndefined();
});

test('what is read at once is read so by the careful way too, however it is damaged', () => {
  const random = new SeededRandom(20261122);
  for (let round = 0; round < 20_000; round++) {
    const { bytes, end } = random.pick(HEADERS);
    const damaged = Buffer.from(bytes);
    for (let hits = random.below(3) + 1; hits > 0; hits--)
      damaged[FIXED_HEADER_BYTES + random.below(end - FIXED_HEADER_BYTES)] = random.below(256);
    const cut = random.below(4) === 0 ? end - random.below(8) : end;
    const usual = usualFields(damaged, cut);
    if (usual !== undefined) expect(usual).toEqual(careful(damaged, cut));
  }
});

test('what was read once is read so again, and what is damaged since is not', () => {
  const random = new SeededRandom(20261123);
  const known = new KnownCalls();
  for (let round = 0; round < 5_000; round++) {
    const { bytes, end } = random.pick(HEADERS);
    const now = Buffer.from(bytes);
    if (random.below(2) === 0)
      now[FIXED_HEADER_BYTES + random.below(end - FIXED_HEADER_BYTES)] = random.below(256);
    expect(known.fieldsOf(now, end)).toEqual(usualFields(now, end));
  }
});
