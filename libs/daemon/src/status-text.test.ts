import { statusText } from './status-text';

describe('statusText', () => {
  const rows: { name: string; in: object; want: string }[] = [
    { name: 'nothing', in: {}, want: '' },
    {
      name: 'plain values in columns',
      in: { name: 'relay', uptimeSec: 3, ready: true, uplinks: [], tags: ['a', 'b'], vpn: null },
      want: 'name       relay\nuptimeSec  3\nready      true\nuplinks    -\ntags       a,b\nvpn        -\n',
    },
    {
      name: 'lists of objects as tables',
      in: {
        ready: true,
        uplinks: [
          { ifname: 'eth0', addresses: ['192.0.2.1/24'] },
          { ifname: 'wlan0', default: true },
        ],
      },
      want: 'ready  true\n\nuplinks\nifname  addresses     default\neth0    192.0.2.1/24  -\nwlan0   -             true\n',
    },
    {
      name: 'lists of sentences line by line',
      in: { warnings: ['no uplink is up', 'wait'], ready: true },
      want: 'ready  true\n\nwarnings\nno uplink is up\nwait\n',
    },
    {
      name: 'an object as pairs',
      in: { vpn: { ifname: '', lockdown: false } },
      want: 'vpn  ifname=- lockdown=false\n',
    },
    { name: 'what a terminal would obey', in: { ifname: 'a\u001b[2Jb' }, want: 'ifname  a?[2Jb\n' },
  ];
  test.each(rows)('$name', ({ in: status, want }) => {
    expect(statusText(status)).toBe(want);
  });
});
