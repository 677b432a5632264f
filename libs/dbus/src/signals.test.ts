import type { Bus } from './bus';
import { DBUS_ERROR } from './errors';
import { matchRuleText } from './match-rule';
import type { Signal } from './signals';
import { ScriptedBus } from './testing/scripted-bus';

const BUS_NAME = 'org.freedesktop.DBus';
const RANG = { sender: ':1.9', path: '/a', interface: 'a.b', member: 'Rang' } as const;
const SIGNAL = { ...RANG, type: 'signal' } as const;
const OWNER_CHANGED = {
  type: 'signal',
  sender: BUS_NAME,
  path: '/org/freedesktop/DBus',
  interface: BUS_NAME,
  member: 'NameOwnerChanged',
  signature: 'sss',
} as const;

async function subject(owner = ':1.9'): Promise<{ scripted: ScriptedBus; bus: Bus }> {
  const scripted = new ScriptedBus();
  scripted.answers.set('GetNameOwner', () =>
    owner === ''
      ? { type: 'error', errorName: DBUS_ERROR.nameHasNoOwner }
      : { type: 'return', signature: 's', values: [owner] },
  );
  return { scripted, bus: await scripted.connect() };
}

const isCallOf =
  (member: string) =>
  ({ header }: { header: { type: string; member?: string } }): boolean =>
    header.type === 'call' && header.member === member;

describe('which signals match', () => {
  test.each([
    { name: 'everything absent', rule: {}, want: true },
    {
      name: 'all the same',
      rule: { sender: ':1.9', path: '/a', interface: 'a.b', member: 'Rang', arg0: 'x', arg2: 'z' },
      want: true,
    },
    { name: 'another sender', rule: { sender: ':1.8' }, want: false },
    { name: 'another path', rule: { path: '/a/b' }, want: false },
    { name: 'another interface', rule: { interface: 'a.c' }, want: false },
    { name: 'another member', rule: { member: 'Rung' }, want: false },
    { name: 'another first value', rule: { arg0: 'y' }, want: false },
    { name: 'another third value', rule: { arg2: '' }, want: false },
    { name: 'a well-known name that the sender owns', rule: { sender: 'x.y' }, want: true },
  ])('$name', async ({ rule, want }) => {
    const { scripted, bus } = await subject();
    const seen: Signal[] = [];
    await bus.subscribe(rule, (signal) => seen.push(signal));
    scripted.deliver({ ...SIGNAL, signature: 'sss', values: ['x', 'y', 'z'] });
    expect(seen).toEqual(want ? [{ ...RANG, signature: 'sss', body: ['x', 'y', 'z'] }] : []);
  });
});

test('the bus is asked for the signals, and no longer after the end', async () => {
  const { scripted, bus } = await subject();
  const seen: Signal[] = [];
  const unsubscribe = await bus.subscribe({ interface: 'a.b', member: 'Rang' }, (signal) =>
    seen.push(signal),
  );
  unsubscribe();
  unsubscribe();
  scripted.deliver(SIGNAL);
  const [add] = await scripted.expectSent(1, isCallOf('AddMatch'));
  const removed = await scripted.expectSent(1, isCallOf('RemoveMatch'));
  expect(add?.body).toEqual(["type='signal',interface='a.b',member='Rang'"]);
  expect([removed.map(({ body }) => body), seen]).toEqual([[add?.body], []]);
});

test('an apostrophe in a rule is quoted', () => {
  expect(matchRuleText({ arg0: "it's" })).toBe("type='signal',arg0='it'\\''s'");
});

test('a subscription that the bus refuses rejects and is gone', async () => {
  const { scripted, bus } = await subject();
  scripted.answers.set('AddMatch', () => ({ type: 'error', errorName: DBUS_ERROR.limitsExceeded }));
  const seen: Signal[] = [];
  await expect(bus.subscribe({}, (signal) => seen.push(signal))).rejects.toMatchObject({
    name: DBUS_ERROR.limitsExceeded,
  });
  scripted.deliver(SIGNAL);
  expect(seen).toEqual([]);
});

test('descriptors of a signal are closed, malformed signals dropped', async () => {
  const { scripted, bus } = await subject();
  const seen: Signal[] = [];
  await bus.subscribe({ member: 'Rang' }, (signal) => seen.push(signal));
  scripted.deliver({ ...SIGNAL, signature: 'h', values: [0], fds: [scripted.ledger.issue()] });
  scripted.deliver({ ...SIGNAL, signature: 's', bytes: Uint8Array.of(1) });
  scripted.deliver({ ...SIGNAL, member: 'Else', fds: [scripted.ledger.issue()] });
  expect([seen.length, scripted.ledger.open]).toEqual([1, []]);
  expect(scripted.log.lines).toEqual([
    'debug dbus.signal-dropped member=Rang sender=:1.9 why=at byte 0: a value runs past the end',
  ]);
});

