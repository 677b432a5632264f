/** The general reader is the judge. */
import { Malformed } from '../errors';
import { CAPTURED_MESSAGES } from '../testing/golden-captured';
import { GLIB_MESSAGES } from '../testing/golden-glib';
import { decodeFixedHeader, readAnyFields, type FixedHeader } from './decode-header';
import { FIELD } from './header';
import type { Fields } from './header-fields';
import { FIXED_HEADER_BYTES } from './limits';
import { readUsualFields } from './usual-fields';

const headers = [...GLIB_MESSAGES, ...CAPTURED_MESSAGES]
  .map(({ name, hex }) => ({ name, bytes: Buffer.from(hex, 'hex') }))
  .map(({ name, bytes }) => ({ name, bytes, fixed: decodeFixedHeader(bytes) }))
  .filter(({ fixed }) => !fixed.bigEndian);

const endOf = ({ fieldsBytes }: FixedHeader): number => FIXED_HEADER_BYTES + fieldsBytes;
const usual = (bytes: Buffer, fixed: FixedHeader): Fields | undefined => readUsualFields(bytes, endOf(fixed));

/** null: refused. */
function judged(bytes: Buffer, fixed: FixedHeader): Fields | null {
  try {
    return readAnyFields(Buffer.from(bytes), fixed, endOf(fixed));
  } catch (fault) {
    if (fault instanceof Malformed) return null;
    throw fault;
  }
}

const NAMES = Object.keys(FIELD) as (keyof typeof FIELD)[];
const valuesOf = (fields: Fields | null | undefined): unknown =>
  fields === null || fields === undefined ? fields : NAMES.map((name) => fields.text(name));

test.each(headers)('$name', ({ bytes, fixed }) => {
  const fields = usual(bytes, fixed);
  if (fields !== undefined) expect(valuesOf(fields)).toEqual(valuesOf(judged(bytes, fixed)));
});

test('most messages are usual', () => {
  expect(headers.filter(({ bytes, fixed }) => usual(bytes, fixed) !== undefined).length).toBeGreaterThan(
    headers.length / 2,
  );
});

test.each(headers)(
  '$name, each byte of it another, and cut short: nothing is accepted that the judge refuses',
  ({ bytes, fixed }) => {
    for (let at = FIXED_HEADER_BYTES; at < endOf(fixed); at++) {
      for (const value of [0, 1, 2, 8, 0x2e, 0x73, 0x75, 0x80, 0xff]) {
        const other = Buffer.from(bytes);
        other[at] = value;
        const fields = usual(other, fixed);
        if (fields !== undefined)
          expect({ at, value, is: valuesOf(fields) }).toEqual({
            at,
            value,
            is: valuesOf(judged(other, fixed)),
          });
      }
      const short = Buffer.from(bytes);
      short.writeUInt32LE(at - FIXED_HEADER_BYTES, 12);
      const cut = decodeFixedHeader(short);
      const fields = usual(short, cut);
      if (fields !== undefined) expect(valuesOf(fields)).toEqual(valuesOf(judged(short, cut)));
    }
  },
);
