import { runBpf } from '@pp/wire';
import { hex } from '@pp/wire/testing';
import { filterOf } from './filter';
import { linkAddress, type RelayLink } from './link';

const link = (mac: Uint8Array | null): RelayLink => ({
  ifindex: 1,
  ifname: 'x',
  role: 'guest',
  mac,
  mtu: 1500,
  addresses: [linkAddress(0xc0a84d02, 24), linkAddress(0x0a090001, 32)],
  targets: [],
});
const packet = (protocol: string, destination: string): Uint8Array =>
  hex(`45000021aacc400040 ${protocol} cdfe c0000201 ${destination} 13881b39000dcb3f 68656c6c6f`);
const ethernet = (payload: Uint8Array): Uint8Array =>
  Uint8Array.of(...hex('ffffffffffff 020000000001 0800'), ...payload);

test.each([
  { name: 'a UDP broadcast', frame: ethernet(packet('11', 'ffffffff')), type: 1, want: true },
  { name: 'whatever its IP destination is', frame: ethernet(packet('11', 'c0000202')), type: 1, want: true },
  { name: 'TCP', frame: ethernet(packet('06', 'ffffffff')), type: 1, want: false },
  { name: 'to this station', frame: ethernet(packet('11', 'ffffffff')), type: 0, want: false },
  { name: 'multicast', frame: ethernet(packet('11', 'ffffffff')), type: 2, want: false },
  { name: 'cut off', frame: ethernet(packet('11', 'ffffffff')).subarray(0, 20), type: 1, want: false },
])('Ethernet, $name: $want', ({ frame, type, want }) => {
  expect(runBpf(filterOf(link(hex('020000000002'))), frame, new Map([[0xfffff004, type]])) > 0).toBe(want);
});

test.each([
  { name: 'limited', frame: packet('11', 'ffffffff'), want: true },
  { name: 'directed', frame: packet('11', 'c0a84dff'), want: true },
  { name: 'unicast', frame: packet('11', '0a090001'), want: false },
  { name: 'TCP', frame: packet('06', 'ffffffff'), want: false },
])('bare IP, $name: $want', ({ frame, want }) => {
  expect(runBpf(filterOf(link(null)), frame) > 0).toBe(want);
});
