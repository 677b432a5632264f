import { isBusName, isInterfaceName, isMemberName, isObjectPath } from './names';

const LONG = 'a'.repeat(127);

test.each([
  {
    check: isObjectPath,
    good: ['/', '/a', '/a/b_1', '/1'],
    bad: ['', 'a', '//', '/a/', '/a//b', '/a-b', '/ä', '/a\n'],
  },
  {
    check: isInterfaceName,
    good: ['a.b', 'org.chromium.PatchPanel', '_a._b', `${LONG}.${LONG}`],
    bad: ['', 'a', '.a', 'a.', 'a..b', '1a.b', 'a.1b', 'a-b.c', 'a.b\n', `${LONG}.${LONG}a`],
  },
  { check: isMemberName, good: ['Ping', '_a1'], bad: ['', '1a', 'a.b', 'a-b', 'a'.repeat(256)] },
  {
    check: isBusName,
    good: [':1.42', ':1.a-b', 'org.freedesktop.DBus', 'a-b.c'],
    bad: ['', ':', ':1', 'a', 'a.1b', '1.a', '.a.b', 'a.b.', ':1..2'],
  },
])('$check.name', ({ check, good, bad }) => {
  expect([good.filter((text) => !check(text)), bad.filter(check)]).toEqual([[], []]);
});
