import { Malformed } from '../errors';
import { CAPTURED_MESSAGES } from '../testing/golden-captured';
import { GLIB_MESSAGES } from '../testing/golden-glib';
import { encodeBody } from '../testing/raw-message';
import { decodeBody } from './body';
import { decodeFixedHeader } from './decode-header';
import { Variant } from './values';

const decode = (signature: string, hex: string, fdCount = 0): ReturnType<typeof decodeBody> =>
  decodeBody({ bytes: Buffer.from(hex.replaceAll(' ', ''), 'hex'), signature, bigEndian: false, fdCount });

describe('bodies of other implementations', () => {
  test.each([...GLIB_MESSAGES, ...CAPTURED_MESSAGES])('$name', (golden) => {
    const message = Buffer.from(golden.hex, 'hex');
    const { headerBytes, bigEndian } = decodeFixedHeader(message);
    const signature = String(golden.header['signature']);
    const bytes = Buffer.from(message.subarray(headerBytes));
    const littleEndian = Buffer.from(bytes);
    const decoded = decodeBody({ bytes, signature, bigEndian, fdCount: golden.unixFds });
    expect(decoded).toEqual({ ok: true, body: golden.body });
    if (!bigEndian) expect(encodeBody(signature, golden.body, golden.unixFds)).toEqual(littleEndian);
  });
});

describe('malformed bodies', () => {
  test.each([
    { name: 'nothing', in: ['ay', ''] },
    { name: 'half a length', in: ['ay', '0100'] },
    { name: 'an array longer than the body', in: ['ay', '02000000 41'] },
    { name: 'a length of 2^32 - 1', in: ['ay', 'ffffffff 41'] },
    { name: 'bytes after the array', in: ['ay', '01000000 41 00'] },
    { name: 'a descriptor index without a descriptor', in: ['ayh', '01000000 41 000000 00000000'] },
    { name: 'padding that is not zero', in: ['ayh', '01000000 41 000001 00000000'], fdCount: 1 },
    { name: 'a descriptor index beyond the last', in: ['ayh', '00000000 01000000'], fdCount: 1 },
    { name: 'no descriptor index', in: ['ayh', '00000000'], fdCount: 1 },
    { name: 'a boolean of 2', in: ['b', '02000000'] },
    { name: 'half a number', in: ['t', '01000000'] },
    { name: 'a string without its NUL', in: ['s', '01000000 41'] },
    { name: 'a string whose NUL is a letter', in: ['s', '01000000 4141'] },
    { name: 'a string with a NUL inside', in: ['s', '03000000 41004100'] },
    { name: 'a string that is not UTF-8', in: ['s', '01000000 ff00'] },
    { name: 'a surrogate in a string', in: ['s', '03000000 eda08000'] },
    { name: 'an object path that is none', in: ['o', '01000000 6100'] },
    { name: 'a signature that is none', in: ['g', '017a00'] },
    { name: 'a signature without its NUL', in: ['g', '0179'] },
    { name: 'a variant of two types', in: ['v', '02797900 0101'] },
    { name: 'a variant of no type', in: ['v', '0000'] },
    { name: 'a variant without its value', in: ['v', '017500 00'] },
    { name: 'an array that ends within an element', in: ['ai', '06000000 01000000 0200'] },
    {
      name: 'an array of structs that ends within an element',
      in: ['a(ys)', '05000000 00000000 01 000000 00 000000 00'],
    },
    { name: 'array padding that is not zero', in: ['at', '00000000 01000000'] },
    { name: 'no array padding', in: ['at', '00000000'] },
    { name: 'struct padding that is not zero', in: ['y(y)', '01 00000000000001 02'] },
    { name: 'an array of 64 MiB and a byte', in: ['ai', '04000004'] },
    { name: 'another signature than the bytes', in: ['su', '00000000 00'] },
    { name: 'variants 65 deep', in: ['v', '017600'.repeat(64) + '017900 01'] },
    { name: 'a signature that is none, for the body', in: ['a', '00000000'] },
  ])('$name', ({ in: [signature = '', hex = ''], fdCount }) => {
    const decoded = decode(signature, hex, fdCount);
    expect(decoded).toEqual({ ok: false, why: expect.any(String) as string });
  });

  test.each(['ayh', 'a{sv}a(yt)aayav', 'ynqiuxtdbsogv'])('every prefix of %s', (signature) => {
    const golden = GLIB_MESSAGES.find(({ header }) => String(header['signature']).startsWith(signature));
    const message = Buffer.from(golden?.hex ?? '', 'hex');
    const body = message.subarray(decodeFixedHeader(message).headerBytes);
    const whole = String(golden?.header['signature']);
    const accepted = Array.from(body.keys()).filter(
      (end) => decode(whole, body.toString('hex', 0, end), 1).ok,
    );
    expect(accepted).toEqual([]);
  });

  test('variants 64 deep are allowed', () => {
    expect(decode('v', '017600'.repeat(63) + '017900 01').ok).toBe(true);
  });

  test('the sentence says where and what', () => {
    expect(decode('b', '02000000')).toEqual({ ok: false, why: 'at byte 4: a boolean is neither 0 nor 1' });
  });
});

