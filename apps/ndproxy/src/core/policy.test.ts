import {
  decodePrefixInformation,
  NaFlag,
  NdOptionType,
  option,
  prefixInformation,
  RaFlag,
  rdnssOption,
} from '@pp/wire';
import { admit, CHECKED_BEFORE } from './admit';
import { macNumber } from './keys';
import { mayBeProxied, NO_POLICY, RA_PARTS, type Policy, type Prefix } from './policy';
import {
  advertise,
  DOWN,
  duplicateCheck,
  GUEST,
  GUEST_LL,
  ip,
  link,
  mac,
  NEIGHBOR,
  PREFIX,
  routerAdvert,
  Scene,
  solicit,
  UP,
} from './testing/scene';

const prefix = (text: string, length: number): Prefix => ({ prefix: ip(text), length });
const GUESTS = prefix('2001:db8::', 124); // 2001:db8::2 and 2001:db8::9
const NEIGHBORS = prefix('2001:db8::8', 125);
const links = [link(UP), link(DOWN)];
const guest = { mac: 2, source: GUEST };
const elsewhere = { mac: 3, source: ip('2001:db8:1::3') };

describe('prefixes', () => {
  const rows: readonly {
    readonly name: string;
    readonly policy: Partial<Policy>;
    readonly frame: Uint8Array;
    readonly want: string;
  }[] = [
    {
      name: 'one of them',
      policy: { onlyPrefixes: [GUESTS] },
      frame: solicit(guest, NEIGHBOR),
      want: 'forwarded',
    },
    {
      name: 'none of them',
      policy: { onlyPrefixes: [GUESTS] },
      frame: solicit(elsewhere, GUEST),
      want: 'prefix',
    },
    {
      name: 'a target that is none of them',
      policy: { onlyPrefixes: [GUESTS] },
      frame: solicit(guest, elsewhere.source),
      want: 'prefix',
    },
    {
      name: 'one that is excluded',
      policy: { notPrefixes: [NEIGHBORS] },
      frame: solicit(guest, NEIGHBOR),
      want: 'prefix',
    },
    {
      name: 'one that is excluded from the others',
      policy: { onlyPrefixes: [GUESTS], notPrefixes: [NEIGHBORS] },
      frame: solicit(guest, NEIGHBOR),
      want: 'prefix',
    },
    {
      name: 'a link-local one, of which nothing is said',
      policy: { onlyPrefixes: [GUESTS] },
      frame: solicit({ mac: 2, source: GUEST_LL }, ip('fe80::9')),
      want: 'forwarded',
    },
    {
      name: 'a duplicate check of one of them',
      policy: { onlyPrefixes: [GUESTS] },
      frame: duplicateCheck(2, GUEST),
      want: 'forwarded',
    },
    {
      name: 'an announcement of none of them',
      policy: { notPrefixes: [GUESTS] },
      frame: advertise(guest, ip('ff02::1'), DOWN, { flags: NaFlag.override }),
      want: 'prefix',
    },
  ];
  test.each(rows)('$name', ({ policy, frame, want }) => {
    const scene = new Scene({ policy, links });
    scene.receive(DOWN, frame);
    expect(scene.outcome).toBe(want);
  });

  test('who is not proxied is not remembered, and gets no route', () => {
    const scene = new Scene({ policy: { notPrefixes: [GUESTS] }, links });
    scene.receive(DOWN, solicit(guest, NEIGHBOR));
    scene.receive(DOWN, duplicateCheck(2, GUEST));
    expect(scene.group.state.table.size).toBe(0);
    expect(scene.taken()).toEqual([]);
  });

  test.each([
    { name: 'no policy', policy: {}, want: true },
    { name: 'the prefix itself', policy: { onlyPrefixes: [prefix('2001:db8::', 64)] }, want: true },
    { name: 'a part of it', policy: { onlyPrefixes: [prefix('2001:db8::8000:0', 98)] }, want: true },
    { name: 'all around it', policy: { onlyPrefixes: [prefix('2001:db8::', 32)] }, want: true },
    { name: 'another', policy: { onlyPrefixes: [prefix('2001:db8:1::', 64)] }, want: false },
    { name: 'not it', policy: { notPrefixes: [prefix('2001:db8::', 64)] }, want: false },
    { name: 'not what is around it', policy: { notPrefixes: [prefix('2001:db8::', 32)] }, want: false },
    { name: 'not a part of it', policy: { notPrefixes: [prefix('2001:db8::8000:0', 98)] }, want: true },
  ])('$name: a router’s prefix is announced: $want', ({ policy, want }) => {
    expect(mayBeProxied({ ...NO_POLICY, ...policy }, prefix('2001:db8::', 64))).toBe(want);
  });
});

