import { NaFlag } from '@pp/wire';
import {
  advertise,
  DOWN,
  duplicateCheck,
  GUEST,
  ip,
  link,
  NEIGHBOR,
  routerAdvert,
  Scene,
  solicit,
  UP,
} from './testing/scene';

const guest = { mac: 2, source: GUEST };
const asked = (scene: Scene): readonly string[] =>
  scene.taken().filter((line) => line.includes(' NS fe80::a:2 >'));
const ASKED_GUEST = 'down: aa:02>02 NS fe80::a:2 > 2001:db8::2 for 2001:db8::2 slla=02:aa:00:00:00:02';

/** A node that used its address, and then fell silent until it was given up. */
function suspended(): Scene {
  const scene = new Scene();
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  scene.pass(70);
  expect(scene.taken().at(-1)).toBe('lost 2001:db8::2 down');
  return scene;
}

test('one that fell silent is asked for again, more and more seldom', () => {
  const scene = suspended();
  scene.pass(75);
  expect(asked(scene)).toEqual(Array(4).fill(ASKED_GUEST)); // after 10, 20, 40 and 80 s
  scene.pass(300);
  expect(asked(scene)).toHaveLength(5); // once a minute
});

test('it is asked for at once when its node is heard, and found again', () => {
  const scene = suspended();
  const linkLocal = { mac: 2, source: ip('fe80::77') };
  scene.receive(DOWN, solicit(linkLocal, ip('fe80::1')));
  scene.pass(0.1);
  expect(asked(scene)).toEqual([ASKED_GUEST]);
  scene.receive(DOWN, solicit(linkLocal, ip('fe80::1'))); // again, but it was just asked
  scene.pass(0.1);
  expect(asked(scene)).toEqual([]);
  scene.receive(DOWN, advertise(guest, ip('fe80::a:2'), DOWN));
  expect(scene.taken()).toContain('located 2001:db8::2 down');
  scene.pass(50);
  expect(asked(scene)).toEqual([]);
});

test('another node that is heard has nothing to do with it', () => {
  const scene = suspended();
  scene.receive(DOWN, solicit({ mac: 3, source: ip('fe80::77') }, ip('fe80::1')));
  scene.pass(0.1);
  expect(asked(scene)).toEqual([]);
});

test('an address that was only checked for duplicates is given up for good', () => {
  const scene = new Scene();
  scene.receive(DOWN, duplicateCheck(2, GUEST));
  scene.pass(10);
  expect(scene.taken().at(-1)).toBe('lost 2001:db8::2 down');
  scene.pass(300);
  expect(asked(scene)).toEqual([]);
});

test('one whose interface goes is given up', () => {
  const scene = suspended();
  scene.update([link(UP)]);
  scene.update([link(UP), link(DOWN)]);
  scene.pass(300);
  expect(asked(scene)).toEqual([]);
});

const EUI64 = ip('fe80::ff:fe00:2');
const SUGGESTED =
  'down: aa:02>02 NS fe80::a:2 > 2001:db8::ff:fe00:2 for 2001:db8::ff:fe00:2 slla=02:aa:00:00:00:02';
const eui64Heard = advertise({ mac: 2, source: EUI64 }, ip('ff02::1'), DOWN, { flags: NaFlag.override });

test.each([
  { name: 'the prefix first', first: 'prefix' },
  { name: 'the node first', first: 'node' },
])('a node that checks nothing is asked for what its link-local address suggests: $name', ({ first }) => {
  const scene = new Scene({ links: [link(UP), link(DOWN)] });
  if (first === 'node') scene.receive(DOWN, eui64Heard);
  scene.receive(UP, routerAdvert());
  if (first === 'prefix') scene.receive(DOWN, eui64Heard);
  scene.pass(0.1);
  expect(asked(scene)).toEqual([SUGGESTED]);
  scene.pass(100);
  expect(asked(scene)).toEqual([SUGGESTED, SUGGESTED]); // three times in all
});

test('no suggestion for an address that is known, or that says nothing of others', () => {
  const scene = new Scene({ links: [link(UP), link(DOWN)] });
  scene.receive(UP, routerAdvert());
  scene.receive(DOWN, duplicateCheck(2, ip('2001:db8::ff:fe00:2')));
  scene.receive(DOWN, eui64Heard);
  scene.receive(DOWN, advertise({ mac: 3, source: ip('fe80::1234') }, ip('ff02::1'), DOWN, { flags: 0 }));
  scene.receive(UP, advertise({ mac: 4, source: ip('fe80::ff:fe00:4') }, ip('ff02::1'), UP, { flags: 0 }));
  scene.pass(3);
  expect(asked(scene)).toEqual([]);
});

test('their number is bounded: the oldest leaves', () => {
  const scene = new Scene({ links: [link(UP), link(DOWN)], limits: { suspects: 4 } });
  for (let n = 1; n <= 9; n++)
    scene.receive(DOWN, solicit({ mac: n, source: ip(`2001:db8::${n}`) }, NEIGHBOR));
  scene.pass(70);
  expect(scene.group.state.table.size).toBe(0);
  expect(scene.group.state.suspects.size).toBe(4);
});
