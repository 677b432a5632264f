import { millis, seconds } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import { addToSum, checksumOf } from '@pp/wire';
import { Rig } from './testing/rig';

const SEED = Number(process.env['SEED'] ?? 20_261_121);
const FRAMES = Number(process.env['FRAMES'] ?? 20_000);
const LAN_HOST = '192.168.77.20';

/** Offset of the IPv4 header in a frame. */
const IP = 14;

/** Good frames with some bytes changed, cut off or put on; checksums are often made right again, so that more than they are tested. */
function spoilt(random: SeededRandom, good: Uint8Array): Uint8Array {
  const longer = random.below(20) === 0 ? random.below(80) : 0;
  const cut = random.below(10) === 0 ? random.below(good.length) : 0;
  const frame = new Uint8Array(good.length + longer);
  frame.set(good);
  for (let i = random.below(4); i > 0; i--) frame[random.below(frame.length)] = random.below(256);
  if (random.below(3) > 0) repairChecksum(frame);
  return frame.subarray(0, frame.length - cut);
}

function repairChecksum(frame: Uint8Array): void {
  const end = Math.min(frame.length, IP + 4 * ((frame[IP] ?? 0) & 15));
  if (end < IP + 20) return;
  frame.set([0, 0], IP + 10);
  const sum = checksumOf(addToSum(0, frame.subarray(IP, end)));
  frame.set([sum >>> 8, sum & 0xff], IP + 10);
}

test(`frames at random (SEED=${SEED}): none stops the relay, all are counted, what goes out is well formed`, async () => {
  const random = new SeededRandom(SEED);
  const rig = new Rig({ rate: 0, toLan: 'session' });
  await rig.start();
  let heard = 0;
  for (let i = 0; i < FRAMES; i++) {
    const on = random.pick(['eth0', 'tap0', 'tap1'] as const);
    const from =
      on === 'eth0' ? `192.168.77.${random.below(256)}` : random.pick(['100.115.92.26', '100.115.92.30']);
    const payload = new Uint8Array(random.below(8) === 0 ? random.below(6000) : random.below(60)).fill(i);
    const mtu = random.pick([1500, 576, 68]);
    const options = new Uint8Array(random.below(8) === 0 ? 4 * random.below(11) : 0).map(() =>
      random.below(150),
    );
    for (const frame of rig.frames(on, {
      from,
      payload,
      mtu: Math.max(mtu, 28 + options.length),
      options,
      id: i,
    }))
      if (random.below(5) > 0) rig.send(on, spoilt(random, frame));
    rig.clock.advance(millis(random.below(10)));
    for (const name of ['eth0', 'tap0', 'tap1'] as const) {
      heard += rig.heard(name).length; // the rig decodes strictly
      rig.macs(name);
    }
    rig.trace.length = 0;
    rig.lans.forEach((lan) => (lan.frames.length = 0));
  }
  rig.clock.advance(seconds(10));
  const { received, forwarded, waiting, dropped } = rig.service.relay.counters;
  expect({ SEED, counts: rig.counts(), waiting }).toMatchObject({ waiting: 0 });
  expect(received).toBeGreaterThan(FRAMES / 2);
  expect(forwarded).toBeGreaterThan(FRAMES / 20);
  expect(heard).toBeGreaterThan(forwarded / 4);
  expect([...dropped.keys()].length).toBeGreaterThan(12); // it came everywhere
  expect(rig.replySockets.openPorts.length).toBeLessThanOrEqual(256);

  rig.say('eth0', { from: LAN_HOST, payload: 'still there?' });
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:40000 > 255.255.255.255:6969 still there?`]);
});

test('a flood is held to the rate, whoever it is from, and others get through at once', async () => {
  const rig = new Rig({ rate: 100 });
  await rig.start();
  for (let i = 0; i < 10_000; i++) {
    rig.say('eth0', { from: LAN_HOST, payload: `flood ${i}` });
    rig.clock.advance(millis(i % 10 === 0 ? 1 : 0)); // a second in all
  }
  const flood = rig.heard('tap0').length;
  expect(flood).toBeGreaterThan(150);
  expect(flood).toBeLessThan(210); // a burst of 100, and 100 in the second
  rig.say('eth0', { from: '192.168.77.21', payload: 'another' });
  expect(rig.heard('tap0')).toHaveLength(1);
});

test('a flood of many senders is held to ten times that, on its interface alone', async () => {
  const rig = new Rig({ rate: 10 });
  await rig.start();
  for (let i = 0; i < 2000; i++)
    rig.say('eth0', { from: `192.168.77.${3 + (i % 250)}`, payload: `flood ${i}` });
  expect(rig.heard('tap0')).toHaveLength(100);
  rig.say('tap0', { from: '100.115.92.26', payload: 'a guest' });
  expect(rig.heard('eth0')).toHaveLength(1);
  rig.clock.advance(seconds(1));
  rig.say('eth0', { from: LAN_HOST, payload: 'afterwards' });
  expect(rig.heard('tap0')).toHaveLength(1);
});
