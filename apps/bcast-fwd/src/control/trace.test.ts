import { Rig } from '../testing/rig';
import { traceQuestion, traceRequest } from './trace';

test.each([
  { name: 'nothing: everything', words: [], want: { line: '', isEndless: true } },
  { name: 'an address', words: ['192.168.77.20'], want: { line: '192.168.77.20', isEndless: true } },
  { name: 'no address', words: ['eth0'], want: "trace takes one IPv4 address or nothing, not 'eth0'" },
  {
    name: 'two',
    words: ['192.168.77.20', '192.168.77.21'],
    want: "trace takes one IPv4 address or nothing, not '192.168.77.20 192.168.77.21'",
  },
])('question: $name', ({ words, want }) => {
  const got = traceQuestion(words);
  expect(got.ok ? got.value : got.sentence).toEqual(want);
});

test.each([
  { line: '', want: null },
  { line: '192.168.77.20', want: 0xc0a84d14 },
  { line: '{"do":"trace"}', want: 'the request is not understood' },
])('request $line', ({ line, want }) => {
  const got = traceRequest(line);
  expect(got.ok ? got.value : got.sentence).toEqual(want);
});

test('lines say what became of a frame, and why', async () => {
  const rig = new Rig();
  await rig.start(['eth0', 'tap0']);
  rig.say('eth0', { from: '192.168.77.20', sourcePort: 5000, to: '192.168.77.255' });
  rig.say('tap0', { from: '100.115.92.26', destinationPort: 67 });
  rig.say('tap0', { from: '100.115.92.26', payload: new Uint8Array(100), mtu: 100, to: '255.255.255.255' });
  rig.say('eth0', { from: '10.0.0.1' });
  rig.send('eth0', rig.frames('eth0', { from: '192.168.77.20' })[0]?.fill(0x65, 14, 15) ?? new Uint8Array(0));
  expect(rig.trace).toEqual([
    'in on eth0: 192.168.77.20:5000 > 192.168.77.255:6969, 5 bytes: forwarded to tap0 as 192.168.77.20:5000 > 100.115.92.27',
    'in on tap0: 100.115.92.26:40000 > 255.255.255.255:67, 5 bytes: dropped dhcp (DHCP is never relayed)',
    'in on tap0: 100.115.92.26 > 255.255.255.255, fragment 0 to 80: waits for the other fragments',
    'in on tap0: 100.115.92.26:40000 > 255.255.255.255:6969, 100 bytes: forwarded to eth0 as 192.168.77.2:40000 > 255.255.255.255',
    'in on eth0: 10.0.0.1 > 255.255.255.255, 13 bytes: dropped off-link (source is not in a subnet of this interface)',
    'in on eth0: unreadable: dropped ip-version (not IPv4)',
  ]);
});
