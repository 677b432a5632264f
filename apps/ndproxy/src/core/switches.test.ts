import { linkAddressOption, NaFlag, NdOptionType, option } from '@pp/wire';
import { toHex } from '@pp/wire/testing';
import { CHECKED_BEFORE as CHECKED } from './admit';
import { NEVER } from './limits';
import {
  advertise,
  DOWN,
  DOWN2,
  duplicateCheck,
  GUEST,
  ip,
  mac,
  NEIGHBOR,
  PREFIX,
  routerAdvert,
  routerSolicit,
  Scene,
  solicit,
  UP,
} from './testing/scene';

const asker = { mac: 9, source: NEIGHBOR };
const guest = { mac: 2, source: GUEST };
/** "It is me", to all nodes. */
const announced = (n: number): Uint8Array =>
  advertise({ mac: n, source: GUEST }, ip('ff02::1'), DOWN, { flags: NaFlag.override });

/** The ways out of what was sent, by name: "up", "down", "down2". */
const waysOf = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.includes(': ')).map((line) => line.slice(0, line.indexOf(':')));

interface Row {
  readonly name: string;
  readonly off?: boolean;
  readonly run: (scene: Scene) => void;
  readonly want: readonly string[];
}

const suppressRows: readonly Row[] = [
  {
    name: 'off: everywhere',
    off: true,
    run: (s) => {
      heardThenAsked(s);
    },
    want: ['down', 'down2'],
  },
  {
    name: 'one that was heard just now: only there',
    run: (s) => {
      heardThenAsked(s);
    },
    want: ['down'],
  },
  {
    name: 'one heard long ago: everywhere',
    run: (s) => {
      heardThenAsked(s, 31);
    },
    want: ['down', 'down2'],
  },
  {
    name: 'one that only asked itself: everywhere',
    run: (s) => {
      s.receive(DOWN, solicit(guest, NEIGHBOR));
      s.taken();
      s.receive(UP, solicit(asker, GUEST));
    },
    want: ['down', 'down2'],
  },
  {
    name: 'a check for duplicates: everywhere',
    run: (s) => {
      s.receive(DOWN, announced(2));
      s.taken();
      s.receive(UP, duplicateCheck(9, GUEST));
    },
    want: ['down', 'down2'],
  },
  {
    name: 'one on the segment of the asker: nowhere',
    run: (s) => {
      s.receive(DOWN, announced(2));
      s.taken();
      s.receive(DOWN, solicit(asker, GUEST));
      expect(s.outcome).toBe('same-segment');
    },
    want: [],
  },
];

function heardThenAsked(scene: Scene, secs = 0): void {
  scene.receive(DOWN, announced(2));
  if (secs > 0) scene.pass(secs);
  scene.taken();
  scene.receive(UP, solicit(asker, GUEST));
}

test.each(suppressRows)('suppress, $name', ({ off = false, run, want }) => {
  const scene = new Scene({ switches: { suppress: !off } });
  run(scene);
  expect(waysOf(scene.taken())).toEqual(want);
});

const OF_GUEST = 'NA 2001:db8::2 > ff02::1 of 2001:db8::2 O';
const OURS_ON_DOWN = `down: aa:02>33:00:00:00:01 ${OF_GUEST} tlla=02:aa:00:00:00:02`;
const inOwnName = (scene: Scene): readonly string[] =>
  scene.taken().filter((line) => line.includes(OF_GUEST));

/** Of what a node says on another segment only the announcement is looked at, and its own messages passed on. */
const moveRows: readonly Row[] = [
  {
    name: 'off: peers find out by themselves',
    off: true,
    run: (s) => {
      s.receive(DOWN2, solicit(guest, NEIGHBOR));
    },
    want: [],
  },
  {
    name: 'it asks from there: the segment that it left is told',
    run: (s) => {
      s.receive(DOWN2, solicit(guest, NEIGHBOR));
    },
    want: [OURS_ON_DOWN],
  },
  {
    name: 'it checks there for duplicates: it may be another',
    run: (s) => {
      s.receive(DOWN2, duplicateCheck(2, GUEST));
    },
    want: [],
  },
  {
    name: 'it checks there and then asks: told once',
    run: (s) => {
      s.receive(DOWN2, duplicateCheck(2, GUEST));
      for (const target of [NEIGHBOR, ip('2001:db8::8')]) s.receive(DOWN2, solicit(guest, target));
    },
    want: [OURS_ON_DOWN],
  },
  {
    name: 'another address behind the same interface is no move',
    run: (s) => {
      s.receive(DOWN, solicit({ ...guest, mac: 7 }, NEIGHBOR));
    },
    want: [],
  },
];

