import { runBpf } from '@pp/wire';
import { CAPTURED } from '@pp/wire/testing';
import { BARE_MAC, withEthernet, withoutEthernet } from './bare-frame';
import { BARE_ND_FILTER } from './filter';
import {
  advertise,
  DOWN,
  DOWN2,
  duplicateCheck,
  GUEST,
  GUEST_LL,
  ip,
  link,
  NEIGHBOR,
  PREFIX,
  probe,
  ROUTER,
  routerAdvert,
  routerSolicit,
  Scene,
  solicit,
  UP,
} from './testing/scene';

const guest = { mac: 2, source: GUEST };

/** A PPP or TUN upstream, whose router has advertised. */
function bare(): Scene {
  const scene = new Scene({
    links: [link(UP, { mac: BARE_MAC, isPointToPoint: true }), link(DOWN), link(DOWN2)],
  });
  scene.receive(UP, fromPeer(routerAdvert({ options: [PREFIX] })));
  return scene;
}

const fromPeer = (frame: Uint8Array): Uint8Array => withEthernet(withoutEthernet(frame), false);

test('an advertisement goes to every downstream, without a link-layer address as it came', () => {
  const scene = bare();
  expect(scene.taken().filter((line) => !line.startsWith('located'))).toEqual([
    'down: aa:02>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=1800 prefix',
    'down2: aa:03>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=1800 prefix',
  ]);
});

test('routers are asked without a link-layer address', () => {
  const scene = bare();
  scene.taken();
  scene.receive(DOWN, routerSolicit({ mac: 2, source: GUEST_LL }));
  expect(scene.taken().filter((line) => line.startsWith('up:'))).toEqual([
    'up: 00>33:00:00:00:02 RS fe80::2 > ff02::2',
  ]);
});

test.each([
  { name: 'to its group', frame: solicit(guest, ROUTER) },
  { name: 'straight to it, whether it is still there', frame: probe(guest, ROUTER, DOWN) },
])('who asks for the router, $name, is answered by us: O is 0, for it is not our address', ({ frame }) => {
  const scene = bare();
  scene.taken();
  scene.receive(DOWN, frame);
  expect(scene.outcome).toBe('local');
  expect(scene.taken().filter((line) => line.startsWith('down:'))).toEqual([
    'down: aa:02>02 NA fe80::1 > 2001:db8::2 of fe80::1 RS tlla=02:aa:00:00:00:02',
  ]);
});

test.each([
  { name: 'a solicitation', frame: solicit(guest, NEIGHBOR) },
  { name: 'a duplicate check', frame: duplicateCheck(2, GUEST) },
  { name: 'an announcement', frame: advertise(guest, ip('ff02::1'), DOWN, { flags: 0x20 }) },
])('$name goes to the other downstreams, not to the point-to-point link', ({ frame }) => {
  const scene = bare();
  scene.taken();
  scene.receive(DOWN, frame);
  const sent = scene.taken().filter((line) => /^(up|down2):/.test(line));
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatch(/^down2:/);
});

test('nobody is asked for on it', () => {
  const scene = new Scene({ links: [link(UP, { mac: BARE_MAC, isPointToPoint: true }), link(DOWN)] });
  scene.receive(DOWN, probe(guest, NEIGHBOR, DOWN));
  expect(scene.outcome).toBe('no-exit');
});

test.each(Object.entries(CAPTURED))('its filter lets %s through, as a bare packet', (_name, frame) => {
  expect(runBpf(BARE_ND_FILTER, withoutEthernet(frame), new Map())).toBeGreaterThan(0);
});

test.each([
  { name: 'an echo request', at: 40, byte: 128 },
  { name: 'UDP', at: 6, byte: 17 },
  { name: 'IPv4', at: 0, byte: 0x45 },
])('its filter drops $name', ({ at, byte }) => {
  const packet = withoutEthernet(CAPTURED.neighborSolicit).slice();
  packet[at] = byte;
  expect(runBpf(BARE_ND_FILTER, packet, new Map())).toBe(0);
});

test('a packet behind a header and without it again', () => {
  const packet = withoutEthernet(CAPTURED.routerAdvert);
  expect(withoutEthernet(withEthernet(packet, false))).toEqual(packet);
  expect([...withEthernet(packet, true).subarray(0, 14)]).toEqual([
    2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x86, 0xdd,
  ]);
});
