import { readArgs } from '@pp/daemon';
import { SPEC, type Config } from './config';

const ALONE: Config = { protocols: ['mdns', 'ssdp'], direction: 'two-way', links: undefined };

const rows: { name: string; in: string; want: Config | string }[] = [
  { name: 'nothing: the manager is followed', in: '', want: ALONE },
  {
    name: 'a LAN and guests',
    in: 'eth0 tap0 tap1',
    want: { ...ALONE, links: { lan: 'eth0', guests: ['tap0', 'tap1'] } },
  },
  {
    name: 'one protocol, one way',
    in: '--protocol ssdp --direction outbound eth0 tap0',
    want: { protocols: ['ssdp'], direction: 'outbound', links: { lan: 'eth0', guests: ['tap0'] } },
  },
  { name: 'both protocols in any order', in: '--protocol ssdp,mdns', want: ALONE },
  {
    name: 'an unknown protocol',
    in: '--protocol mdns,ws',
    want: "--protocol 'ws' is unknown; write mdns, ssdp or mdns,ssdp",
  },
  { name: 'no protocol', in: '--protocol=', want: "--protocol '' is unknown; write mdns, ssdp or mdns,ssdp" },
  {
    name: 'an unknown direction',
    in: '--direction up',
    want: "--direction 'up' is unknown; write two-way or inbound or outbound",
  },
  {
    name: 'no guest',
    in: 'eth0',
    want: "'eth0' stands alone; write at least two interfaces: mcastfwd eth0 vmtap0",
  },
];

test.each(rows)('$name', ({ in: line, want }) => {
  const asked = readArgs(SPEC, line === '' ? [] : line.split(' '));
  expect(asked.do === 'serve' ? asked.config : asked.do === 'refuse' ? asked.sentence : asked).toEqual(want);
});
