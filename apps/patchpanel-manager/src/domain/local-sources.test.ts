import { localSourcesOf } from './local-sources';

const CGROUPS = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nnet_cls\t0\t1\t1\n';

const rows = [
  { name: 'no user of interest', accounts: 'root:x:0:0::/root:/bin/sh\n', session: null, want: [] },
  {
    name: 'those that this host has',
    accounts: 'tlsdate:x:233:233::/:/bin/false\ncups:x:269:269::/:/bin/false\n',
    session: null,
    want: [
      { uid: 269, source: 'USER' },
      { uid: 233, source: 'SYSTEM' },
    ],
  },
  {
    name: 'all of spec 3.2',
    accounts: [
      'debugd',
      'cups',
      'lpadmin',
      'kerberosd',
      'kerberosd-exec',
      'tlsdate',
      'pluginvm',
      'fuse-smbfs',
    ]
      .map((name, i) => `${name}:x:${i}:${i}::/:/bin/false\n`)
      .join(''),
    session: null,
    want: [
      { uid: 0, source: 'USER' },
      { uid: 1, source: 'USER' },
      { uid: 2, source: 'USER' },
      { uid: 3, source: 'SYSTEM' },
      { uid: 4, source: 'SYSTEM' },
      { uid: 5, source: 'SYSTEM' },
      { uid: 6, source: 'USER' },
      { uid: 7, source: 'SYSTEM' },
    ],
  },
  { name: "the session's user", accounts: '', session: 1000, want: [{ uid: 1000, source: 'CHROME' }] },
  {
    name: 'two names of one uid count once',
    accounts: 'debugd:x:1000:1::/:\nkerberosd:x:1000:1::/:\n',
    session: 1000,
    want: [{ uid: 1000, source: 'CHROME' }],
  },
  { name: 'lines that are none', accounts: 'cups:x:abc:\ncups\n\n', session: null, want: [] },
] as const;

test.each(rows)('local sources: $name', ({ accounts, session, want }) => {
  expect(localSourcesOf(accounts, CGROUPS, session).sources).toEqual({ users: want, cgroup: true });
});

test('what is not here is told', () => {
  const { absent, sources } = localSourcesOf('cups:x:269:269::/:/bin/false\n', 'cpu\t1\t1\t1\n', null);
  expect(absent).toContain('debugd');
  expect(absent).not.toContain('cups');
  expect(sources.cgroup).toBe(false);
});
