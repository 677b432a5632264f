import { millis, seconds } from '@pp/base';
import { PacketLan } from '@pp/ports/testing';
import type { SourceMode } from './core/settings';
import { Rig, view } from './testing/rig';

const LAN_HOST = '192.168.77.20';
const GUEST = '10.8.0.9';

/** Relays side by side between the same two segments; each is another host on both. */
async function inParallel(
  count: number,
  toLan: SourceMode,
): Promise<{ rigs: Rig[]; lan: PacketLan; guests: PacketLan }> {
  const [lan, guests] = [new PacketLan(200), new PacketLan(200)];
  const rigs: Rig[] = [];
  for (let i = 0; i < count; i++) {
    const rig = new Rig({ toLan }, {}, i);
    rig.plug('eth0', lan);
    rig.plug('tap0', guests);
    await rig.start([]);
    rig.tell(
      [view('eth0', {}, i), view('tap0', {}, i)],
      [
        { ifindex: 1, cidr: `192.168.77.${2 + i}/24`, usable: true },
        { ifindex: 2, cidr: `10.8.0.${2 + i}/24`, usable: true },
      ],
    );
    rigs.push(rig);
  }
  return { rigs, lan, guests };
}

const cases = [1, 2, 3].flatMap((count) =>
  (['auto', 'egress', 'session', 'preserve'] as const).map((toLan) => ({ count, toLan })),
);

test.each(cases)(
  '$count in parallel, to the LAN as $toLan: each passes on once what each side says',
  async ({ count, toLan }) => {
    const { rigs, lan, guests } = await inParallel(count, toLan);
    rigs[0]?.say('eth0', { from: LAN_HOST, payload: 'from the LAN' });
    expect([lan.frames.length, guests.frames.length]).toEqual([1, count]);
    rigs[0]?.say('tap0', { from: GUEST, payload: 'from a guest' });
    expect([lan.frames.length, guests.frames.length]).toEqual([1 + count, count + 1]);
  },
);

test('a session with another port is no way round', async () => {
  const { rigs, lan, guests } = await inParallel(3, 'session');
  rigs[0]?.say('tap0', { from: GUEST, sourcePort: 5000 });
  // The others see a port that they know nothing of, pass it back once, and end it by its address.
  expect(lan.frames.length).toBeLessThanOrEqual(3);
  expect(guests.frames.length).toBeLessThanOrEqual(1 + 6);
});

test('relays without addresses have nothing but their memory', async () => {
  const { rigs, lan, guests } = await inParallel(3, 'preserve');
  for (const [i, rig] of rigs.entries()) rig.tell([view('eth0', {}, i), view('tap0', {}, i)], []);
  rigs[0]?.say('eth0', { from: LAN_HOST });
  rigs[0]?.say('tap0', { from: GUEST, payload: 'from a guest' });
  expect([lan.frames.length, guests.frames.length]).toEqual([4, 4]);
});

test('our own frames that come back are dropped: by Ethernet address, by source, by what they say', async () => {
  const rig = new Rig();
  await rig.start();
  const reasons = (): readonly string[] => [...rig.service.relay.counters.dropped.keys()];
  const [frame] = rig.frames('eth0', { from: LAN_HOST });
  const mirrored = frame?.slice() ?? new Uint8Array(0);
  mirrored.set([0x02, 0xaa, 0, 0, 0, 1], 6);
  rig.send('eth0', mirrored);
  expect(reasons()).toEqual(['own-mac']);
  rig.say('eth0', { from: '192.168.77.2' });
  rig.say('tap0', { from: '192.168.77.2' });
  expect(reasons()).toEqual(['own-mac', 'own-source']);
  rig.say('tap0', { from: '100.115.92.26' });
  rig.say('eth0', { from: LAN_HOST, id: 1234, ttl: 1 }); // another relay's copy
  expect(reasons()).toEqual(['looped', 'own-mac', 'own-source']);
});

test('what was sent is remembered for two seconds, and a sender may repeat itself', async () => {
  const rig = new Rig();
  await rig.start();
  for (let i = 0; i < 3; i++) {
    rig.say('tap0', { from: '100.115.92.26' });
    rig.clock.advance(millis(100));
  }
  expect(rig.heard('eth0')).toHaveLength(3);
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.heard('tap0')).toEqual([]);
  rig.clock.advance(seconds(2));
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.heard('tap0')).toHaveLength(1);
});
