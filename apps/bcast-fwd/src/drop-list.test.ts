import { seconds } from '@pp/base';
import type { FrameFacts } from '@pp/ports';
import { addToSum, checksumOf } from '@pp/wire';
import { hex, toHex } from '@pp/wire/testing';
import { DROP_REASONS, type DropReason } from './core/drop-reason';
import { PAIRS, Rig, SETTINGS, view, type Name, type Spoken } from './testing/rig';

const LAN_HOST = '192.168.77.20';
const FACTS: FrameFacts = {
  outgoing: false,
  vlan: 0,
  checksumReady: true,
  truncated: false,
};
const GOOD: Spoken = { from: LAN_HOST };
const BIG: Spoken = { from: LAN_HOST, payload: new Uint8Array(100), mtu: 68 };

/** One frame of `spoken`, with bytes at these offsets of the frame changed. */
interface Bad {
  readonly spoken?: Spoken;
  readonly change?: Readonly<Record<number, number>>;
  /** The header checksum is made right again. Default true. */
  readonly repair?: boolean;
}

function frameOf(rig: Rig, { spoken = GOOD, change = {}, repair = true }: Bad, nth = 0): Uint8Array {
  const frame = rig.frames('eth0', spoken)[nth] ?? new Uint8Array(0);
  for (const [at, byte] of Object.entries(change)) frame[Number(at)] = byte;
  const end = 14 + 4 * ((frame[14] ?? 0) & 15);
  if (!repair || end < 34) return frame;
  frame.set([0, 0], 24);
  const sum = checksumOf(addToSum(0, frame.subarray(14, end)));
  frame.set([sum >>> 8, sum & 0xff], 24);
  return frame;
}

const bad =
  (change: Readonly<Record<number, number>>, more: Omit<Bad, 'change'> = {}) =>
  (rig: Rig): void => {
    step(rig, frameOf(rig, { change, ...more }));
  };
const spoken =
  (what: Spoken, on: Name = 'eth0') =>
  (rig: Rig): void => {
    rig.say(on, what);
  };

/** Past the kernel's filter. */
function step(rig: Rig, frame: Uint8Array, facts: Partial<FrameFacts> = {}): void {
  rig.service.relay.step(1, frame, { ...FACTS, ...facts }, rig.clock.now());
}

/** What makes each reason. The last frame of each is dropped for it. */
const ROWS: Readonly<Record<DropReason, (rig: Rig) => void>> = {
  truncated: (rig) => {
    step(rig, frameOf(rig, {}), { truncated: true });
  },
  vlan: (rig) => {
    step(rig, frameOf(rig, {}), { vlan: 5 });
  },
  'group-source': bad({ 6: 0x03 }),
  'unicast-frame': bad({ 0: 0x02 }),
  'ip-version': bad({ 14: 0x65 }),
  'ip-length': bad({ 14: 0x44 }),
  'ip-checksum': bad({ 22: 63 }, { repair: false }),
  'ip-option': spoken({ ...GOOD, options: hex('94000000') }),
  'source-route': spoken({ ...GOOD, options: hex('8903040000000000') }),
  ttl: spoken({ ...GOOD, ttl: 0 }),
  'fragment-length': (rig) => {
    step(rig, frameOf(rig, { spoken: BIG, change: { 17: 67 } }));
  },
  'fragment-overlap': (rig) => {
    step(rig, frameOf(rig, { spoken: BIG }));
    step(rig, frameOf(rig, { spoken: BIG, change: { 21: 5 } }, 1));
  },
  'fragment-duplicate': (rig) => {
    step(rig, frameOf(rig, { spoken: BIG }));
    step(rig, frameOf(rig, { spoken: BIG }));
  },
  'fragment-timeout': (rig) => {
    step(rig, frameOf(rig, { spoken: BIG }));
    rig.service.relay.tick(seconds(5));
  },
  'fragment-limit': (rig) => {
    for (let id = 1; id < 10; id++) step(rig, frameOf(rig, { spoken: { ...BIG, id } }));
  },
  'not-udp': bad({ 23: 6 }),
  'udp-length': bad({ 39: 14 }),
  'udp-checksum': bad({ 42: 0x69 }),
  'own-mac': bad({ 6: 0x02, 7: 0xaa, 8: 0, 9: 0, 10: 0, 11: 2 }),
  'own-source': spoken({ from: '100.115.92.25' }),
  'source-address': spoken({ from: '0.0.0.0' }),
  'off-link': spoken({ from: '192.168.78.20' }),
  'not-broadcast': spoken({ ...GOOD, to: '192.168.78.255' }),
  dhcp: spoken({ ...GOOD, sourcePort: 68, destinationPort: 67 }),
  port: spoken({ ...GOOD, destinationPort: 137 }),
  blocked: spoken({ from: '192.168.77.66' }),
  'not-allowed': spoken({ from: '192.168.77.67' }),
  rate: (rig) => {
    for (let i = 0; i < 501; i++) rig.say('eth0', { ...GOOD, id: i });
  },
  looped: (rig) => {
    rig.say('tap0', { from: '100.115.92.26' });
    rig.say('eth0', GOOD);
  },
  marked: spoken({ ...GOOD, ttl: 65 }),
  'no-exit': (rig) => {
    rig.tell([view('eth0')]);
    rig.say('eth0', GOOD);
  },
  'no-source': (rig) => {
    rig.tell([view('eth0'), view('tap0')], [{ ifindex: 2, cidr: '100.115.92.25/30', usable: true }]);
    rig.say('tap0', { from: '100.115.92.26' });
  },
};

