import { accept, refuse } from '@pp/base';
import type { Bus } from './bus';
import { DBUS_ERROR } from './errors';
import { ScriptedBus, type Delivery } from './testing/scripted-bus';
import { Variant, type Body } from './wire/values';

const BUS_NAME = 'org.freedesktop.DBus';

const dict = (entries: Readonly<Record<string, Variant>>): Delivery => ({
  type: 'return',
  signature: 'a{sv}',
  values: [new Map(Object.entries(entries))],
});

const KNOWN = dict({
  UnixUserID: new Variant('u', 1000),
  ProcessID: new Variant('u', 77),
  LinuxSecurityLabel: new Variant('ay', new Uint8Array(2)),
});

async function subject(answer: Delivery): Promise<{ scripted: ScriptedBus; bus: Bus; asked: () => Body[] }> {
  const scripted = new ScriptedBus();
  scripted.answers.set('GetConnectionCredentials', () => answer);
  const asked = (): Body[] =>
    scripted.sent
      .filter(({ header }) => header.type === 'call' && header.member === 'GetConnectionCredentials')
      .map(({ body }) => body);
  return { scripted, bus: await scripted.connect(), asked };
}

test('the bus is asked once per name', async () => {
  const { bus, asked } = await subject(KNOWN);
  const all = await Promise.all([bus.credentials(':1.5'), bus.credentials(':1.5'), bus.credentials(':1.6')]);
  expect(all).toEqual([1, 2, 3].map(() => accept({ uid: 1000, pid: 77 })));
  await bus.credentials(':1.5');
  expect(asked()).toEqual([[':1.5'], [':1.6']]);
});

test('a name that has left is asked for again, and one rule tells of all that leave', async () => {
  const { scripted, bus, asked } = await subject(KNOWN);
  await bus.credentials(':1.5');
  await bus.credentials(':1.6');
  const left = {
    path: '/org/freedesktop/DBus',
    interface: BUS_NAME,
    member: 'NameOwnerChanged',
    signature: 'sss',
  };
  scripted.deliver({ ...left, type: 'signal', sender: BUS_NAME, values: [':1.5', ':1.5', ''] });
  await bus.credentials(':1.5');
  await bus.credentials(':1.6');
  expect(asked()).toEqual([[':1.5'], [':1.6'], [':1.5']]);
  const rules = scripted.sent.filter(({ header }) => header.type === 'call' && header.member === 'AddMatch');
  expect(rules).toHaveLength(1);
});

test.each([
  {
    name: 'a peer that has left',
    answer: { type: 'error', errorName: DBUS_ERROR.nameHasNoOwner },
    want: refuse('NotFound', 'the caller :1.5 has left the bus'),
  },
  {
    name: 'a bus that refuses',
    answer: { type: 'error', errorName: DBUS_ERROR.accessDenied, signature: 's', values: ['not you'] },
    want: refuse('Failed', 'the bus does not say who :1.5 is: not you'),
  },
  {
    name: 'a peer without a uid',
    answer: dict({ ProcessID: new Variant('u', 77) }),
    want: refuse('Failed', 'the bus does not know the uid and pid of :1.5'),
  },
  {
    name: 'a uid that is no number',
    answer: dict({ UnixUserID: new Variant('s', '0'), ProcessID: new Variant('u', 77) }),
    want: refuse('Failed', 'the bus does not know the uid and pid of :1.5'),
  },
] satisfies { name: string; answer: Delivery; want: unknown }[])('$name', async ({ answer, want }) => {
  const { bus } = await subject(answer);
  await expect(bus.credentials(':1.5')).resolves.toEqual(want);
});

test('a bus that goes away is a refusal too', async () => {
  const { scripted, bus } = await subject(KNOWN);
  const asked = bus.credentials(':1.5');
  scripted.stream.end();
  await expect(asked).resolves.toMatchObject({ ok: false, reason: 'Failed' });
});

test('a rule that the bus refuses once is asked for again', async () => {
  const { scripted, bus } = await subject(KNOWN);
  const addMatch = scripted.answers.get('AddMatch');
  scripted.answers.set('AddMatch', () => ({ type: 'error', errorName: DBUS_ERROR.limitsExceeded }));
  await expect(bus.credentials(':1.5')).resolves.toMatchObject({ ok: false });
  if (addMatch !== undefined) scripted.answers.set('AddMatch', addMatch);
  await expect(bus.credentials(':1.5')).resolves.toEqual(accept({ uid: 1000, pid: 77 }));
});
