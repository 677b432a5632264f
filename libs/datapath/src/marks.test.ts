import {
  allBut,
  formatMark,
  MARK_LAYOUT,
  NOWHERE_TAG,
  routingTable,
  routingTag,
  sourceFromProto,
  sourceMark,
  sourceOfMark,
  sourceToProto,
  TRAFFIC_SOURCES,
} from './marks';

test('the layout covers each of 32 bits once', () => {
  const union = MARK_LAYOUT.reduce((bits, { mask }) => (bits | mask) >>> 0, 0);
  const sum = MARK_LAYOUT.reduce((total, { mask }) => total + mask, 0);
  expect([formatMark(union), sum]).toEqual(['0xffffffff', 0xffffffff]);
});

// spec/patchpanel.md 3.2
test('each source has its mark and its number in the API', () => {
  expect(
    TRAFFIC_SOURCES.map((source) => [source, formatMark(sourceMark(source)), sourceToProto(source)]),
  ).toEqual([
    ['UNKNOWN', '0x00000000', 0],
    ['CHROME', '0x00000100', 1],
    ['USER', '0x00000200', 2],
    ['UPDATE_ENGINE', '0x00000300', 6],
    ['SYSTEM', '0x00000400', 8],
    ['HOST_VPN', '0x00000500', 7],
    ['ARC', '0x00002000', 3],
    ['CROSVM', '0x00002100', 4],
    ['PLUGINVM', '0x00002200', 5],
    ['TETHER_DOWNSTREAM', '0x00002300', 8],
    ['ARC_VPN', '0x00002400', 7],
  ]);
});

test('what a client names: VPN is the host VPN, SYSTEM the system, 9 nothing', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(sourceFromProto)).toEqual([
    'UNKNOWN',
    'CHROME',
    'USER',
    'ARC',
    'CROSVM',
    'PLUGINVM',
    'UPDATE_ENGINE',
    'HOST_VPN',
    'SYSTEM',
    null,
  ]);
});

test('the source is read from a mark whatever its other bits', () => {
  expect(sourceOfMark(0x83eaa101 - 0x80000000)).toBe('CROSVM');
  expect(sourceOfMark(0xffff3f00)).toBe('UNKNOWN');
});

test('tag and table of an interface', () => {
  expect([formatMark(routingTag(2)), routingTable(2)]).toEqual(['0x03ea0000', 1002]);
  expect(formatMark(routingTag(64535))).toBe('0xffff0000');
  expect(formatMark(NOWHERE_TAG)).toBe('0x03e80000');
  expect(() => routingTag(64536)).toThrow(RangeError);
});

test('masks are unsigned', () => {
  expect(formatMark(allBut(0x3f00))).toBe('0xffffc0ff');
});