const addressRule = (last: number) => ({
  ifname: null,
  network: 0xc0a84d00 + last,
  mask: 0xffffffff,
  ports: null,
});
/** Both rules and the mark are on in all rows. */
const SCENE = {
  mark: { field: 'ttl', id: 9 },
  policy: {
    ...SETTINGS.policy,
    block: [addressRule(66)],
    allow: [
      { ...addressRule(0), mask: 0xffffffc0 },
      { ...addressRule(0), network: 0x64735c00, mask: 0xffffff00 },
      { ...addressRule(0), network: 0xc0a84e00, mask: 0xffffff00 },
    ],
  },
} as const;

test.each(Object.keys(DROP_REASONS) as DropReason[])('%s', async (reason) => {
  const rig = new Rig(SCENE);
  await rig.start(['eth0', 'tap0', 'tap1'], PAIRS);
  ROWS[reason](rig);
  expect([...rig.service.relay.counters.dropped.keys()]).toEqual([reason]);
  expect(rig.counts()).toContain(`: ${reason} `);
});

test.each([
  {
    name: 'a checksum that hardware was to fill in',
    change: { 40: 1, 41: 2 },
    facts: { checksumReady: false },
  },
  { name: 'no checksum', change: { 40: 0, 41: 0 }, facts: {} },
])('$name is taken, and a right one sent', async ({ change, facts }) => {
  const rig = new Rig();
  await rig.start();
  const frame = frameOf(rig, { change });
  const { verdict, copies } = rig.service.relay.step(1, frame, { ...FACTS, ...facts }, rig.clock.now());
  expect([verdict.is, copies.length]).toEqual(['forwarded', 2]);
});

test('a datagram without a checksum gets one', async () => {
  const rig = new Rig();
  await rig.start();
  rig.send('eth0', frameOf(rig, { change: { 40: 0, 41: 0 } }));
  const [packet] = rig.packetsOn('tap0');
  expect(toHex(packet?.payload.subarray(6, 8) ?? new Uint8Array(0))).not.toBe('0000');
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:40000 > 255.255.255.255:6969 hello`]); // and it is right
});

test('link-layer padding is left out', async () => {
  const rig = new Rig();
  await rig.start();
  const padded = new Uint8Array(60);
  padded.set(frameOf(rig, {}));
  rig.send('eth0', padded);
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:40000 > 255.255.255.255:6969 hello`]);
});