/** An advertisement as a downstream gets it: its flags, and the types of its options, prefixes by their first byte. */
function seen(policy: Partial<Policy>, mode: 'route' | 'bridge' = 'route'): string {
  const scene = new Scene({ policy, links, mode });
  const lifetimes = { flags: 0xc0, validSec: 9, preferredSec: 9 };
  const options = [
    PREFIX,
    prefixInformation({ prefixLength: 64, ...lifetimes, prefix: ip('fd00::') }),
    rdnssOption({ lifetimeSec: 9, servers: [ip('2001:db8::53')] }),
    option(NdOptionType.dnssl, new Uint8Array(14)),
  ];
  const advert = routerAdvert({ flags: RaFlag.managed | RaFlag.other, options });
  const { actions } = scene.group.step(UP, advert, { ...CHECKED_BEFORE, checksumReady: true }, scene.now);
  const [frame] = actions.flatMap((action) => (action.do === 'send' ? [action.frame] : []));
  const admitted = admit(frame ?? advert, { ...CHECKED_BEFORE, checksumReady: true });
  if (!admitted.ok) throw new Error(admitted.reason);
  const { message } = admitted.packet;
  if (message.kind !== 'router-advert') throw new Error(message.kind);
  const names = message.options.map((each) => {
    const pio = each.type === NdOptionType.prefixInformation ? decodePrefixInformation(each) : null;
    return pio?.ok === true ? `${pio.value.prefix[0]?.toString(16) ?? ''}00::` : String(each.type);
  });
  const { managed, other, proxy } = RaFlag;
  const flags = [managed, other, proxy].map((flag, i) => ((message.flags & flag) === 0 ? '' : 'MOP'[i]));
  return `${flags.join('')} ${names.join(' ')}`;
}

test.each([
  { name: 'no policy', policy: {}, want: 'MOP 2000:: fd00:: 25 31' },
  { name: 'without M', policy: { raWithout: new Set(['managed'] as const) }, want: 'OP 2000:: fd00:: 25 31' },
  { name: 'without O', policy: { raWithout: new Set(['other'] as const) }, want: 'MP 2000:: fd00:: 25 31' },
  {
    name: 'without resolvers',
    policy: { raWithout: new Set(['rdnss'] as const) },
    want: 'MOP 2000:: fd00:: 31',
  },
  {
    name: 'without domains',
    policy: { raWithout: new Set(['dnssl'] as const) },
    want: 'MOP 2000:: fd00:: 25',
  },
  { name: 'without all', policy: { raWithout: new Set(RA_PARTS) }, want: 'P 2000:: fd00::' },
  {
    name: 'only one of its prefixes',
    policy: { onlyPrefixes: [prefix('2001:db8::', 64)] },
    want: 'MOP 2000:: 25 31',
  },
  { name: 'not one of them', policy: { notPrefixes: [prefix('2000::', 3)] }, want: 'MOP fd00:: 25 31' },
])('a router advertisement, $name', ({ policy, want }) => {
  expect(seen(policy)).toBe(want);
  expect(seen(policy, 'bridge')).toBe(want);
});

describe('a station that claims every address', () => {
  const CLAIMER = { mac: 0x66, source: GUEST };
  const claim = advertise(CLAIMER, ip('ff02::1'), UP, { flags: NaFlag.override });
  const policy = { dadIgnore: new Set([macNumber(mac(0x66))]) };

  test('is not believed, and that is said once', () => {
    const scene = new Scene({ policy, links });
    scene.receive(DOWN, duplicateCheck(2, GUEST));
    scene.taken();
    for (let i = 0; i < 2; i++) {
      scene.receive(UP, claim);
      expect(scene.outcome).toBe('dad-ignored');
    }
    expect(scene.taken()).toEqual(['dad.ignored']);
    expect(scene.group.state.table.get(GUEST)?.ifindex).toBe(DOWN);
  });

  test.each([
    { name: 'another station', from: { mac: 0x67, source: GUEST }, before: duplicateCheck(2, GUEST) },
    {
      name: 'one that has the address itself',
      from: CLAIMER,
      before: solicit(guest, NEIGHBOR),
      source: NEIGHBOR,
    },
  ])('$name is', ({ from, before, source = GUEST }) => {
    const scene = new Scene({ policy, links });
    scene.receive(DOWN, before);
    scene.receive(UP, advertise({ ...from, source }, ip('ff02::1'), UP, { flags: NaFlag.override }));
    expect(scene.outcome).toBe('forwarded');
  });
});
