import { DBusError } from '../errors';
import { line, PLAIN, started, TAKE } from '../testing/server-subject';
import type { MethodHandler } from './spec';

describe('descriptors', () => {
  test('what the handler takes is its own, the rest is closed when it has settled', async () => {
    const subject = await started();
    const { ledger } = subject.scripted;
    let [taken, openWhileRunning] = [0, 0];
    subject.take = async (call) => {
      await Promise.resolve();
      taken = call.takeFd(0);
      openWhileRunning = ledger.open.length;
      return { body: [new Uint8Array()] };
    };
    const fds = [ledger.issue(), ledger.issue()];
    await subject.answerTo({ ...TAKE, fds });
    expect([taken, openWhileRunning, ledger.open]).toEqual([fds[0], 2, [fds[0]]]);
  });

  test('a descriptor can be taken once', async () => {
    const subject = await started();
    subject.take = (call) => ({ body: [Uint8Array.of(call.takeFd(0), call.takeFd(0))] });
    const fds = [subject.scripted.ledger.issue()];
    const answer = await subject.answerTo({ ...TAKE, fds });
    expect(line(answer)).toBe('Failed: Take failed inside the service: its log says why');
  });

  test.each([
    { name: 'an unknown object', in: { path: '/x' } },
    { name: 'an unknown interface', in: { interface: 'a.c' } },
    { name: 'an unknown method', in: { member: 'Other' } },
    { name: 'a wrong signature', in: { signature: 'h', values: [0] } },
    { name: 'a malformed body', in: { bytes: Uint8Array.of(1) } },
    { name: 'a method that takes none', in: { member: 'Plain', signature: '', values: [] } },
    { name: 'a method that takes none of its own', in: {} },
  ])('of $name are closed', async ({ in: call }) => {
    const subject = await started();
    await subject.answerTo({ ...TAKE, ...call, fds: [subject.scripted.ledger.issue()] });
    expect(subject.scripted.ledger.open).toEqual([]);
  });

  test('of a reply are sent and closed', async () => {
    const subject = await started();
    const { ledger } = subject.scripted;
    const fd = ledger.issue();
    subject.plain = () => ({ body: ['x'], fds: [fd] });
    expect((await subject.answerTo(PLAIN)).fds).toEqual([fd]);
    expect(ledger.open).toEqual([]);
  });
});

describe('handlers that fail', () => {
  interface Failure {
    readonly name: string;
    readonly error: Error;
    readonly want: string;
    readonly log: readonly string[];
  }

  test.each([
    {
      name: 'with an error for the caller',
      error: new DBusError('x.y.Denied', 'not you'),
      want: 'Denied: not you',
      log: [],
    },
    {
      name: 'with a sentence that holds a NUL',
      error: new DBusError('x.y.Denied', 'not\0you'),
      want: 'Denied: notyou',
      log: [],
    },
    {
      name: 'with an error name that is none',
      error: new DBusError('denied', 'not you'),
      want: 'Failed: Plain failed inside the service: its log says why',
      log: ['error dbus.handler member=Plain sender=:1.42 error=not you'],
    },
    {
      name: 'with anything else',
      error: new Error('disk on fire', { cause: new Error('EIO') }),
      want: 'Failed: Plain failed inside the service: its log says why',
      log: ['error dbus.handler member=Plain sender=:1.42 error=disk on fire: EIO'],
    },
  ] satisfies Failure[])('$name', async ({ error, want, log }: Failure) => {
    for (const fail of [() => Promise.reject(error), throwing(error)]) {
      const subject = await started();
      subject.plain = fail;
      expect(line(await subject.answerTo(PLAIN))).toBe(want);
      expect(subject.scripted.log.lines).toEqual(log);
    }
  });

  test('with a reply that does not fit', async () => {
    const subject = await started();
    subject.plain = () => ({ body: [7] });
    expect(line(await subject.answerTo(PLAIN))).toContain('Failed: ');
    expect(subject.scripted.log.lines[0]).toContain("the values do not fit the signature 's'");
  });

  function throwing(error: Error): MethodHandler {
    return () => {
      throw error;
    };
  }
});

test('a body that is a function is made as the reply is sent, after all signals that went before it', async () => {
  const subject = await started();
  let signals = 0;
  subject.plain = () => {
    void Promise.resolve().then(() => {
      signals += 1;
      subject.bus?.emitSignal({ path: '/a/b', interface: 'a.b', member: 'Rang' });
    });
    return Promise.resolve({ body: () => [`${signals} signals`] });
  };
  expect(line(await subject.answerTo(PLAIN))).toEqual(['1 signals']);
  expect(subject.scripted.sent.map(({ header }) => header.type).slice(-2)).toEqual(['signal', 'return']);
});

test('no reply is sent to those who expect none', async () => {
  const subject = await started();
  for (const call of [PLAIN, { ...PLAIN, member: 'Other' }])
    subject.scripted.deliver({ ...call, noReplyExpected: true });
  await subject.answerTo(PLAIN);
  expect(subject.scripted.sent.filter(({ header }) => header.type !== 'call')).toHaveLength(1);
  expect(subject.calls).toHaveLength(2);
});

test('a handler that ends after the bus went away harms nobody', async () => {
  const subject = await started();
  let finish: () => void = () => undefined;
  subject.take = () =>
    new Promise(
      (resolve) =>
        (finish = () => {
          resolve({ body: [new Uint8Array()] });
        }),
    );
  subject.scripted.deliver({ ...TAKE, fds: [subject.scripted.ledger.issue()] });
  subject.scripted.stream.end();
  await subject.bus?.closed;
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  expect([subject.scripted.ledger.open, subject.scripted.log.lines]).toEqual([[], []]);
});

test('100,000 calls at once: some run, the others are refused, and nothing is held afterwards', async () => {
  const subject = await started();
  const { scripted } = subject;
  const finish: (() => void)[] = [];
  subject.take = () =>
    new Promise((resolve) => {
      finish.push(() => {
        resolve({ body: [new Uint8Array()] });
      });
    });
  for (let burst = 0; burst < 100; burst += 1) {
    const fds = Array.from({ length: 1000 }, () => scripted.ledger.issue());
    const call = scripted.encode({ ...TAKE, sender: `:1.${burst}`, fds: fds.slice(0, 1) });
    scripted.stream.deliver(Buffer.concat(Array.from(fds, () => call)), fds);
  }
  expect([finish.length, scripted.ledger.open.length]).toEqual([1024, 1024]);
  const refused = await scripted.expectSent(100_000 - 1024, ({ header }) => header.type === 'error');
  expect(refused[0] && line(refused[0])).toBe(
    'LimitsExceeded: too many calls are in progress: wait for their replies',
  );
  for (const end of finish) end();
  await scripted.expectSent(1024, ({ header }) => header.type === 'return');
  expect(scripted.ledger.open).toEqual([]);
  expect(line(await subject.answerTo(PLAIN))).toEqual(['hello']);
}, 120_000);
