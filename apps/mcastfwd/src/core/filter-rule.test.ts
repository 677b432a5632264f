import { nameFromLabels, nameKey, type WireName } from '@pp/wire';
import type { Packet } from 'dns-packet';
import { checkedFilterRule, letsThrough, type FilterRule } from './filter-rule';
import { exitsOf, Scene, wire } from './testing/scene';

const rule = (action: FilterRule['action'], text: string): FilterRule => {
  const checked = checkedFilterRule(action, text);
  if (!checked.ok) throw new Error(checked.sentence);
  return checked.value;
};
const name = (...labels: readonly string[]): WireName => {
  const made = nameFromLabels(labels);
  if (made === null) throw new Error('no name');
  return made;
};

const IPP = name('_ipp', '_tcp', 'local');
const PRINTER = name('Dr. No', '_ipp', '_tcp', 'local');

test.each([
  { name: 'no rule', rules: [], in: IPP, want: true },
  { name: 'a denied type', rules: ['deny _ipp._tcp'], in: IPP, want: false },
  { name: 'a service of it', rules: ['deny _ipp._tcp.local'], in: PRINTER, want: false },
  {
    name: 'a subtype of it',
    rules: ['deny _ipp._tcp'],
    in: name('_color', '_sub', '_ipp', '_tcp', 'local'),
    want: false,
  },
  { name: 'a type that ends alike', rules: ['deny _p._tcp'], in: IPP, want: true },
  { name: 'in other letters', rules: ['deny _IPP._Tcp'], in: IPP, want: false },
  { name: 'one service, whose name has a dot', rules: ['deny Dr. No._ipp._tcp'], in: PRINTER, want: false },
  { name: 'the type of one that is denied', rules: ['deny Dr. No._ipp._tcp'], in: IPP, want: true },
  { name: 'an allowed type', rules: ['allow _ipp._tcp'], in: PRINTER, want: true },
  {
    name: 'another type than the allowed',
    rules: ['allow _ipp._tcp'],
    in: name('_ssh', '_tcp', 'local'),
    want: false,
  },
  {
    name: 'a host where types are allowed',
    rules: ['allow _ipp._tcp'],
    in: name('box', 'local'),
    want: true,
  },
  { name: 'a denied host', rules: ['deny box.local'], in: name('Box', 'local'), want: false },
  {
    name: 'the list of all types',
    rules: ['allow _ipp._tcp'],
    in: name('_services', '_dns-sd', '_udp', 'local'),
    want: true,
  },
  {
    name: 'denied in what is allowed',
    rules: ['allow _ipp._tcp', 'deny Dr. No._ipp._tcp'],
    in: PRINTER,
    want: false,
  },
])('$name: $want', ({ rules, in: subject, want }) => {
  const parsed = rules.map((text) =>
    rule(text.startsWith('deny') ? 'deny' : 'allow', text.replace(/^\w+ /, '')),
  );
  expect(letsThrough(parsed, subject)).toBe(want);
});

test.each(['', 'out:', 'out:in:_ipp._tcp', '@tap0', 'out:@tap0'])('"%s" is refused', (text) => {
  const checked = checkedFilterRule('allow', text);
  expect(checked.ok ? 'taken' : checked.sentence).toContain(
    `filter '${text}' is not understood; write [in:|`,
  );
});

test.each([
  { in: '_ipp._tcp@vmtap0', guest: 'vmtap0', ending: ['_ipp', '_tcp'] },
  { in: '_ipp._tcp@br0.20', guest: 'br0.20', ending: ['_ipp', '_tcp'] },
  { in: '_ipp._tcp.local@vmtap*', guest: 'vmtap*', ending: ['_ipp', '_tcp'] },
  { in: '_ipp._tcp@*', guest: '*', ending: ['_ipp', '_tcp'] },
  { in: 'me@box._ssh._tcp', guest: undefined, ending: ['me@box', '_ssh', '_tcp'] },
  { in: 'me@box._ssh._tcp.local@br0.20', guest: 'br0.20', ending: ['me@box', '_ssh', '_tcp'] },
])('"$in" is of the guest $guest', ({ in: text, guest, ending }) => {
  expect(rule('deny', text)).toMatchObject({ guest, ending: nameKey(name(...ending)) });
});

