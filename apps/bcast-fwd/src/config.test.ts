import { readArgs } from '@pp/daemon';
import { SPEC, type Config } from './config';

const rows: { name: string; in: string[]; want: Config | string }[] = [
  { name: 'nothing: the manager is followed', in: [], want: { links: undefined } },
  {
    name: 'a LAN and guests',
    in: ['eth0', 'tap0', 'tap1'],
    want: { links: { lan: 'eth0', guests: ['tap0', 'tap1'] } },
  },
  {
    name: 'no guest',
    in: ['eth0'],
    want: "'eth0' stands alone; write at least two interfaces: bcast-fwd eth0 vmtap0",
  },
];

test.each(rows)('$name', ({ in: argv, want }) => {
  const asked = readArgs(SPEC, argv);
  expect(asked.do === 'serve' ? asked.config : asked.do === 'refuse' ? asked.sentence : asked).toEqual(want);
});
