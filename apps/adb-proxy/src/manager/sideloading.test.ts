import { seconds } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { FakeBus, replyOf, settled } from '../testing/fake-bus';
import { SESSION_MANAGER, Sideloading } from './sideloading';

async function rig(prepare: (bus: FakeBus) => void = () => undefined) {
  const [bus, clock] = [new FakeBus(), new VirtualClock()];
  prepare(bus);
  let answers = 0;
  const sideloading = new Sideloading({ bus, clock, log: new MemoryLog(), onAnswer: () => (answers += 1) });
  await sideloading.start();
  await settled();
  const after = async (sec: number): Promise<void> => {
    clock.advance(seconds(sec));
    await settled();
  };
  return { bus, clock, sideloading, after, answers: () => answers };
}

test.each([
  { answer: true, state: 'enabled' },
  { answer: false, state: 'disabled' },
])('the answer $answer', async ({ answer, state }) => {
  const { bus, clock, sideloading, answers } = await rig((each) =>
    each.answers.set('QueryAdbSideload', () => replyOf('b', answer)),
  );
  expect([sideloading.isEnabled, sideloading.state, answers()]).toEqual([answer, state, 1]);
  bus.own(SESSION_MANAGER, ':1.9');
  expect([bus.called, clock.pending()]).toEqual([['QueryAdbSideload'], []]); // it is not asked twice
});

test('no session manager: asked five times, 5 s apart, and not allowed', async () => {
  const { bus, clock, sideloading, after } = await rig();
  expect(sideloading.state).toBe('not answered yet');
  for (let turn = 0; turn < 10; turn++) await after(5);
  expect(bus.called).toHaveLength(5);
  expect([sideloading.isEnabled, sideloading.state, clock.pending()]).toEqual([
    false,
    'the session manager does not answer',
    [],
  ]);
});

test('one that appears later is asked', async () => {
  const { bus, sideloading, after, answers } = await rig();
  for (let turn = 0; turn < 10; turn++) await after(5);
  bus.answers.set('QueryAdbSideload', () => replyOf('b', true));
  bus.own(SESSION_MANAGER, ':1.9');
  await settled();
  expect([sideloading.isEnabled, answers()]).toEqual([true, 1]);
});

test('an answer of another type is none', async () => {
  const { sideloading, after } = await rig((bus) =>
    bus.answers.set('QueryAdbSideload', () => replyOf('s', 'yes')),
  );
  for (let turn = 0; turn < 5; turn++) await after(5);
  expect(sideloading.isEnabled).toBe(false);
});

test('closed, it asks no more', async () => {
  const { bus, clock, sideloading } = await rig();
  sideloading.close();
  bus.own(SESSION_MANAGER, ':1.9');
  expect([bus.called.length, clock.pending()]).toEqual([1, []]);
});
