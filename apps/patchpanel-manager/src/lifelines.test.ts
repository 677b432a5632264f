import { FakeDescriptors } from '@pp/ports/testing';
import { Lifeline, Lifelines } from './lifelines';

function setUp() {
  const descriptors = new FakeDescriptors();
  const told: string[] = [];
  const lifelines = new Lifelines((key) => told.push(key));
  const open = (): Lifeline => new Lifeline(descriptors, descriptors.open());
  return { descriptors, lifelines, told, open };
}

test('each end is told once', () => {
  const { descriptors, lifelines, told, open } = setUp();
  const fds = ['a', 'b', 'c'].map((key) => {
    const lifeline = open();
    lifelines.hold(key, lifeline);
    return lifeline.fd;
  });
  for (const fd of [...fds.slice(0, 2), ...fds.slice(0, 2)]) descriptors.signal(fd);
  expect(told).toEqual(['a', 'b']);
});

test('a dropped lifeline is closed and says nothing any more', () => {
  const { descriptors, lifelines, told, open } = setUp();
  lifelines.hold('a', open());
  lifelines.drop('a');
  lifelines.drop('a');
  expect(told).toEqual([]);
  expect(descriptors.openCount()).toBe(0);
});

test('close leaves no descriptor open', () => {
  const { descriptors, lifelines, open } = setUp();
  for (const key of ['a', 'b']) lifelines.hold(key, open());
  lifelines.close();
  expect(descriptors.openCount()).toBe(0);
});

test('one that ends before it is known whose it is ends that one at once', () => {
  const { descriptors, lifelines, told, open } = setUp();
  const lifeline = open();
  descriptors.signal(lifeline.fd);
  expect(told).toEqual([]);
  lifelines.hold('a', lifeline);
  expect(told).toEqual(['a']);
});

test('one that cannot be watched is refused when it is held, and closed by whoever has it', () => {
  const { descriptors, lifelines, told, open } = setUp();
  descriptors.watch = () => {
    throw new Error('EMFILE');
  };
  const lifeline = open();
  expect(() => {
    lifelines.hold('a', lifeline);
  }).toThrow('EMFILE');
  lifeline.close();
  lifelines.drop('a');
  expect([told, descriptors.openCount()]).toEqual([[], 0]);
});
