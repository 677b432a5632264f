import { RawArgs } from '@pp/daemon';
import { configOf } from './config';

const ACCOUNTS = 'root:x:0:0:root:/root:/bin/sh\nvm:x:1001:1001::/home/vm:/bin/sh\n';

/** The config, or the sentence that refuses it. */
function asked(options: Readonly<Record<string, unknown>>, accounts = ACCOUNTS): unknown {
  const checked = configOf(new RawArgs(options, []), () => accounts);
  return checked.ok ? checked.value : checked.sentence;
}

test('what is not said', () => {
  expect(asked({})).toMatchObject({
    uplinks: [],
    onExit: 'clean',
    helpers: 'spawn',
    tapOwner: null,
    sessionUser: null,
    monitor: 'wifi',
    network: 'rtnetlink',
    state: null,
  });
});

test.each([
  {
    name: 'uplinks with and without a kind',
    in: { uplink: ['eth0', 'wlan0=wifi'] },
    want: {
      uplinks: [
        { ifname: 'eth0', kind: null },
        { ifname: 'wlan0', kind: 'wifi' },
      ],
    },
  },
  {
    name: 'ARC’s bridge, of the kind that it has',
    in: { uplink: ['arcbr0'] },
    want: { uplinks: [{ ifname: 'arcbr0', kind: null }] },
  },
  {
    name: 'ARC’s bridge as a VPN',
    in: { uplink: ['arcbr0=vpn'] },
    want: { uplinks: [{ ifname: 'arcbr0', kind: 'vpn' }] },
  },
  { name: 'a user by name', in: { tapOwner: 'vm' }, want: { tapOwner: 1001 } },
  { name: 'a user by number', in: { sessionUser: '4711' }, want: { sessionUser: 4711 } },
  { name: 'a user of a directory', in: { tapOwner: '1987654321' }, want: { tapOwner: 1_987_654_321 } },
  { name: 'the last user', in: { tapOwner: '4294967294' }, want: { tapOwner: 4_294_967_294 } },
  { name: 'state in files', in: { state: 'file' }, want: { state: null } },
  { name: 'counters of a fleet', in: { state: 'redis://10.0.0.1' }, want: { state: 'redis://10.0.0.1' } },
  { name: 'shill', in: { network: 'shill' }, want: { network: 'shill', uplinks: [] } },
])('$name', ({ in: options, want }) => {
  expect(asked(options)).toMatchObject(want);
});

test('the person in front of a Chromebook is found', () => {
  expect(asked({}, `${ACCOUNTS}chronos:x:1000:1000::/:/bin/sh\n`)).toMatchObject({ sessionUser: 1000 });
});

test.each([
  {
    name: 'lo',
    in: { uplink: ['lo'] },
    want: "--uplink 'lo': 'lo' cannot be an uplink; write an interface name such as eth0",
  },
  {
    name: 'no store',
    in: { state: 'memcached://h' },
    want: "--state: store 'memcached://h' is no store; write redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB], redis+unix:/PATH or file:/PATH, or file",
  },
  {
    name: 'a store for counters that others run',
    in: { state: 'redis://10.0.0.1', helpers: 'none' },
    want: '--state is for the counters that the manager runs: with --helpers none give it to counters instead',
  },
  {
    name: 'an unknown kind',
    in: { uplink: ['eth0', 'wlan0=radio'] },
    want: "--uplink 'wlan0=radio': after the = write one of ethernet, wifi, cellular, vpn",
  },
  {
    name: 'no kind behind the =',
    in: { uplink: ['eth0='] },
    want: "--uplink 'eth0=': after the = write one of ethernet, wifi, cellular, vpn",
  },
  {
    name: 'an uplink twice',
    in: { uplink: ['eth0', 'eth0=wifi'] },
    want: "--uplink names 'eth0' twice; write it once",
  },
  {
    name: 'pools that overlap',
    in: { pool: ['termina=10.0.0.0/16', 'lxd=10.0.0.0/8'] },
    want: '--pool lxd=10.0.0.0/8 overlaps 10.0.0.0/16; write addresses that nobody else has',
  },
  {
    name: 'two kinds',
    in: { uplink: ['eth0=vpn=wifi'] },
    want: "--uplink 'eth0=vpn=wifi': after the = write one of ethernet, wifi, cellular, vpn",
  },
  {
    name: 'ARC’s bridge as anything but a VPN',
    in: { uplink: ['arcbr0=wifi'] },
    want: "--uplink 'arcbr0=wifi': arcbr0 leads to Android, which can be the host's VPN only; write arcbr0=vpn",
  },
  { name: 'a pool that is none', in: { pool: ['10.80.0.0/16'] }, want: /write KIND=CIDR/ },
  {
    name: 'another word',
    in: { onExit: 'stay' },
    want: "--on-exit 'stay' is unknown; write clean or keep",
  },
  {
    name: 'nobody',
    in: { tapOwner: 'nobody' },
    want: "--tap-owner 'nobody' is no user of this host; write a name of /etc/passwd or a uid",
  },
  {
    name: 'the uid that is nobody’s',
    in: { tapOwner: '4294967295' },
    want: "--tap-owner '4294967295' is no user of this host; write a name of /etc/passwd or a uid",
  },
  {
    name: 'shill with uplinks',
    in: { network: 'shill', uplink: ['eth0'] },
    want: '--network shill names the uplinks itself: leave --uplink out',
  },
])('$name is refused', ({ in: options, want }) => {
  expect(asked(options)).toEqual(want instanceof RegExp ? expect.stringMatching(want) : want);
});
