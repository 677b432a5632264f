import { millis } from '@pp/base';
import { PacketLan } from '@pp/ports/testing';
import { toHex } from '@pp/wire/testing';
import { Group } from './group';
import { ALL_OFF, LIMITS, type LoopPolicy } from './limits';
import { CHECKED_BEFORE } from './admit';
import { NO_POLICY } from './policy';
import {
  drawsFrom,
  duplicateCheck,
  frameText,
  GUEST,
  ip,
  mac,
  NEIGHBOR,
  routerAdvert,
  solicit,
} from './testing/scene';

/** A proxy of its own Ethernet addresses between segments, the first its upstream; gates are open. */
function proxyBetween(number: number, lans: readonly PacketLan[], loopPolicy: LoopPolicy = 'guard'): Group {
  const settings = {
    name: `p${number}`,
    mode: 'route',
    loopPolicy,
    switches: ALL_OFF,
    policy: NO_POLICY,
    limits: LIMITS,
    randomBytes: drawsFrom(16 * number),
  } as const;
  const group = new Group(settings, millis(0));
  const ports = lans.map((lan, i) => {
    const own = Uint8Array.of(2, 0xbb, number, 0, 0, i + 1);
    const put = lan.attach(toHex(own), (frame) => {
      act(group.step(i + 1, frame, { ...CHECKED_BEFORE, checksumReady: true }, millis(20_000)).actions);
    });
    return { own, put };
  });
  const act = (actions: ReturnType<Group['tick']>): void => {
    for (const action of actions) if (action.do === 'send') ports[action.ifindex - 1]?.put(action.frame);
  };
  const links = ports.map(({ own }, i) => ({
    ifindex: i + 1,
    ifname: `if${i + 1}`,
    role: i === 0 ? ('upstream' as const) : ('downstream' as const),
    mac: own,
    mtu: 1500,
  }));
  const addresses = links.map(({ ifindex }) => ({
    ifindex,
    address: ip(`fe80::bb:${number}:${ifindex}`),
    usable: true,
  }));
  group.update(links, addresses, millis(0));
  return group;
}

const guest = { mac: 2, source: GUEST };
const MESSAGES = [
  { name: 'a solicitation', frame: solicit(guest, NEIGHBOR), most: 4 },
  { name: 'a duplicate check', frame: duplicateCheck(2, GUEST), most: 4 },
  { name: 'a duplicate check without nonce', frame: duplicateCheck(2, GUEST, null), most: 12 },
];

test.each(MESSAGES)('two proxies in parallel: $name ends within a few copies', ({ frame, most }) => {
  const [a, b] = [new PacketLan(100), new PacketLan(100)];
  proxyBetween(1, [a, b]);
  proxyBetween(2, [a, b]);
  a.attach(toHex(mac(2)), () => undefined)(frame);
  expect(a.frames.length + b.frames.length).toBeLessThanOrEqual(most);
  expect(b.frames.length).toBeGreaterThanOrEqual(1);
});

test.each(['guard', 'rfc', 'nested'] as const)(
  'two proxies head to tail in a circle (%s): an advertisement ends',
  (policy) => {
    const [a, b] = [new PacketLan(100), new PacketLan(100)];
    proxyBetween(1, [a, b], policy);
    proxyBetween(2, [b, a], policy);
    a.attach(toHex(mac(1)), () => undefined)(routerAdvert());
    expect(a.frames.length + b.frames.length).toBeLessThan(20);
  },
);

test('a chain of two (nested): what the router says reaches the last segment, and the answer its asker', () => {
  const [a, b, c] = [new PacketLan(100), new PacketLan(100), new PacketLan(100)];
  proxyBetween(1, [a, b]);
  proxyBetween(2, [b, c], 'nested');
  const heard: string[] = [];
  const router = a.attach(toHex(mac(1)), () => undefined);
  const host = c.attach(toHex(mac(2)), (frame) => void heard.push(frameText(frame)));
  router(routerAdvert());
  expect(heard).toEqual([
    '02:bb:02:00:00:02>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=1800 prefix slla=02:bb:02:00:00:02',
  ]);
  host(solicit(guest, NEIGHBOR));
  expect(a.frames.map(frameText).at(-1)).toBe(
    '02:bb:01:00:00:01>33:ff:00:00:09 NS 2001:db8::2 > ff02::1:ff00:9 for 2001:db8::9 slla=02:bb:01:00:00:01',
  );
});

test('a chain of two, both on guard: the second turns itself off', () => {
  const [a, b, c] = [new PacketLan(100), new PacketLan(100), new PacketLan(100)];
  proxyBetween(1, [a, b]);
  const second = proxyBetween(2, [b, c]);
  a.attach(toHex(mac(1)), () => undefined)(routerAdvert());
  expect(c.frames).toEqual([]);
  expect(second.state.counters.dropped).toEqual({ 'ra-proxied': 1 });
});
