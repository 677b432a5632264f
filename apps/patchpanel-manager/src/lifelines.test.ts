import { FakeDescriptors } from '@pp/ports/testing';
import { Lifelines } from './lifelines';

function setUp() {
  const descriptors = new FakeDescriptors();
  const told: (readonly string[])[] = [];
  const deferred: (() => void)[] = [];
  const lifelines = new Lifelines({
    descriptors,
    defer: (task) => deferred.push(task),
    onEnd: (keys) => told.push(keys),
  });
  const settle = () => {
    deferred.splice(0).forEach((task) => {
      task();
    });
  };
  return { descriptors, lifelines, told, settle };
}

test('ends that come together are told together, once', () => {
  const { descriptors, lifelines, told, settle } = setUp();
  const fds = ['a', 'b', 'c'].map((key) => {
    const fd = descriptors.open();
    lifelines.hold(key, fd);
    return fd;
  });
  for (const fd of fds.slice(0, 2)) descriptors.signal(fd);
  settle();
  settle();
  expect(told).toEqual([['a', 'b']]);
});

test('a dropped lifeline is closed and says nothing any more', () => {
  const { descriptors, lifelines, told, settle } = setUp();
  const fd = descriptors.open();
  lifelines.hold('a', fd);
  lifelines.drop('a');
  lifelines.drop('a');
  settle();
  expect(told).toEqual([]);
  expect(descriptors.openCount()).toBe(0);
});

test('close leaves no descriptor open', () => {
  const { descriptors, lifelines } = setUp();
  for (const key of ['a', 'b']) lifelines.hold(key, descriptors.open());
  lifelines.close();
  expect(descriptors.openCount()).toBe(0);
});
