import { millis } from '@pp/base';
import { linkAddressOption, multicastMac, ndFrame, NdOptionType, option, solicitedNodeOf } from '@pp/wire';
import { toHex } from '@pp/wire/testing';
import { Detours } from './detours';
import { DOWN, DOWN2, ip, link, mac, ourMac, Scene, solicit, UP } from './testing/scene';

/** Asked by us on `up`, and sent on `down` by a station. */
function broughtBack(nonce: Uint8Array | null, source = ip('fe80::a:1')): Uint8Array {
  const target = ip('fe80::fdff:ffff:ffff:ffff');
  const destination = solicitedNodeOf(target);
  const options = [linkAddressOption('source', mac(5))];
  if (nonce !== null) options.push(option(NdOptionType.nonce, nonce));
  return ndFrame(
    { sourceMac: mac(5), destinationMac: multicastMac(destination), source, destination },
    { kind: 'neighbor-solicit', target, options },
  );
}

/** What was drawn for `up`, and what all may know of it. */
const ASKED_UP = new Uint8Array(6).fill(1);
const GUESSED_UP = Uint8Array.of(...ourMac(UP).subarray(2), 0, UP);

test.each([
  { name: 'our question of another segment', at: DOWN, frame: broughtBack(ASKED_UP), want: ['detour.found'] },
  { name: 'our question of the same segment', at: UP, frame: broughtBack(ASKED_UP), want: [] },
  { name: 'a nonce made of our Ethernet address', at: DOWN, frame: broughtBack(GUESSED_UP), want: [] },
  { name: 'another nonce', at: DOWN, frame: broughtBack(Uint8Array.of(1, 2, 3, 4, 5, 6)), want: [] },
  { name: 'no nonce', at: DOWN, frame: broughtBack(null), want: [] },
])('$name', ({ at, frame, want }) => {
  const scene = new Scene();
  scene.receive(at, frame);
  expect([scene.outcome, scene.taken()]).toEqual(['own-source', want]);
  scene.receive(at, frame);
  expect(scene.taken()).toEqual([]); // said once
});

test('the question is marked for each segment, and anew when an interface comes back', () => {
  const scene = new Scene();
  const marks = (): readonly string[] =>
    [...scene.group.state.members.values()].map(({ mark }) => toHex(mark));
  expect(marks()).toEqual(['01', '02', '03'].map((byte) => byte.repeat(6)));
  scene.update([link(UP, { mac: mac(7) }), link(DOWN)]);
  scene.update([link(UP), link(DOWN), link(DOWN2)]);
  expect(marks()).toEqual(['01', '02', '04'].map((byte) => byte.repeat(6)));
});

test('with another source than ours it is a message as any other', () => {
  const scene = new Scene();
  scene.receive(DOWN, broughtBack(ASKED_UP, ip('fe80::5')));
  expect(scene.outcome).toBe('forwarded');
  expect(scene.taken()).not.toContain('detour.found');
});

test('a copy by another way makes it look for detours, once in a second', () => {
  const scene = new Scene();
  const question = / NS fe80::a:\d > ff02::1:ffff:ffff for fe80::fdff:ffff:ffff:ffff /;
  const asked = (): number => scene.taken().filter((line) => question.test(line)).length;
  const loop = (n: number): void => {
    const target = ip(`2001:db8::${n}`);
    scene.receive(DOWN, solicit({ mac: 2, source: ip('2001:db8::2') }, target));
    scene.receive(UP, solicit({ mac: 5, source: ip('2001:db8::2') }, target));
    expect(scene.outcome).toBe('looped');
  };
  loop(1);
  scene.pass(0.1);
  expect(asked()).toBe(3); // members
  loop(2);
  scene.pass(0.1);
  expect(asked()).toBe(0);
  scene.pass(1);
  loop(3);
  scene.pass(0.1);
  expect(asked()).toBe(3);
});

const WAY = { from: 'up', to: 'down' };

test('how it showed itself is known with it: when first and last, how often, the last way', () => {
  const detours = new Detours();
  const back = { from: 'down', to: 'up' };
  detours.add(1, WAY, millis(0));
  detours.add(2, WAY, millis(1000));
  detours.add(1, back, millis(2000));
  expect(detours.known(millis(3000))).toEqual([
    [2, { ...WAY, since: 1000, seenAt: 1000, times: 1 }],
    [1, { ...back, since: 0, seenAt: 2000, times: 2 }],
  ]);
  expect(detours.known(millis(601_000)).map(([station]) => station)).toEqual([1]);
  detours.add(2, WAY, millis(700_000)); // forgotten meanwhile
  expect(detours.known(millis(700_000))).toEqual([
    [2, { ...WAY, since: 700_000, seenAt: 700_000, times: 1 }],
  ]);
});

test('a detour is one for ten minutes after it was seen, and the oldest of 64 is forgotten', () => {
  const detours = new Detours();
  expect(detours.areKnown).toBe(false);
  detours.add(1, WAY, millis(0));
  expect([detours.has(1, millis(599_999)), detours.has(1, millis(600_000))]).toEqual([true, false]);
  for (let station = 2; station <= 65; station++) detours.add(station, WAY, millis(1));
  expect([detours.has(1, millis(2)), detours.has(2, millis(2)), detours.has(65, millis(2))]).toEqual([
    false,
    true,
    true,
  ]);
});
