import { millis } from '@pp/base';
import type { Bus } from './bus';
import { DBUS_ERROR } from './errors';
import { ScriptedBus, type Sent } from './testing/scripted-bus';

const CALL = { destination: 'x.y', path: '/a', interface: 'a.b', member: 'Do' };

const isDo = ({ header }: Sent): boolean => header.type === 'call' && header.member === 'Do';

async function subject(): Promise<{ scripted: ScriptedBus; bus: Bus }> {
  const scripted = new ScriptedBus();
  return { scripted, bus: await scripted.connect() };
}

async function sentDo(scripted: ScriptedBus): Promise<Sent> {
  const [sent] = await scripted.expectSent(1, isDo);
  if (sent === undefined) throw new Error('nothing was sent');
  return sent;
}

test('a call and its reply', async () => {
  const { scripted, bus } = await subject();
  const fd = scripted.ledger.issue();
  const reply = bus.call({ ...CALL, signature: 'ayh', body: [Uint8Array.of(1), 0], fds: [fd] });
  const sent = await sentDo(scripted);
  expect(sent).toMatchObject({
    header: { ...CALL, signature: 'ayh' },
    body: [Uint8Array.of(1), 0],
    fds: [fd],
  });
  scripted.reply(sent, { signature: 'ay', values: [Uint8Array.of(2)] });
  await expect(reply).resolves.toEqual({ signature: 'ay', body: [Uint8Array.of(2)], fds: [] });
  expect(scripted.ledger.open).toEqual([fd]); // still the caller's
});

test('replies find their calls in any order', async () => {
  const { scripted, bus } = await subject();
  const replies = ['a', 'b', 'c'].map((text) => bus.call({ ...CALL, signature: 's', body: [text] }));
  const sent = await scripted.expectSent(3, isDo);
  for (const call of [...sent].reverse())
    scripted.reply(call, { signature: 's', values: [`${String(call.body[0])}!`] });
  const texts = (await Promise.all(replies)).map(({ body }) => body[0]);
  expect(texts).toEqual(['a!', 'b!', 'c!']);
});

describe('descriptors of a reply', () => {
  test.each([
    { name: "are the caller's who asked for them", acceptFds: true, wantOpen: 1 },
    { name: 'are closed when nobody asked', acceptFds: false, wantOpen: 0 },
  ])('$name', async ({ acceptFds, wantOpen }) => {
    const { scripted, bus } = await subject();
    const reply = bus.call({ ...CALL, acceptFds });
    const fds = [scripted.ledger.issue()];
    scripted.reply(await sentDo(scripted), { signature: 'h', values: [0], fds });
    expect((await reply).fds).toHaveLength(wantOpen);
    expect(scripted.ledger.open).toHaveLength(wantOpen);
  });

  test.each([
    { name: 'an unknown serial', reply: { type: 'return', replySerial: 77 } },
    { name: 'an error of an unknown serial', reply: { type: 'error', replySerial: 77, errorName: 'a.b' } },
  ] as const)('are closed for $name', async ({ reply }) => {
    const { scripted } = await subject();
    scripted.deliver({ ...reply, fds: [scripted.ledger.issue()] });
    expect(scripted.ledger.open).toEqual([]);
  });

  test('are closed when the reply is malformed', async () => {
    const { scripted, bus } = await subject();
    const reply = bus.call({ ...CALL, acceptFds: true });
    const sent = await sentDo(scripted);
    scripted.reply(sent, {
      signature: 'h',
      bytes: Uint8Array.of(9, 0, 0, 0),
      fds: [scripted.ledger.issue()],
    });
    await expect(reply).rejects.toMatchObject({ name: DBUS_ERROR.invalidArgs });
    expect(scripted.ledger.open).toEqual([]);
  });
});

describe('error replies', () => {
  test.each([
    { name: 'with a sentence', in: { signature: 's', values: ['no such thing'] }, want: 'no such thing' },
    { name: 'without one', in: {}, want: 'a.b.Do of x.y failed' },
    { name: 'with a number', in: { signature: 'u', values: [1] }, want: 'a.b.Do of x.y failed' },
    { name: 'malformed', in: { signature: 's', bytes: Uint8Array.of(1) }, want: 'a.b.Do of x.y failed' },
  ])('$name', async ({ in: body, want }) => {
    const { scripted, bus } = await subject();
    const reply = bus.call(CALL);
    scripted.reply(await sentDo(scripted), { type: 'error', errorName: 'a.b.Error', ...body });
    await expect(reply).rejects.toMatchObject({ name: 'a.b.Error', message: want });
  });
});

test('no reply in time', async () => {
  const { scripted, bus } = await subject();
  const reply = bus.call({ ...CALL, timeout: millis(50) });
  const sent = await sentDo(scripted);
  scripted.clock.advance(millis(50));
  await expect(reply).rejects.toMatchObject({
    name: DBUS_ERROR.noReply,
    message: 'a.b.Do of x.y did not reply within 50 ms',
  });
  scripted.reply(sent, { fds: [scripted.ledger.issue()] }); // too late
  expect([scripted.ledger.open, scripted.clock.pending()]).toEqual([[], []]);
});

test('a reply disarms the timer', async () => {
  const { scripted, bus } = await subject();
  const reply = bus.call(CALL);
  const sent = await sentDo(scripted);
  expect(scripted.clock.pending()).toEqual(['dbus.call']);
  scripted.reply(sent, {});
  await reply;
  expect(scripted.clock.pending()).toEqual([]);
});

test('an abort signal ends the call with its reason', async () => {
  const { bus } = await subject();
  const abort = new AbortController();
  const reply = bus.call({ ...CALL, signal: abort.signal });
  const reason = new Error('enough');
  abort.abort(reason);
  await expect(reply).rejects.toBe(reason);
  await expect(bus.call({ ...CALL, signal: abort.signal })).rejects.toBe(reason);
});

test('the bus going away rejects what waits, and what comes after', async () => {
  const { scripted, bus } = await subject();
  const reply = bus.call(CALL);
  const gone = { name: DBUS_ERROR.disconnected, message: 'the bus of this test closed the connection' };
  scripted.stream.end();
  await expect(reply).rejects.toMatchObject(gone);
  await bus.closed;
  await expect(bus.call(CALL)).rejects.toMatchObject(gone);
  expect(scripted.clock.pending()).toEqual([]);
});

test.each([
  { name: 'a wrong path', in: { path: 'a' } },
  { name: 'a wrong value', in: { signature: 's', body: [1] } },
])('$name rejects with a TypeError, and nothing is sent', async ({ in: wrong }) => {
  const { scripted, bus } = await subject();
  const before = scripted.stream.written.length;
  await expect(bus.call({ ...CALL, ...wrong })).rejects.toThrow(TypeError);
  expect(scripted.stream.written).toHaveLength(before);
});
