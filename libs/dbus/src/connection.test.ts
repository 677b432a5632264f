import { seconds } from '@pp/base';
import { ScriptedBus } from './testing/scripted-bus';

test('the peer closing ends the connection with a sentence', async () => {
  const scripted = new ScriptedBus();
  const bus = await scripted.connect();
  scripted.stream.end();
  await expect(bus.closed).resolves.toEqual(new Error('the bus of this test closed the connection'));
});

test('a failing socket ends it with the cause', async () => {
  const scripted = new ScriptedBus();
  const bus = await scripted.connect();
  const cause = new Error('recvmsg: ECONNRESET');
  scripted.stream.fail(cause);
  await expect(bus.closed).resolves.toMatchObject({
    message: 'the connection to the bus of this test failed',
    cause,
  });
});

test('bytes that are no D-Bus end it, and what was queued is closed', async () => {
  const scripted = new ScriptedBus();
  const bus = await scripted.connect();
  scripted.stream.deliver(Buffer.from('GET / HTTP/1.1\r\n'), [scripted.ledger.issue()]);
  await expect(bus.closed).resolves.toMatchObject({ cause: { message: 'a message of unknown byte order' } });
  expect([scripted.ledger.open, scripted.stream.isClosed]).toEqual([[], true]);
});

test('closing is our own doing: no error, and again is allowed', async () => {
  const scripted = new ScriptedBus();
  const bus = await scripted.connect();
  bus.close();
  bus.close();
  await expect(bus.closed).resolves.toBeUndefined();
});

test('messages in the bytes of one delivery after the end are dropped with their descriptors', async () => {
  const scripted = new ScriptedBus();
  const bus = await scripted.connect();
  bus.serve('/a', { name: 'a.b', methods: [{ name: 'Close', in: [], out: [] }] }, { Close: closeAndReply });
  function closeAndReply(): object {
    bus.close();
    return {};
  }
  const close = scripted.encode({ path: '/a', interface: 'a.b', member: 'Close' });
  const fds = [scripted.ledger.issue()];
  const next = scripted.encode({ path: '/a', interface: 'a.b', member: 'Close', fds });
  scripted.stream.deliver(Buffer.concat([close, next]), fds);
  await bus.closed;
  expect(scripted.ledger.open).toEqual([]);
});

test('reading stops while the peer does not take what we write', async () => {
  const scripted = new ScriptedBus();
  const bus = await scripted.connect();
  scripted.stream.hasRoom = false;
  bus.emitSignal({ path: '/a', interface: 'a.b', member: 'C' });
  expect(scripted.stream.isPaused).toBe(true);
  scripted.stream.drain();
  expect(scripted.stream.isPaused).toBe(false);
});

test('a handshake that does not end is given up', async () => {
  const scripted = new ScriptedBus();
  scripted.answers.delete('Hello');
  const connecting = scripted.connect();
  const settled = expect(connecting).rejects.toThrow('the bus of this test does not answer');
  await scripted.expectSent(1, ({ header }) => header.type === 'call');
  scripted.clock.advance(seconds(20));
  await settled;
  expect(scripted.stream.isClosed).toBe(true);
});

test('descriptors during the handshake end it and are closed', async () => {
  const scripted = new ScriptedBus();
  const connecting = scripted.connect();
  scripted.stream.deliver(Buffer.from('OK 00\r\n'), [scripted.ledger.issue()]);
  await expect(connecting).rejects.toThrow('the connection to the bus of this test is of no use');
  expect(scripted.ledger.open).toEqual([]);
});
