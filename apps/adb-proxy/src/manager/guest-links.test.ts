import { seconds } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { CallReply } from '@pp/dbus';
import { encode, type Init, type Messages } from '@pp/proto';
import { FakeBus, replyOf, settled } from '../testing/fake-bus';
import { GuestLinks } from './guest-links';

const MANAGER = 'org.chromium.PatchPanel';
type Device = Init<Messages['NetworkDevice']>;

/** Network byte order: 100.115.92.25 is 0x195c7364. */
const TERMINA: Device = { ifname: 'vmtap0', guestType: 3, hostIpv4Addr: 0x195c7364 };
const PLUGIN: Device = { ifname: 'vmtap1', guestType: 4, hostIpv4Addr: 0x015d7364 };
const ARC: Device = { ifname: 'arc_eth0', guestType: 2, hostIpv4Addr: 0x055c7364 };

const answerOf = (...devices: readonly Device[]): CallReply =>
  replyOf('ay', encode('GetDevicesResponse', { devices: [...devices] }));

async function rig(...devices: readonly Device[]) {
  const [bus, clock] = [new FakeBus(), new VirtualClock()];
  bus.answers.set('GetDevices', () => answerOf(...devices));
  const told: string[] = [];
  const onChange = (): void => {
    told.push(links.links.map(({ ifname }) => ifname).join(' '));
  };
  const links: GuestLinks = new GuestLinks({ bus, clock, log: new MemoryLog(), onChange });
  await links.start();
  return { bus, clock, links, told };
}

const change = (bus: FakeBus, event: 1 | 2, device: Device): void => {
  bus.signal('NetworkDeviceChanged', 'ay', encode('NetworkDeviceChangedSignal', { event, device }));
};

test('Linux VMs and no others, with the host’s address on their link', async () => {
  const { bus, links } = await rig(TERMINA, ARC, PLUGIN);
  expect(links.links).toEqual([]);
  bus.own(MANAGER, ':1.1');
  await settled();
  expect(links.links).toEqual([
    { ifname: 'vmtap0', address: '100.115.92.25' },
    { ifname: 'vmtap1', address: '100.115.93.1' },
  ]);
});

test('they come and go', async () => {
  const { bus, links, told } = await rig(TERMINA);
  bus.own(MANAGER, ':1.1');
  await settled();
  change(bus, 1, PLUGIN);
  change(bus, 1, ARC);
  change(bus, 2, TERMINA);
  expect(links.links.map(({ ifname }) => ifname)).toEqual(['vmtap1']);
  expect(told).toEqual(['vmtap0', 'vmtap0 vmtap1', 'vmtap0 vmtap1', 'vmtap1']);
  bus.signal('NetworkDeviceChanged', 's', 'noise');
  bus.signal('NetworkDeviceChanged', 'ay', Uint8Array.of(255, 255));
  expect(links.links.map(({ ifname }) => ifname)).toEqual(['vmtap1']);
});

test('a manager that goes takes nobody along; the next one says what is', async () => {
  const { bus, links } = await rig(TERMINA);
  bus.own(MANAGER, ':1.1');
  await settled();
  bus.own(MANAGER, undefined);
  expect(links.links).toHaveLength(1);
  bus.answers.set('GetDevices', () => answerOf(PLUGIN));
  bus.own(MANAGER, ':1.2');
  await settled();
  expect(links.links.map(({ ifname }) => ifname)).toEqual(['vmtap1']);
});

test('a change while the question is out makes the answer too old: it is asked again', async () => {
  const { bus, links } = await rig(TERMINA);
  const waiting: ((reply: CallReply) => void)[] = [];
  bus.answers.set('GetDevices', () => new Promise((resolve) => waiting.push(resolve)));
  bus.own(MANAGER, ':1.1');
  await settled();
  change(bus, 2, TERMINA);
  await settled();
  waiting[0]?.(answerOf(TERMINA));
  waiting[1]?.(answerOf(PLUGIN));
  await settled();
  expect(links.links.map(({ ifname }) => ifname)).toEqual(['vmtap1']);
});

test('a link that is made again under its name is gone in between, also while the question is out', async () => {
  const { bus, told } = await rig(TERMINA);
  bus.own(MANAGER, ':1.1');
  await settled();
  change(bus, 1, TERMINA);
  expect(told.splice(0)).toEqual(['vmtap0', '', 'vmtap0']);
  bus.own(MANAGER, ':1.2');
  change(bus, 2, TERMINA);
  change(bus, 1, TERMINA);
  await settled();
  expect(told).toEqual(['', 'vmtap0']);
});

test('without an answer it is asked again after 5 s', async () => {
  const { bus, clock, links } = await rig();
  bus.answers.delete('GetDevices');
  bus.own(MANAGER, ':1.1');
  await settled();
  bus.answers.set('GetDevices', () => answerOf(TERMINA));
  clock.advance(seconds(5));
  await settled();
  expect(links.links).toHaveLength(1);
  links.close();
  bus.own(MANAGER, ':1.2');
  expect(bus.called).toHaveLength(2);
});