test('a handler that throws is logged, and the others are told', async () => {
  const { scripted, bus } = await subject();
  const seen: Signal[] = [];
  await bus.subscribe({ member: 'Rang' }, () => {
    throw new Error('oops', { cause: new Error('deep') });
  });
  await bus.subscribe({ member: 'Rang' }, (signal) => seen.push(signal));
  scripted.deliver(SIGNAL);
  expect(seen).toHaveLength(1);
  expect(scripted.log.lines).toEqual(['error dbus.signal-handler member=Rang error=oops: deep']);
});

describe('the owner of a name', () => {
  const changed = (from: string, to: string): typeof OWNER_CHANGED & { values: string[] } => ({
    ...OWNER_CHANGED,
    values: ['x.y', from, to],
  });

  test('is told now and after each change', async () => {
    const { scripted, bus } = await subject(':1.9');
    const owners: (string | undefined)[] = [];
    const unwatch = await bus.watchName('x.y', (owner) => owners.push(owner));
    scripted.deliver(changed(':1.9', ''));
    scripted.deliver(changed('', ':1.10'));
    scripted.deliver({ ...OWNER_CHANGED, values: ['other.name', '', ':1.11'] });
    unwatch();
    scripted.deliver(changed(':1.10', ''));
    expect(owners).toEqual([':1.9', undefined, ':1.10']);
  });

  test('is undefined while there is none', async () => {
    const { bus } = await subject('');
    const owners: (string | undefined)[] = [];
    await bus.watchName('x.y', (owner) => owners.push(owner));
    expect(owners).toEqual([undefined]);
  });

  test('is what a signal said, though the answer to the first question arrives with it', async () => {
    const { scripted, bus } = await subject();
    scripted.answers.delete('GetNameOwner');
    const owners: (string | undefined)[] = [];
    const watching = bus.watchName('x.y', (owner) => owners.push(owner));
    const [question] = await scripted.expectSent(1, isCallOf('GetNameOwner'));
    if (question === undefined) throw new Error('nothing was asked');
    scripted.reply(question, { signature: 's', values: [':1.9'] });
    scripted.deliver(changed(':1.9', ':1.10'));
    await watching;
    expect(owners).toEqual([':1.10']);
  });

  test('is not believed from anybody but the bus', async () => {
    const { scripted, bus } = await subject();
    const owners: (string | undefined)[] = [];
    await bus.watchName('x.y', (owner) => owners.push(owner));
    scripted.deliver({ ...changed(':1.9', ':1.66'), sender: ':1.66' });
    expect(owners).toEqual([':1.9']);
  });

  test('is followed by subscriptions to a name: signals of others that pretend are dropped', async () => {
    const { scripted, bus } = await subject();
    const seen: string[] = [];
    await bus.subscribe({ sender: 'x.y', member: 'Rang' }, ({ sender }) => seen.push(sender));
    scripted.deliver(SIGNAL);
    scripted.deliver({ ...SIGNAL, sender: ':1.66' });
    scripted.deliver(changed(':1.9', ':1.10'));
    scripted.deliver(SIGNAL);
    scripted.deliver({ ...SIGNAL, sender: ':1.10' });
    expect(seen).toEqual([':1.9', ':1.10']);
  });
});

describe('names of our own', () => {
  test.each([
    { code: 1, want: 'primary' },
    { code: 2, want: 'taken' },
    { code: 3, want: 'taken' },
    { code: 4, want: 'primary' },
  ])('RequestName answers $code: $want', async ({ code, want }) => {
    const { scripted, bus } = await subject();
    scripted.answers.set('RequestName', () => ({ type: 'return', signature: 'u', values: [code] }));
    await expect(bus.requestName('x.y')).resolves.toBe(want);
    const [request] = await scripted.expectSent(1, isCallOf('RequestName'));
    expect(request?.body).toEqual(['x.y', 4]);
  });

  test('a lost name is told, a released one not', async () => {
    const { scripted, bus } = await subject();
    scripted.answers.set('RequestName', () => ({ type: 'return', signature: 'u', values: [1] }));
    scripted.answers.set('ReleaseName', () => ({ type: 'return', signature: 'u', values: [1] }));
    const lost: string[] = [];
    for (const name of ['x.y', 'x.z']) await bus.requestName(name, () => lost.push(name));
    await bus.releaseName('x.z');
    for (const name of ['x.y', 'x.z', 'x.w']) {
      scripted.deliver({ ...OWNER_CHANGED, member: 'NameLost', signature: 's', values: [name] });
    }
    expect(lost).toEqual(['x.y']);
  });
});