describe('values that cannot be sent', () => {
  test.each([
    { name: 'too few values', in: ['ss', ['a']] },
    { name: 'too many values', in: ['s', ['a', 'b']] },
    { name: 'a number for a string', in: ['s', [1]] },
    { name: 'a string with a NUL', in: ['s', ['a\0b']] },
    { name: 'undefined', in: ['s', [undefined]] },
    { name: 'null', in: ['u', [null]] },
    { name: 'a number that is too large', in: ['y', [256]] },
    { name: 'a fraction', in: ['u', [1.5]] },
    { name: 'a string for bytes', in: ['ay', ['abc']] },
    { name: 'an object path that is none', in: ['o', ['a']] },
    { name: 'a signature that is none', in: ['g', ['a']] },
    { name: 'a plain value for a variant', in: ['v', ['a']] },
    { name: 'a variant with a wrong value', in: ['v', [new Variant('u', 'a')]] },
    { name: 'a variant of two types', in: ['v', [new Variant('uu', [1, 2])]] },
    { name: 'an object for a dict', in: ['a{sv}', [{}]] },
    { name: 'a struct of another length', in: ['(ii)', [[1]]] },
    { name: 'a struct that is no array', in: ['(ii)', ['ab']] },
    { name: 'an array that is none', in: ['as', ['ab']] },
    { name: 'a descriptor index without a descriptor', in: ['h', [0]] },
    { name: 'bytes with a descriptor index without a descriptor', in: ['ayh', [new Uint8Array(), 0]] },
    { name: 'bytes with half a descriptor index', in: ['ayh', [new Uint8Array(), 0.5]] },
    { name: 'a signature that is none, for the body', in: ['{sv}', [new Map()]] },
  ] as const)('$name', ({ in: [signature, values] }) => {
    expect(() => encodeBody(signature, values, 0)).toThrow(TypeError);
  });

  test('the cause says what is wrong', () => {
    expect(() => encodeBody('o', ['a'], 0)).toThrow(
      expect.objectContaining({ cause: expect.any(Malformed) as Error }) as Error,
    );
  });
});

describe('bytes', () => {
  test.each([0, 1, 2, 3, 4, 5, 255, 1024 * 1024])(
    '%i of them there and back, with and without a descriptor',
    (length) => {
      const data = Uint8Array.from({ length }, (_, index) => index * 7);
      for (const [signature, values] of [
        ['ay', [data]],
        ['ayh', [data, 1]],
      ] as const) {
        const bytes = encodeBody(signature, values, 2);
        const decoded = decodeBody({ bytes, signature, bigEndian: false, fdCount: 2 });
        const [read = new Uint8Array(), index] = decoded.ok ? (decoded.body as [Uint8Array, number?]) : [];
        expect([Buffer.compare(read, data), index]).toEqual([0, values[1]]);
      }
    },
  );
});

test('dict keys are never taken for properties of an object', () => {
  const body = [new Map([['__proto__', new Variant('u', 1)]])];
  const decoded = decodeBody({
    bytes: encodeBody('a{sv}', body, 0),
    signature: 'a{sv}',
    bigEndian: false,
    fdCount: 0,
  });
  expect(decoded).toEqual({ ok: true, body });
});
