import { join } from 'node:path';
import { SeededRandom } from '@pp/base/testing';
import { loadSync } from 'protobufjs';
import { decodeStrict, encode, type Init } from './codec';
import { FIELDS, type MessageName, type Messages } from './gen/messages';
import { GOLDEN } from './testing/golden';

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const refusal = (name: MessageName, bytes: Uint8Array): string | undefined => {
  const decoded = decodeStrict(name, bytes);
  return decoded.ok ? undefined : decoded.sentence;
};

test('every message has a golden row with every field set', () => {
  const set = GOLDEN.map(({ name, message }) => [name, Object.keys(message)]);
  const all = Object.entries(FIELDS).map(([name, fields]) => [
    name,
    Object.values(fields).map((field) => field.name),
  ]);
  expect(new Map(set as [])).toEqual(new Map(all as []));
});

describe.each(GOLDEN)('$name', ({ name, message, fields }) => {
  const bytes = fromHex(fields.join(''));

  test('encodes to the golden bytes', () => {
    expect(toHex(encode(name, message))).toBe(fields.join(''));
  });

  test('decodes from the golden bytes', () => {
    expect(decodeStrict(name, bytes)).toEqual({ ok: true, value: message });
  });

  test('of its prefixes only those that end between two fields are accepted', () => {
    const ends = fields.map((_, count) => fields.slice(0, count).join('').length / 2);
    const accepted = [...bytes.keys()].filter((length) => decodeStrict(name, bytes.subarray(0, length)).ok);
    expect(accepted).toEqual(ends);
  });

  test('a field from the future is dropped, whatever its wire type', () => {
    // 1000 as a varint, fixed64, bytes, group (with a varint inside), fixed32
    const future = ['c03e01', 'c13e0102030405060708', 'c23e03616263', 'c33e0805c43e', 'c53e01020304'].join(
      '',
    );
    expect(decodeStrict(name, fromHex(future + fields.join('') + future))).toEqual({
      ok: true,
      value: message,
    });
  });
});

describe('every known field with every wrong wire type', () => {
  const bodies = ['01', '0102030405060708', '0161', undefined, undefined, '01020304']; // by wire type
  const rows = Object.entries(FIELDS).flatMap(([name, fields]) =>
    Object.entries(fields).map(([number, field]) => ({
      name: name as MessageName,
      number: Number(number),
      field,
    })),
  );
  test.each(rows)('$name.$field.protoName', ({ name, number, field }) => {
    const right = ['string', 'bytes', 'message'].includes(field.kind) ? 2 : 0;
    const refused = [0, 1, 2, 3, 4, 5, 6, 7].filter((wireType) => {
      const bytes = fromHex(
        ((number << 3) | wireType).toString(16).padStart(2, '0') + (bodies[wireType] ?? ''),
      );
      return refusal(name, bytes)?.includes(
        `field ${number} (${field.protoName}) has wire type ${wireType}, must be ${right}`,
      );
    });
    expect(refused).toEqual([0, 1, 2, 3, 4, 5, 6, 7].filter((wireType) => wireType !== right));
  });
});

describe('defaults and odd values', () => {
  const rows: { name: string; message: MessageName; in: string; want: object }[] = [
    { name: 'nothing at all', message: 'ArcStartupRequest', in: '', want: { pid: 0 } },
    {
      name: 'an enum value of a later version',
      message: 'SetVpnIntentRequest',
      in: '0863',
      want: { policy: 99 },
    },
    {
      name: 'a negative enum value',
      message: 'SetVpnIntentRequest',
      in: '08ffffffffffffffffff01',
      want: { policy: -1 },
    },
    { name: 'a field twice: the last wins', message: 'ArcStartupRequest', in: '08010802', want: { pid: 2 } },
    {
      name: 'int32 -1 in five bytes, as old encoders write it',
      message: 'ArcStartupRequest',
      in: '08ffffffff0f',
      want: { pid: -1 },
    },
    { name: 'a varint padded with zeros', message: 'ArcStartupRequest', in: '08818000', want: { pid: 1 } },
    { name: 'bool as 2', message: 'SetVpnLockdownRequest', in: '0802', want: { enableVpnLockdown: true } },
    {
      name: 'a submessage in two parts is joined',
      message: 'TerminaVmStartupResponse',
      in: '12020805' + '1202101c',
      want: { device: undefined, containerSubnet: { baseAddr: 5, prefixLen: 28 } },
    },
    {
      name: 'an empty submessage is present',
      message: 'TerminaVmStartupResponse',
      in: '1200',
      want: { device: undefined, containerSubnet: { baseAddr: 0, prefixLen: 0 } },
    },
  ];
  test.each(rows)('$name', ({ message, in: hex, want }) => {
    expect(decodeStrict(message, fromHex(hex))).toEqual({ ok: true, value: want });
  });
});

