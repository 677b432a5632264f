import { parseBusAddresses, systemBusAddress } from './address';

test.each([
  { name: 'a path', in: 'unix:path=/run/bus', want: [['/run/bus', undefined]] },
  { name: 'an abstract name', in: 'unix:abstract=/tmp/x', want: [['@/tmp/x', undefined]] },
  { name: 'a guid', in: 'unix:path=/a,guid=00ff', want: [['/a', '00ff']] },
  {
    name: 'a list',
    in: 'unix:path=/a;unix:abstract=b;',
    want: [
      ['/a', undefined],
      ['@b', undefined],
    ],
  },
  { name: 'escapes', in: 'unix:path=/a%20b%2c%3B%c3%a4', want: [['/a b,;ä', undefined]] },
  { name: 'a path that looks abstract', in: 'unix:path=@a', want: [['./@a', undefined]] },
])('$name', ({ in: list, want }) => {
  expect(parseBusAddresses(list).map(({ path, guid }) => [path, guid])).toEqual(want);
});

test.each([
  { name: 'nothing', in: '', want: 'empty' },
  {
    name: 'TCP',
    in: 'tcp:host=localhost,port=1',
    want: "'tcp:host=localhost,port=1' is not supported: only unix:path=",
  },
  { name: 'no transport', in: '/run/bus', want: 'not supported' },
  {
    name: 'a second address of another transport',
    in: 'unix:path=/a;launchd:env=X',
    want: "'launchd:env=X'",
  },
  { name: 'neither path nor abstract', in: 'unix:runtime=yes', want: 'either path= or abstract=' },
  { name: 'both', in: 'unix:path=/a,abstract=b', want: 'either path= or abstract=' },
  { name: 'a key twice', in: 'unix:path=/a,path=/b', want: 'path twice' },
  { name: 'a key without a value', in: 'unix:path', want: "'path' where key=value should be" },
  { name: 'a value without a key', in: 'unix:=/a', want: 'key=value' },
  { name: 'half an escape', in: 'unix:path=/a%2', want: 'escape' },
  { name: 'an escape that is not hexadecimal', in: 'unix:path=/a%zz', want: 'escape' },
])('refused: $name', ({ in: list, want }) => {
  expect(() => parseBusAddresses(list)).toThrow(want);
});

test.each([
  { env: {}, want: 'unix:path=/run/dbus/system_bus_socket' },
  { env: { DBUS_SYSTEM_BUS_ADDRESS: '' }, want: 'unix:path=/run/dbus/system_bus_socket' },
  { env: { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/a' }, want: 'unix:path=/a' },
])('the system bus of $env', ({ env, want }) => {
  expect(systemBusAddress(env)).toBe(want);
});