test.each(moveRows)('announce-moves, $name', ({ off = false, run, want }) => {
  const scene = new Scene({ switches: { announceMoves: !off } });
  scene.receive(DOWN, announced(2));
  scene.pass(1);
  scene.taken();
  run(scene);
  expect(inOwnName(scene)).toEqual(want);
});

test('announce-moves, a node that runs to and fro cannot make us speak without end', () => {
  const scene = new Scene({ switches: { announceMoves: true } });
  scene.receive(DOWN, announced(2));
  scene.taken();
  for (let n = 0; n < 500; n++)
    scene.receive(n % 2 === 0 ? DOWN2 : DOWN, solicit(guest, ip(`2001:db8::1:${n.toString(16)}`)));
  expect(inOwnName(scene).length).toBeLessThanOrEqual(50);
});

/** A router that answers only the one who asked. */
const answer = routerAdvert({ options: [PREFIX, linkAddressOption('source', mac(1))] }, GUEST);

test.each([
  { name: 'off: the one who asked', raMulticast: false, want: ['down'], to: '02' },
  {
    name: 'on: all nodes of all downstreams',
    raMulticast: true,
    want: ['down', 'down2'],
    to: '33:00:00:00:01',
  },
])('ra-multicast, $name', ({ raMulticast, want, to }) => {
  const scene = new Scene({ switches: { raMulticast } });
  scene.receive(DOWN, routerSolicit(guest));
  scene.taken();
  scene.receive(UP, answer);
  const adverts = scene.taken().filter((line) => line.includes(' RA '));
  expect(waysOf(adverts)).toEqual(want);
  for (const line of adverts)
    expect(line).toContain(`>${to} RA fe80::1 > ${raMulticast ? 'ff02::1' : '2001:db8::2'}`);
  expect(scene.outcome).toBe('forwarded');
});

test.each([
  { name: 'as it comes: a downstream opens without routers', gateQuiet: {}, want: 'forwarded' },
  { name: 'strict: it stays closed', gateQuiet: { gateQuiet: NEVER }, want: 'gate-closed' },
])('$name', ({ gateQuiet, want }) => {
  const scene = new Scene({ open: false, limits: gateQuiet });
  scene.pass(3600);
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  expect(scene.outcome).toBe(want);
});

test('strict: two advertisements open it', () => {
  const scene = new Scene({ open: false, limits: { gateQuiet: NEVER } });
  scene.receive(UP, routerAdvert());
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  expect(scene.outcome).toBe('gate-closed');
  scene.pass(1); // the advertisement is sent again
  scene.receive(DOWN, solicit(guest, ip('2001:db8::8')));
  expect(scene.outcome).toBe('forwarded');
});

/** RFC 3971 §5.2, of no real key. */
const SIGNATURE = option(NdOptionType.rsaSignature, new Uint8Array(38));
const signedCheck = solicit({ mac: 2, source: ip('::') }, GUEST, [SIGNATURE]);

test.each([
  {
    name: 'off: what is signed passes, though it is changed',
    dropSigned: false,
    frame: solicit(guest, NEIGHBOR, [linkAddressOption('source', mac(2)), SIGNATURE]),
  },
  { name: 'on: what needs no change passes, signature and all', dropSigned: true, frame: signedCheck },
  {
    name: 'on: what is not signed is none of its business',
    dropSigned: true,
    frame: solicit(guest, NEIGHBOR),
  },
])('drop-signed, $name', ({ dropSigned, frame }) => {
  const scene = new Scene({ switches: { dropSigned } });
  scene.receive(DOWN, frame);
  expect(scene.outcome).toBe('forwarded');
});

test('a message that needs no change is the same to the last byte behind the Ethernet header', () => {
  const scene = new Scene({ switches: { dropSigned: true } });
  const { actions } = scene.group.step(DOWN, signedCheck, CHECKED, scene.now);
  const frames = actions.flatMap((action) => (action.do === 'send' ? [action.frame] : []));
  expect(frames.map((frame) => toHex(frame.subarray(14)))).toEqual([
    toHex(signedCheck.subarray(14)),
    toHex(signedCheck.subarray(14)),
  ]);
});
