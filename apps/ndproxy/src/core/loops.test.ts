import { RaFlag } from '@pp/wire';
import {
  DOWN,
  DOWN2,
  duplicateCheck,
  GUEST,
  ip,
  link,
  NEIGHBOR,
  redirect,
  routerAdvert,
  routerSolicit,
  Scene,
  solicit,
  UP,
} from './testing/scene';

const guest = { mac: 2, source: GUEST };
const ABOUT = { target: NEIGHBOR, destination: NEIGHBOR };
const copyOf = (frame: Uint8Array): Uint8Array => {
  const copy = frame.slice();
  copy[11] = 0x55; // sent by another proxy
  return copy;
};

describe('the gate of RFC 4389 §6', () => {
  const advertsOn = (scene: Scene, name: string): number =>
    scene.taken().filter((line) => line.startsWith(`${name}: `) && line.includes(' RA ')).length;

  test('opens after the second advertisement', () => {
    const scene = new Scene({ open: false, links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('gate-closed');
    scene.pass(0.3);
    expect(advertsOn(scene, 'down')).toBe(2);
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('forwarded');
  });

  test('opens when no router is heard for 12 s, and asks three times before', () => {
    const scene = new Scene({ open: false });
    scene.pass(11.9);
    expect(scene.taken().filter((line) => line.includes(' RS '))).toHaveLength(3);
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('gate-closed');
    scene.pass(0.2);
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('forwarded');
  });

  test('is not opened by what one host alone was told: another proxy would not hear it', () => {
    const scene = new Scene({ open: false, links: [link(UP), link(DOWN)] });
    scene.receive(DOWN, routerSolicit(guest));
    for (let i = 0; i < 2; i++) scene.receive(UP, routerAdvert({}, GUEST));
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('gate-closed');
    scene.taken();
    scene.pass(0.5);
    expect(scene.taken().filter((line) => line.includes('> ff02::1 P'))).toHaveLength(2); // so all hear it twice
    scene.receive(DOWN, solicit(guest, ip('2001:db8::8')));
    expect(scene.outcome).toBe('forwarded');
  });

  test('lets router solicitations pass: they bring what opens it', () => {
    const scene = new Scene({ open: false });
    scene.receive(DOWN, routerSolicit(guest));
    expect(scene.outcome).toBe('forwarded');
  });

  test('nothing goes out on a closed downstream either', () => {
    const scene = new Scene({ open: false, links: [link(UP), link(DOWN)] });
    scene.receive(UP, solicit({ mac: 9, source: NEIGHBOR }, GUEST));
    expect(scene.outcome).toBe('no-exit');
  });

  test('a downstream that comes later is served from what was heard a moment ago', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    scene.pass(1);
    scene.taken();
    scene.update([link(UP), link(DOWN), link(DOWN2)]);
    scene.pass(0.3);
    expect(advertsOn(scene, 'down2')).toBe(2);
    scene.receive(DOWN2, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('forwarded');
  });

  test('one that comes long after it asks the routers', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    scene.pass(60);
    scene.taken();
    scene.update([link(UP), link(DOWN), link(DOWN2)]);
    scene.pass(0.2);
    expect(scene.taken().filter((line) => line.includes(' RS '))).toHaveLength(1);
  });
});

describe('another proxy', () => {
  const proxied = routerAdvert({ flags: RaFlag.proxy });
  const rows = [
    { policy: 'guard', at: UP, first: 'ra-proxied', then: { up: 'loop-disabled', down2: 'loop-disabled' } },
    { policy: 'guard', at: DOWN, first: 'ra-downstream', then: { up: 'forwarded', down2: 'forwarded' } },
    { policy: 'rfc', at: UP, first: 'ra-proxied', then: { up: 'loop-disabled', down2: 'forwarded' } },
    { policy: 'rfc', at: DOWN, first: 'ra-downstream', then: { up: 'forwarded', down2: 'forwarded' } },
    { policy: 'nested', at: UP, first: 'forwarded', then: { up: 'forwarded', down2: 'forwarded' } },
    { policy: 'nested', at: DOWN, first: 'ra-downstream', then: { up: 'forwarded', down2: 'forwarded' } },
  ] as const;

  test.each(rows)('$policy, heard on interface $at: $first', ({ policy, at, first, then }) => {
    const scene = new Scene({ loopPolicy: policy });
    scene.receive(at, proxied);
    expect(scene.outcome).toBe(first);
    scene.receive(UP, solicit({ mac: 9, source: NEIGHBOR }, GUEST));
    expect(scene.outcome).toBe(then.up);
    scene.receive(DOWN2, solicit({ mac: 8, source: GUEST }, NEIGHBOR));
    expect(scene.outcome).toBe(then.down2);
  });

  test('rfc: the downstream where an advertisement was heard is off, also without P', () => {
    const scene = new Scene({ loopPolicy: 'rfc' });
    scene.receive(DOWN, routerAdvert());
    scene.taken();
    scene.receive(UP, solicit({ mac: 9, source: NEIGHBOR }, GUEST));
    expect(scene.taken().filter((line) => line.startsWith('down: '))).toEqual([]);
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('loop-disabled');
  });

  test('an interface is on again after an hour', () => {
    const scene = new Scene();
    scene.receive(UP, proxied);
    scene.pass(3599);
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('loop-disabled');
    scene.pass(2);
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('forwarded');
  });

  test('in a circle of nested proxies an advertisement ends after a few rounds', () => {
    const scene = new Scene({ loopPolicy: 'nested' });
    const outcomes = Array.from({ length: 20 }, () => {
      scene.receive(UP, routerAdvert({ flags: RaFlag.proxy }));
      return scene.outcome;
    });
    expect(outcomes.filter((outcome) => outcome === 'forwarded')).toHaveLength(5);
  });
});

describe('copies from another way between the segments', () => {
  test('are dropped, and say nothing about where the node is', () => {
    const scene = new Scene();
    const frame = solicit(guest, NEIGHBOR);
    scene.receive(DOWN, frame);
    scene.receive(UP, copyOf(frame));
    expect(scene.outcome).toBe('looped');
    expect(scene.group.state.table.get(GUEST)?.ifindex).toBe(DOWN);
  });

  test.each([
    { name: 'an advertisement of the router', at: DOWN2, frame: routerAdvert(), then: UP },
    { name: 'a redirect', at: DOWN2, frame: redirect(GUEST, ABOUT), then: UP },
    { name: 'a router solicitation', at: UP, frame: routerSolicit(guest), then: DOWN },
  ])('$name, said where it does not belong, does not silence the true one', ({ at, frame, then }) => {
    const scene = new Scene();
    scene.receive(UP, routerAdvert({ curHopLimit: 63 }));
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    scene.receive(at, copyOf(frame));
    scene.receive(then, frame);
    expect(scene.outcome).toBe('forwarded');
  });

  test('a host’s own repetition is no copy', () => {
    const scene = new Scene();
    for (let i = 0; i < 3; i++) {
      scene.receive(DOWN, solicit(guest, NEIGHBOR));
      expect(scene.outcome).toBe('forwarded');
    }
  });

  test('the same message much later, from elsewhere, is a node that moved', () => {
    const scene = new Scene();
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    scene.pass(1);
    scene.receive(DOWN2, solicit(guest, NEIGHBOR));
    expect(scene.outcome).toBe('forwarded');
  });

  test('a duplicate check with a nonce does not come back to its sender', () => {
    const scene = new Scene();
    const frame = duplicateCheck(2, GUEST);
    scene.receive(DOWN, frame);
    scene.receive(UP, copyOf(frame));
    expect(scene.outcome).toBe('looped');
  });

  test('two hosts that check one address at once hear each other', () => {
    const scene = new Scene();
    scene.receive(DOWN, duplicateCheck(2, GUEST, '010101010101'));
    scene.receive(UP, duplicateCheck(9, GUEST, '020202020202'));
    expect(scene.outcome).toBe('forwarded');
  });

  test('without nonces they hear each other too, but a third copy is a circle', () => {
    const scene = new Scene();
    const outcomes = [DOWN, UP, UP].map((at, i) => {
      scene.receive(at, duplicateCheck(i, GUEST, null));
      return scene.outcome;
    });
    expect(outcomes).toEqual(['forwarded', 'forwarded', 'looped']);
  });
});
