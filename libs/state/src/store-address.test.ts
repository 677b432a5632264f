import { checkedStore, shownStore } from './store-address';

test.each([
  { in: 'memory:', want: { kind: 'memory' } },
  { in: 'file:/var/lib/x', want: { kind: 'file', path: '/var/lib/x' } },
  { in: 'redis://10.0.0.1', want: { kind: 'redis', url: 'redis://10.0.0.1' } },
  { in: 'rediss://u:p@[fd00::1]:7/2', want: { kind: 'redis', url: 'rediss://u:p@[fd00::1]:7/2' } },
  { in: 'redis+unix:/run/r.sock', want: { kind: 'redis', url: 'redis+unix:/run/r.sock' } },
  {
    in: '',
    want: "store '' is no store; write redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB], redis+unix:/PATH or file:/PATH",
  },
  {
    in: 'memcached://x',
    want: "store 'memcached://x' is no store; write redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB], redis+unix:/PATH or file:/PATH",
  },
  {
    in: 'file:x',
    want: "store 'file:x' has no path from the root; write for example file:/var/lib/patchpanel/fleet-sums",
  },
  { in: 'redis:', want: "store 'redis:' is no address of Redis; write for example redis://10.0.0.1:6379" },
  {
    in: 'redis://u:secret@h:99999',
    want: "store 'redis://h:99999' is no address of Redis; write for example redis://10.0.0.1:6379",
  },
  {
    in: 'redis://h/x',
    want: "store 'redis://h/x' is no address of Redis; write for example redis://10.0.0.1:6379",
  },
  {
    in: 'redis+unix:r',
    want: "store 'redis+unix:r' has no path from the root; write for example redis+unix:/run/redis/redis.sock",
  },
])('$in', ({ in: text, want }) => {
  const checked = checkedStore(text);
  expect(checked.ok ? checked.value : checked.sentence).toEqual(want);
});

test.each([
  { in: 'redis://u:p@h:1/2', want: 'redis://h:1/2' },
  { in: 'redis+unix:/run/r.sock?db=2&password=p', want: 'redis+unix:/run/r.sock' },
])('a password is not shown: $in', ({ in: url, want }) => {
  expect(shownStore({ kind: 'redis', url })).toBe(want);
});

test.each(['redis://:sec/ret@h', 'Redis://u:secret@h', 'redis:/u:secret@h', 'rediss://h/x?password=secret'])(
  'nor in what refuses %s',
  (text) => {
    const checked = checkedStore(text);
    expect(checked.ok || checked.sentence).toMatch(/^store '[^@?]*h(\/x)?' is no /);
    expect(checked.ok || checked.sentence).not.toMatch(/sec|ret@/);
  },
);