test.each(['', 'vm tap', 'a/b', 'sixteen-letters.'])('"%s" after the @ is refused', (guest) => {
  const checked = checkedFilterRule('deny', `_ipp._tcp@${guest}`);
  expect(checked.ok ? 'taken' : checked.sentence).toBe(
    `filter '_ipp._tcp@${guest}' has '${guest}' after the @, which cannot be an interface; write '_ipp._tcp@GUEST' with a name as "ip link" shows it, or '_ipp._tcp' for all`,
  );
});

const ask = (subject: string): Packet => ({
  type: 'query',
  questions: [
    { type: 'PTR', name: subject, class: 'IN' },
    { type: 'PTR', name: '_http._tcp.local', class: 'IN' },
  ],
});
const answer: Packet = {
  type: 'response',
  answers: [
    { type: 'PTR', name: '_services._dns-sd._udp.local', ttl: 9, data: '_ipp._tcp.local' },
    { type: 'PTR', name: '_services._dns-sd._udp.local', ttl: 9, data: '_http._tcp.local' },
    { type: 'PTR', name: '_ipp._tcp.local', ttl: 9, data: 'p._ipp._tcp.local' },
    { type: 'SRV', name: 'p._ipp._tcp.local', ttl: 9, data: { port: 1, target: 'h.local' } },
  ],
  additionals: [{ type: 'A', name: 'h.local', ttl: 9, data: '192.0.2.1' }],
};

describe('on the way', () => {
  const deny = (text: string) => ({ filters: [rule('deny', text)] });

  test('questions and answers of a type are left out, in the list of types too; others stay', () => {
    const scene = new Scene(deny('_ipp._tcp'));
    expect(scene.pass('eth0', ask('_ipp._tcp.local')).tap0?.questions?.map(({ name: each }) => each)).toEqual(
      ['_http._tcp.local'],
    );
    const { tap0 } = scene.pass('eth0', answer);
    expect([tap0?.answers?.length, tap0?.additionals?.length]).toEqual([1, 1]);
  });

  test('a message of which nothing is left does not go out', () => {
    const only: Packet = { type: 'response', answers: answer.answers?.slice(2) ?? [] };
    expect(new Scene(deny('_ipp._tcp')).hear('eth0', wire(only)).dropped).toBe('filtered');
  });

  test('what goes for another reason is not said to be filtered', () => {
    const packet: Packet = {
      type: 'response',
      answers: [{ type: 'A', name: 'h.local', ttl: 9, data: '169.254.1.1' }],
    };
    expect(new Scene(deny('_ipp._tcp')).hear('eth0', wire(packet)).dropped).toBe('link-local-only');
  });

  test.each([
    { rule: 'out:_ipp._tcp' },
    { rule: 'in:_ipp._tcp' },
    { rule: 'between:_ipp._tcp' },
    { rule: '_ipp._tcp@tap1' },
  ])('$rule', ({ rule: text }) => {
    const only = (type: string): Packet => ({
      type: 'query',
      questions: [{ type: 'PTR', name: type, class: 'IN' }],
    });
    const reply: Packet = { type: 'response', answers: answer.answers?.slice(2) ?? [] };
    const exits = (from: 'eth0' | 'tap0', packet: Packet): string =>
      exitsOf(new Scene(deny(text)).hear(from, wire(packet))).join(' ');
    const seen = {
      guestAsks: exits('tap0', only('_ipp._tcp.local')),
      lanAnswers: exits('eth0', reply),
      lanAsks: exits('eth0', only('_ipp._tcp.local')),
      guestAnswers: exits('tap0', reply),
    };
    const want = {
      'out:_ipp._tcp': { guestAsks: 'tap1', lanAnswers: '', lanAsks: 'tap0 tap1', guestAnswers: 'eth0 tap1' },
      'in:_ipp._tcp': { guestAsks: 'eth0 tap1', lanAnswers: 'tap0 tap1', lanAsks: '', guestAnswers: 'tap1' },
      'between:_ipp._tcp': {
        guestAsks: 'eth0',
        lanAnswers: 'tap0 tap1',
        lanAsks: 'tap0 tap1',
        guestAnswers: 'eth0',
      },
      '_ipp._tcp@tap1': {
        guestAsks: 'eth0 tap1',
        lanAnswers: 'tap0',
        lanAsks: 'tap0',
        guestAnswers: 'eth0 tap1',
      },
    }[text];
    expect(seen).toEqual(want);
  });
});
