import { decodeEthernet } from './ethernet';
import { decodeIpv4, encodeIpv4, type Ipv4Packet } from './ipv4';
import { decodeUdp4, udp4Frames, type FrameRoute, type Udp4Datagram } from './udp4';
import { hex, toHex } from './testing/hex';

const ETHERNET = { source: hex('020000000001'), destination: hex('ffffffffffff') };
const ROUTE: FrameRoute = { ethernet: ETHERNET, mtu: 1500, allocate: (length) => new Uint8Array(length) };

/** Frames that Linux 6.18 sent. */
const HELLO = hex(`ffffffffffff 020000000001 0800
  45000021aacc40004011cdfec0000201ffffffff 13881b39000dcb3f 68656c6c6f`);
const FRAGMENTS = [
  hex(`ffffffffffff 020000000001 0800 45b80044aace20004011ed21c0000201ffffffff
    13881b39006c7286 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627`),
  hex(`ffffffffffff 020000000001 0800 45b80044aace20064011ed1bc0000201ffffffff
    28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f5051525354555657`),
  hex(`ffffffffffff 020000000001 0800 45b80020aace000c40110d3ac0000201ffffffff 58595a5b5c5d5e5f60616263`),
];

const hello: Udp4Datagram = {
  tos: 0,
  id: 0xaacc,
  dontFragment: true,
  ttl: 64,
  options: new Uint8Array(0),
  source: 0xc0000201,
  destination: 0xffffffff,
  sourcePort: 5000,
  destinationPort: 6969,
  payload: hex('68656c6c6f'),
};
const hundred: Udp4Datagram = {
  ...hello,
  tos: 0xb8,
  id: 0xaace,
  payload: Uint8Array.from({ length: 100 }, (_, i) => i),
};

const ipv4Of = (frame: Uint8Array): Ipv4Packet => {
  const ethernet = decodeEthernet(frame);
  const packet = ethernet.ok ? decodeIpv4(ethernet.value.payload) : ethernet;
  if (!packet.ok) throw new Error(packet.fault);
  return packet.value;
};

test.each([
  { name: 'one frame', datagram: hello, route: ROUTE, want: [HELLO] },
  { name: 'fragments', datagram: hundred, route: { ...ROUTE, mtu: 68 }, want: FRAGMENTS },
  {
    name: 'no Ethernet header',
    datagram: hello,
    route: { ...ROUTE, ethernet: null },
    want: [HELLO.subarray(14)],
  },
  { name: 'just the MTU', datagram: hello, route: { ...ROUTE, mtu: 33 }, want: [HELLO] },
])('encode: $name', ({ datagram, route, want }) => {
  expect(udp4Frames(datagram, route).map(toHex)).toEqual(want.map(toHex));
});

test('options: all in the first fragment, copied ones in the others', () => {
  const frames = udp4Frames({ ...hundred, options: hex('0703040194040000') }, { ...ROUTE, mtu: 84 });
  const packets = frames.map(ipv4Of);
  expect(packets.map(({ options }) => toHex(options))).toEqual(['0703040194040000', '94040000']);
  expect(packets.map(({ payload }) => payload.length)).toEqual([56, 52]);
});

test('an MTU that holds no fragment', () => {
  expect(() => udp4Frames(hundred, { ...ROUTE, mtu: 27 })).toThrow(RangeError);
});

test('decode', () => {
  const { sourcePort, destinationPort, payload } = hello;
  expect(decodeUdp4(ipv4Of(HELLO), { verify: true })).toEqual({
    ok: true,
    value: { sourcePort, destinationPort, payload },
  });
});

const packetWith = (udp: string): Ipv4Packet => {
  const packet = decodeIpv4(encodeIpv4({ ...ipv4Of(HELLO), payload: hex(udp) }));
  if (!packet.ok) throw new Error(packet.fault);
  return packet.value;
};

test.each([
  { name: 'a length below the header', udp: '13881b3900070000', fault: 'length' },
  { name: 'a length beyond the packet', udp: '13881b39000a0000 61', fault: 'truncated' },
  { name: 'bytes behind its length', udp: '13881b3900090000 6161', fault: 'slack' },
  { name: 'half a header', udp: '13881b39', fault: 'truncated' },
  { name: 'nothing', udp: '', fault: 'truncated' },
  { name: 'a wrong checksum', udp: '13881b39000dcb40 68656c6c6f', fault: 'checksum' },
])('$name is $fault', ({ udp, fault }) => {
  expect(decodeUdp4(packetWith(udp), { verify: true })).toEqual({ ok: false, fault });
});

test.each([
  { name: 'no checksum', udp: '13881b39000d0000 68656c6c6f', verify: true },
  { name: 'a checksum that hardware was to fill in', udp: '13881b39000d1234 68656c6c6f', verify: false },
])('$name is taken', ({ udp, verify }) => {
  expect(decodeUdp4(packetWith(udp), { verify })).toMatchObject({ ok: true });
});

test('a checksum that comes out as zero is sent as 0xffff', () => {
  const [plain] = udp4Frames({ ...hello, payload: hex('0000') }, ROUTE);
  const sum = ipv4Of(plain ?? HELLO).payload.subarray(6, 8);
  const [frame] = udp4Frames({ ...hello, payload: sum.slice() }, ROUTE); // adding the checksum makes the sum 0xffff
  expect(toHex(ipv4Of(frame ?? HELLO).payload.subarray(6, 8))).toBe('ffff');
});
