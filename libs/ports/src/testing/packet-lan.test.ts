import { KernelError } from '@pp/base';
import type { PacketPort } from '../packet-port';
import { FakePacketPorts, PacketLan } from './packet-lan';

const frame = (to: number, from: number): Uint8Array => Uint8Array.of(to, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, from);

function threeStations(lan = new PacketLan()): {
  readonly ports: FakePacketPorts;
  readonly open: readonly PacketPort[];
  readonly heard: number[];
} {
  const ports = new FakePacketPorts();
  const heard: number[] = [];
  const open = [1, 2, 3].map((ifindex) => {
    ports.plug(ifindex, lan, `02000000000${ifindex}`);
    return ports.open({
      ifindex,
      filter: [],
      onFrame: () => void heard.push(ifindex),
      onBatchEnd: () => undefined,
      onFault: () => undefined,
    });
  });
  return { ports, open, heard };
}

test.each([
  { name: 'a group frame reaches all others', to: 0x33, want: [2, 3] },
  { name: 'a frame to nobody reaches nobody', to: 0x04, want: [] },
])('$name', ({ to, want }) => {
  const { open, heard } = threeStations();
  expect(open[0]?.send([frame(to, 1)])).toBe(1);
  expect(heard).toEqual(want);
});

test('a closed port hears nothing and does not send', () => {
  const { ports, open, heard } = threeStations();
  open[1]?.close();
  open[0]?.send([frame(0x33, 1)]);
  expect(heard).toEqual([3]);
  expect(ports.openIfindexes).toEqual([1, 3]);
  expect(() => open[1]?.send([frame(0x33, 2)])).toThrow(KernelError);
});

test('an interface that is gone is ENODEV', () => {
  const { ports } = threeStations();
  ports.unplug(2);
  const open = (): unknown =>
    ports.open({
      ifindex: 2,
      filter: [],
      onFrame: () => undefined,
      onBatchEnd: () => undefined,
      onFault: () => undefined,
    });
  expect(open).toThrow('ENODEV');
});

test('a storm ends as an error', () => {
  const { open } = threeStations(new PacketLan(3));
  expect(() => {
    for (;;) open[0]?.send([frame(0x33, 1)]);
  }).toThrow('storm');
});
