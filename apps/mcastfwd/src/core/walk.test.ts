import { SeededRandom } from '@pp/base/testing';
import { DnsScan } from '@pp/wire';
import type { Answer, Packet } from 'dns-packet';
import type { Action, Step } from './action';
import { checkedFilterRule } from './filter-rule';
import { DIRECTIONS, type Policy } from './policy';
import { GROUP, NEIGHBOR, Scene, wire, type Ifname } from './testing/scene';

/** BOUNDED for CI: some two seconds. */
const STEPS = 5000;
const IFNAMES: readonly Ifname[] = ['eth0', 'tap0', 'tap1'];
const NAMES = [
  'a.local',
  'B.local',
  '_ipp._tcp.local',
  'P._ipp._tcp.local',
  '26.92.115.100.in-addr.arpa',
  '2.77.168.192.in-addr.arpa',
];
const ADDRESSES = ['192.168.77.2', '192.168.77.9', NEIGHBOR.tap0, NEIGHBOR.tap1, '169.254.1.1'];

function randomAnswer(random: SeededRandom): Answer {
  const [name, ttl] = [random.pick(NAMES), random.pick([0, 1, 120])];
  switch (random.below(5)) {
    case 0:
      return { type: 'PTR', name, ttl, data: random.pick(NAMES) };
    case 1:
      return { type: 'SRV', name, ttl, data: { port: random.pick([80, 8080]), target: random.pick(NAMES) } };
    case 2:
      return { type: 'AAAA', name, ttl, data: random.pick(['2001:db8::1', 'fe80::1']) };
    case 3:
      return { type: 'NSEC', name, ttl, data: { nextDomain: name, rrtypes: ['A'] } };
    default:
      return { type: 'A', name, ttl, flush: random.below(2) === 0, data: random.pick(ADDRESSES) };
  }
}

function randomPacket(random: SeededRandom): Uint8Array {
  const some = (): Answer[] => Array.from({ length: random.below(4) }, () => randomAnswer(random));
  const isQuery = random.below(2) === 0;
  const packet: Packet = {
    type: isQuery ? 'query' : 'response',
    id: random.below(4),
    flags: isQuery && random.below(3) === 0 ? 0x200 : 0,
    questions: Array.from({ length: random.below(3) }, () => ({
      type: 'PTR' as const,
      name: random.pick(NAMES),
      class: 'IN' as const,
    })),
    answers: some(),
    authorities: random.below(4) === 0 ? some() : [],
    additionals: some(),
  };
  const bytes = wire(packet);
  if (random.below(6) === 0) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function randomPolicy(random: SeededRandom): Partial<Policy> {
  const rule = checkedFilterRule(
    random.pick(['allow', 'deny']),
    random.pick(['_ipp._tcp', 'in:a.local', 'out:_ipp._tcp@tap0']),
  );
  return {
    direction: random.pick(DIRECTIONS),
    betweenGuests: random.below(2) === 0,
    filters: rule.ok && random.below(2) === 0 ? [rule.value] : [],
    nat: random.pick([[], ['ipv4'], ['ipv4', 'ipv6']]),
    forwards:
      random.below(2) === 0 ? [] : [{ protocol: 'tcp', hostPort: 8080, guest: NEIGHBOR.tap0, guestPort: 80 }],
    isOneLink: random.below(4) === 0,
  };
}

test(`packets, answers, time and policies in any order, seed 5353, ${STEPS} steps`, () => {
  const random = new SeededRandom(5353);
  const scene = new Scene();
  const scan = new DnsScan();
  let [received, lastSession, sent] = [0, 0, 0];
  const check = (actions: readonly Action[], round: number): void => {
    for (const action of actions) {
      if (action.do === 'search') lastSession = action.session.id;
      if (action.do === 'tell' || action.do === 'end') continue;
      sent++;
      // What goes out is well-formed and not too long.
      const fault = scan.read(action.payload);
      if (fault !== null || action.payload.length > 8972)
        throw new Error(`step ${round}: ${fault ?? 'too long'}`);
    }
  };
  for (let round = 0; round < STEPS; round++) {
    const ifname = random.pick(IFNAMES);
    const facts = {
      port: random.pick([5353, 5353, 5353, 40_000, 40_001]),
      group: random.pick([GROUP.mdns4, GROUP.mdns4, GROUP.mdns6]),
    };
    let step: Step | undefined;
    switch (random.below(20)) {
      case 0:
        check(scene.wait(random.below(3000)), round);
        break;
      case 1:
        if (random.below(10) === 0) scene.set(randomPolicy(random));
        break;
      case 2:
      case 3:
        received++;
        step = scene.answer(ifname, Math.max(1, lastSession - random.below(3)), randomPacket(random), {
          ...facts,
          port: 5353,
        });
        check(step.actions, round);
        break;
      default:
        received++;
        step = scene.hear(ifname, randomPacket(random), facts);
        check(step.actions, round);
        if (step.exits.some((exit) => exit.ifname === ifname))
          throw new Error(`step ${round}: back where it came from`);
    }
    if (scene.relay.sessions > 256 || scene.relay.waiting > 6 * 64)
      throw new Error(`step ${round}: out of bounds`);
  }
  const counted = [GROUP.mdns4, GROUP.mdns6].map((group) => scene.relay.counters(group));
  expect(counted.reduce((sum, each) => sum + each.received, 0)).toBe(received);
  for (const each of counted) expect(each.received).toBe(each.forwarded + each.droppedTotal);
  expect(sent).toBeGreaterThan(STEPS / 10);
  scene.wait(100_000);
  expect([scene.relay.sessions, scene.relay.waiting, scene.relay.nextDue()]).toEqual([0, 0, Infinity]);
});
