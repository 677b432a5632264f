import { Admission, type AdmissionLimits, type Load } from './admission';

const LIMITS: AdmissionLimits = {
  perSender: { calls: 2, fds: 3, bytes: 100 },
  total: { calls: 3, fds: 4, bytes: 150 },
};

const load = (given: Partial<Load>): Load => ({ calls: 1, fds: 0, bytes: 0, ...given });

test.each([
  {
    name: 'calls of one sender',
    first: [
      ['a', {}],
      ['a', {}],
    ],
    then: ['a', {}],
    want: false,
  },
  {
    name: 'calls of two senders',
    first: [
      ['a', {}],
      ['a', {}],
    ],
    then: ['b', {}],
    want: true,
  },
  {
    name: 'calls of all',
    first: [
      ['a', {}],
      ['a', {}],
      ['b', {}],
    ],
    then: ['b', {}],
    want: false,
  },
  { name: 'descriptors of one sender', first: [['a', { fds: 2 }]], then: ['a', { fds: 2 }], want: false },
  { name: 'descriptors of all', first: [['a', { fds: 3 }]], then: ['b', { fds: 2 }], want: false },
  { name: 'bytes of one sender', first: [['a', { bytes: 60 }]], then: ['a', { bytes: 41 }], want: false },
  { name: 'bytes up to the limit', first: [['a', { bytes: 60 }]], then: ['a', { bytes: 40 }], want: true },
  { name: 'bytes of all', first: [['a', { bytes: 100 }]], then: ['b', { bytes: 51 }], want: false },
] satisfies {
  name: string;
  first: [string, Partial<Load>][];
  then: [string, Partial<Load>];
  want: boolean;
}[])('$name', ({ first, then: [sender, last], want }) => {
  const admission = new Admission(LIMITS);
  const releases = first.map(([name, given]) => admission.admit(name, load(given)));
  expect(releases.every((release) => release !== undefined)).toBe(true);
  expect(admission.admit(sender, load(last)) !== undefined).toBe(want);
  releases[0]?.();
  expect(admission.admit(sender, load(last))).toBeDefined();
});
