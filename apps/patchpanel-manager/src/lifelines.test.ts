import { FakeDescriptors } from '@pp/ports/testing';
import { Lifelines } from './lifelines';

function setUp() {
  const descriptors = new FakeDescriptors();
  const told: string[] = [];
  const lifelines = new Lifelines({ descriptors, onEnd: (key) => told.push(key) });
  return { descriptors, lifelines, told };
}

test('each end is told once', () => {
  const { descriptors, lifelines, told } = setUp();
  const fds = ['a', 'b', 'c'].map((key) => {
    const fd = descriptors.open();
    lifelines.hold(key, fd);
    return fd;
  });
  for (const fd of [...fds.slice(0, 2), ...fds.slice(0, 2)]) descriptors.signal(fd);
  expect(told).toEqual(['a', 'b']);
});

test('a dropped lifeline is closed and says nothing any more', () => {
  const { descriptors, lifelines, told } = setUp();
  lifelines.hold('a', descriptors.open());
  lifelines.drop('a');
  lifelines.drop('a');
  expect(told).toEqual([]);
  expect(descriptors.openCount()).toBe(0);
});

test('close leaves no descriptor open', () => {
  const { descriptors, lifelines } = setUp();
  for (const key of ['a', 'b']) lifelines.hold(key, descriptors.open());
  lifelines.close();
  expect(descriptors.openCount()).toBe(0);
});