describe('malformed', () => {
  const rows: { name: string; message: MessageName; in: string; want: string }[] = [
    { name: 'a tag without value', message: 'ArcStartupRequest', in: '08', want: 'it is cut short' },
    {
      name: 'a varint that never ends',
      message: 'ArcStartupRequest',
      in: '08ffffffffffffffffffff01',
      want: 'a number is too long (byte 1)',
    },
    {
      name: 'a varint of 65 bits',
      message: 'ArcStartupRequest',
      in: '08ffffffffffffffffff02',
      want: 'a number is too long (byte 1)',
    },
    {
      name: 'an endless unknown varint',
      message: 'ArcStartupRequest',
      in: 'c03e8080808080808080808000',
      want: 'a number is too long (byte 2)',
    },
    {
      name: 'a tag of 36 bits',
      message: 'ArcStartupRequest',
      in: '888080808001',
      want: 'a number is too long (byte 0)',
    },
    {
      name: 'a tag above 32 bits',
      message: 'ArcStartupRequest',
      in: '888080801001',
      want: 'a tag is longer than 32 bits (byte 5)',
    },
    {
      name: 'a string longer than the body',
      message: 'TrafficCountersRequest',
      in: '0a0565746830',
      want: 'it is cut short',
    },
    {
      name: 'a length of 4 GiB',
      message: 'TrafficCountersRequest',
      in: '0affffffff0f',
      want: 'it is cut short',
    },
    {
      name: 'a string that is no UTF-8',
      message: 'TrafficCountersRequest',
      in: '0a02c328',
      want: 'field 1 (devices) is not UTF-8',
    },
    {
      name: 'a surrogate in a string',
      message: 'TrafficCountersRequest',
      in: '0a03eda080',
      want: 'field 1 (devices) is not UTF-8',
    },
    { name: 'field number 0', message: 'ArcStartupRequest', in: '0001', want: 'a field has the number 0' },
    {
      name: 'wire type 6',
      message: 'ArcStartupRequest',
      in: 'c63e',
      want: 'field 1000 has the unknown wire type 6',
    },
    {
      name: 'a group that ends only',
      message: 'ArcStartupRequest',
      in: 'c43e',
      want: 'group 1000 ends but never began',
    },
    { name: 'a group without end', message: 'ArcStartupRequest', in: 'c33e0801', want: 'it is cut short' },
    {
      name: 'a group that ends as another',
      message: 'ArcStartupRequest',
      in: 'c33ecc3e',
      want: 'group 1000 ends as 1001',
    },
    {
      name: 'groups in groups',
      message: 'ArcStartupRequest',
      in: 'c33e'.repeat(17),
      want: 'groups are nested too deeply',
    },
    {
      name: 'a fault inside a submessage',
      message: 'GetDevicesResponse',
      in: '0a041a020801' + '0a041a021200',
      want: 'in field 1 (devices): in field 3 (ipv4_subnet): field 2 (prefix_len) has wire type 2, must be 0',
    },
  ];
  test.each(rows)('$name', ({ message, in: hex, want }) => {
    expect(decodeStrict(message, fromHex(hex))).toEqual({
      ok: false,
      reason: 'InvalidArgument',
      sentence: `the body is not a ${message}: ${want}`,
    });
  });
});

describe('as protobufjs reads and writes it', () => {
  const files = ['patchpanel_service', 'forwarding', 'counters'];
  const root = loadSync(files.map((file) => join(__dirname, `../../../proto/${file}.proto`)));
  test.each(GOLDEN)('$name', ({ name, message, fields }) => {
    const type = root.lookupType(`patchpanel.${name}`);
    const read = type.decode(fromHex(fields.join('')));
    expect(toHex(type.encode(read).finish())).toBe(toHex(encode(name, message)));
    const plain = type.toObject(read, { longs: String, bytes: Array, defaults: true });
    expect(plainOf(message)).toEqual(plain);
  });
});

/** Numbers of 64 bits as text, bytes as lists, an absent message as null. */
const plainOf = (value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plainOf);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainOf(each)]));
};

test('damaged bytes are refused or decode, and never throw', () => {
  const random = new SeededRandom(20260101);
  for (let round = 0; round < 20_000; round++) {
    const { name, fields } = random.pick(GOLDEN);
    const bytes = fromHex(fields.join('') + 'c33e0805c43e');
    for (let hits = random.below(3) + 1; hits > 0; hits--)
      bytes[random.below(bytes.length)] = random.below(256);
    expect(() => decodeStrict(name, bytes)).not.toThrow();
  }
});

describe('encode refuses numbers that their field cannot hold', () => {
  const rows: { name: string; run: () => unknown; want: string }[] = [
    { name: 'uint32 below 0', run: put('ArcVmStartupRequest', { cid: -1 }), want: 'cid=-1 is a uint32' },
    {
      name: 'uint32 above',
      run: put('ArcVmStartupRequest', { cid: 2 ** 32 }),
      want: 'cid=4294967296 is a uint32',
    },
    { name: 'a fraction', run: put('ArcStartupRequest', { pid: 1.5 }), want: 'pid=1.5 is an int32' },
    { name: 'uint64 below 0', run: put('PluginVmShutdownRequest', { id: -1n }), want: 'id=-1 is a uint64' },
    {
      name: 'uint64 above',
      run: put('PluginVmShutdownRequest', { id: 1n << 64n }),
      want: 'id=18446744073709551616 is a uint64',
    },
  ];
  test.each(rows)('$name', ({ run, want }) => {
    expect(run).toThrow(`broken invariant: ${want}`);
  });

  function put<M extends MessageName>(name: M, message: Init<Messages[M]>): () => unknown {
    return () => encode(name, message);
  }
});
