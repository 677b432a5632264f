import { RawArgs } from '@pp/daemon';
import { portAction, type Hold, type PortAction, type PortRule } from './port-args';

/** `words` as they are written: "forward 80 --on=eth0". */
function read(words: string) {
  const parts = words.split(' ').filter(Boolean);
  const options = parts.flatMap((part) => {
    const [, name = '', value = ''] = /^--([\w-]+)=(.*)$/.exec(part) ?? [];
    const camel = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    return name === '' ? [] : [[camel, value] as const];
  });
  return portAction(
    new RawArgs(
      Object.fromEntries(options),
      parts.filter((part) => !part.startsWith('--')),
    ),
  );
}

const RULE: PortRule = {
  type: 'access',
  protocol: 'tcp',
  port: 8080,
  ifname: '',
  address: '',
  toAddress: '',
  toPort: 0,
};
const create = (rule: Partial<PortRule>, hold: Partial<Hold> = {}): PortAction => ({
  what: 'create',
  rule: { ...RULE, ...rule },
  hold: { forSeconds: null, whilePid: null, ...hold },
});
const TARGET = { type: 'forwarding', ifname: 'eth0', toAddress: '100.115.92.26', toPort: 80 } as const;

const rows: { name: string; in: string; want: PortAction }[] = [
  { name: 'list', in: 'list', want: { what: 'list' } },
  { name: 'TCP is meant', in: 'open 8080', want: create({}) },
  {
    name: 'for guests of one link',
    in: 'open 8080/udp --on=arc_eth0',
    want: create({ protocol: 'udp', ifname: 'arc_eth0' }),
  },
  {
    name: 'a lock for as long as a process',
    in: 'lock 8080/tcp --while-pid=4242',
    want: create({ type: 'lockdown' }, { whilePid: 4242 }),
  },
  {
    name: 'forward for a time',
    in: 'forward 8080 --on=eth0 --to=100.115.92.26:80 --for=3600',
    want: create(TARGET, { forSeconds: 3600 }),
  },
  {
    name: 'forward from one address',
    in: 'forward 8080 --on=eth0 --to=100.115.92.26:80 --address=192.168.77.2',
    want: create({ ...TARGET, address: '192.168.77.2' }),
  },
  {
    name: 'forward over IPv6, however it is written',
    in: 'forward 8080 --on=eth0 --to=[2001:DB8:0::26]:80 --address=2001:db8::2',
    want: create({ ...TARGET, toAddress: '2001:db8::26', address: '2001:db8::2' }),
  },
  {
    name: 'close',
    in: 'close 8080 --on=eth0',
    want: { what: 'close', match: { protocol: 'tcp', port: 8080, ifname: 'eth0', address: null } },
  },
];

test.each(rows)('$name', ({ in: words, want }) => {
  expect(read(words)).toEqual({ ok: true, value: want });
});

test.each([
  { in: '', says: 'port what? write port open, lock, forward, close, list' },
  { in: 'shut 80', says: "port 'shut'?" },
  { in: 'open', says: 'port open which?' },
  { in: 'open 0', says: "'0' is no port" },
  { in: 'open 65536', says: "'65536' is no port" },
  { in: 'open 80/sctp', says: "'80/sctp' is no port" },
  { in: 'open 80 81', says: "port open takes one port, not '80' and '81'; write for example port open 80" },
  {
    in: 'close forward 8080/udp',
    says: "port close takes one port, not 'forward' and '8080/udp'; write for example port close 8080/udp",
  },
  { in: 'list 80', says: "takes no argument '80'" },
  { in: 'open 80 --to=10.0.0.1:80', says: 'port open takes no --to' },
  { in: 'lock 80 --on=eth0', says: 'port lock takes no --on' },
  { in: 'close 80 --for=3', says: 'port close takes no --for' },
  { in: 'open 80 --on=a/b', says: "--on 'a/b' cannot be an interface" },
  { in: 'open 80 --for=0', says: "--for '0' is out of range; write a whole number from 1 to 2000000" },
  { in: 'open 80 --for=2000001', says: "--for '2000001'" },
  { in: 'open 80 --while-pid=0', says: "--while-pid '0' is no process id" },
  { in: 'forward 80 --to=10.0.0.1:80', says: 'forward from where? write --on IF' },
  { in: 'forward 80 --on=eth0', says: 'forward where? write --to ADDR:PORT' },
  { in: 'forward 80 --on=eth0 --to=10.0.0.1', says: "forward to '10.0.0.1'?" },
  { in: 'forward 80 --on=eth0 --to=host:80', says: "forward to 'host:80'?" },
  { in: 'forward 80 --on=eth0 --to=10.0.0.1:80:90', says: 'forward to' },
  { in: 'close 80 --address=10.0.0', says: "--address '10.0.0' is no address" },
  { in: 'forward 80 --on=eth0 --to=2001:db8::2:80', says: 'or --to [2001:db8::2]:80' },
  { in: 'forward 80 --on=eth0 --to=[10.0.0.1]:80', says: 'forward to' },
])('refused: $in', ({ in: words, says }) => {
  expect(read(words)).toMatchObject({
    ok: false,
    reason: 'InvalidArgument',
    sentence: expect.stringContaining(says) as string,
  });
});
