import { RawArgs } from '@pp/daemon';
import { configOf } from './config';

const uplinks = (...words: readonly string[]): ReturnType<typeof configOf> =>
  configOf(new RawArgs({ uplink: words }, []), () => '');

test.each([
  { in: 'eth0', want: { ifname: 'eth0', kind: null } },
  { in: 'wlan0=wifi', want: { ifname: 'wlan0', kind: 'wifi' } },
  { in: 'arcbr0', want: { ifname: 'arcbr0', kind: null } },
  { in: 'arcbr0=vpn', want: { ifname: 'arcbr0', kind: 'vpn' } },
])('--uplink $in', ({ in: word, want }) => {
  expect(uplinks(word)).toMatchObject({ ok: true, value: { uplinks: [want] } });
});

test.each([
  { in: 'lo', want: "--uplink 'lo': 'lo' cannot be an uplink; write an interface name such as eth0" },
  { in: 'eth0=', want: "--uplink 'eth0=': after the = write one of ethernet, wifi, cellular, vpn" },
  {
    in: 'eth0=vpn=wifi',
    want: "--uplink 'eth0=vpn=wifi': after the = write one of ethernet, wifi, cellular, vpn",
  },
  {
    in: 'arcbr0=wifi',
    want: "--uplink 'arcbr0=wifi': arcbr0 leads to Android, which can be the host's VPN only; write arcbr0=vpn",
  },
])('--uplink $in is refused', ({ in: word, want }) => {
  expect(uplinks(word)).toEqual({ ok: false, reason: 'InvalidArgument', sentence: want });
});
