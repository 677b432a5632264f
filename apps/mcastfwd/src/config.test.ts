import { readArgs } from '@pp/daemon';
import { SPEC, type Config } from './config';
import { groupsOf } from './core/group';
import { DEFAULT_POLICY } from './core/policy';

const BOTH = groupsOf(['mdns', 'ssdp']);
const ALONE: Config = {
  groups: BOTH,
  policy: DEFAULT_POLICY,
  links: [],
};

function read(line: string): Config | string {
  const asked = readArgs(SPEC, line === '' ? [] : line.split(' '));
  if (asked.do === 'serve') return asked.config;
  return asked.do === 'refuse' ? asked.sentence : JSON.stringify(asked);
}

const rows: { name: string; in: string; want: Config | string }[] = [
  { name: 'nothing: the manager is followed', in: '', want: ALONE },
  {
    name: 'a LAN and guests',
    in: 'eth0 tap0 vmtap*',
    want: { ...ALONE, links: [{ lan: 'eth0', guests: ['tap0', 'vmtap*'] }] },
  },
  {
    name: 'one protocol, one way',
    in: '--protocol ssdp --direction outbound',
    want: { ...ALONE, groups: groupsOf(['ssdp']), policy: { ...DEFAULT_POLICY, direction: 'outbound' } },
  },
  { name: 'both protocols in any order', in: '--protocol ssdp,mdns', want: ALONE },
  {
    name: 'another group alone',
    in: '--protocol none --group 239.255.255.250:3702:reply=10',
    want: {
      ...ALONE,
      groups: [
        {
          name: '239.255.255.250:3702',
          kind: 'other',
          family: 'ipv4',
          address: '239.255.255.250',
          port: 3702,
          hopLimit: 2,
          replySec: 10,
        },
      ],
    },
  },
  {
    name: 'all the policy there is',
    in: '--guests apart --nat none --location keep --reply-from session --one-link --txt-address ip --forward tcp:8080=100.64.0.2:80 --forward udp:53=100.64.0.2:5300',
    want: {
      ...ALONE,
      policy: {
        ...DEFAULT_POLICY,
        betweenGuests: false,
        nat: [],
        locations: 'keep',
        replyFrom: 'session',
        isOneLink: true,
        txtKeys: ['ip'],
        forwards: [
          { protocol: 'tcp', hostPort: 8080, guest: '100.64.0.2', guestPort: 80 },
          { protocol: 'udp', hostPort: 53, guest: '100.64.0.2', guestPort: 5300 },
        ],
      },
    },
  },
  {
    name: 'an unknown protocol',
    in: '--protocol mdns,ws',
    want: "--protocol 'ws' is unknown; write mdns, ssdp, mdns,ssdp or none",
  },
  {
    name: 'no protocol',
    in: '--protocol=',
    want: "--protocol '' is unknown; write mdns, ssdp, mdns,ssdp or none",
  },
  {
    name: 'an unknown direction',
    in: '--direction up',
    want: "--direction 'up' is unknown; write two-way or inbound or outbound or off",
  },
  {
    name: 'no guest',
    in: 'eth0',
    want: "'eth0' stands alone; write at least two interfaces: mcastfwd eth0 vmtap0",
  },
  {
    name: 'a group that is no multicast',
    in: '--group 192.0.2.1:80',
    want: "'192.0.2.1' is not a multicast address; write ADDR:PORT[:reply=SECONDS], for example 239.255.255.250:3702:reply=10 or [ff02::1:3]:5355",
  },
  {
    name: 'a group without port',
    in: '--group [ff02::1]',
    want: "group '[ff02::1]' is not understood; write ADDR:PORT[:reply=SECONDS], for example 239.255.255.250:3702:reply=10 or [ff02::1:3]:5355",
  },
  {
    name: 'a group out of range',
    in: '--group 239.1.1.1:1:reply=61',
    want: "group '239.1.1.1:1:reply=61' is out of range; ports go to 65535, replies to 60 s",
  },
  {
    name: 'the group of a protocol',
    in: '--group [ff02::fb]:5353',
    want: "group '[ff02::fb]:5353' is that of mdns; write --protocol mdns",
  },
  {
    name: 'a group twice',
    in: '--group 239.1.1.1:1 --group 239.1.1.1:1:reply=2',
    want: "group '239.1.1.1:1' is there twice; write it once",
  },
  {
    name: 'a filter that is none',
    in: '--deny @x',
    want: 'filter \'@x\' is not understood; write [in:|out:|between:]NAME[@GUEST], for example _ipp._tcp, out:_googlecast._tcp@vmtap0 or "Printer._ipp._tcp"',
  },
  ...['', 'ip=', 'é'].map((key) => ({
    name: `the key '${key}' of TXT records`,
    in: `--txt-address=${key}`,
    want: `--txt-address '${key}' is no key of TXT records; write for example --txt-address ip`,
  })),
  {
    name: 'a forward that is none',
    in: '--forward 80',
    want: "forward '80' is not understood; write tcp|udp:HOSTPORT=GUEST:PORT, for example tcp:8080=100.115.92.26:80",
  },
  {
    name: 'an unknown family',
    in: '--nat v4',
    want: "--nat 'v4' is unknown; write ipv4, ipv6, ipv4,ipv6 or none",
  },
];

test.each(rows)('$name', ({ in: line, want }) => {
  expect(read(line)).toEqual(want);
});
