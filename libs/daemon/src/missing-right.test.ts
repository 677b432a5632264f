import { KernelError } from '@pp/base';
import { missingRight } from './missing-right';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
const eperm = new KernelError('EPERM', 'socket AF_PACKET');

const CAPABILITIES = 'run it as root, or with the capabilities that its systemd unit lists';

test.each([
  { name: 'the kernel', in: eperm, want: ['socket AF_PACKET: EPERM', CAPABILITIES] },
  {
    name: 'the kernel, within another sentence',
    in: new Error('opening eth0', { cause: eperm }),
    want: ['opening eth0: socket AF_PACKET: EPERM', CAPABILITIES],
  },
  {
    name: 'the first of several faults',
    in: new AggregateError([eperm, new Error('closing')], 'stopping after a fault'),
    want: ['socket AF_PACKET: EPERM', CAPABILITIES],
  },
  {
    name: 'the bus',
    in: named('org.freedesktop.DBus.Error.AccessDenied', 'not allowed to own "x"'),
    want: ['not allowed to own "x"', 'run it as root, with its bus policy in /usr/share/dbus-1/system.d'],
  },
])('$name refuses: exit 1 with what to do', ({ in: fault, want }) => {
  const refused = missingRight(fault);
  expect([refused?.exitCode, refused?.sentence, refused?.advice]).toEqual([1, ...want]);
});

test.each([
  { name: 'another refusal of the kernel', in: new KernelError('ENODEV', 'link.set eth0') },
  { name: 'a later fault of several', in: new AggregateError([new Error('first'), eperm], 'stopping') },
  { name: 'a bug', in: new TypeError('x is undefined') },
  { name: 'no error at all', in: 'EPERM' },
])('$name stays what it is', ({ in: fault }) => {
  expect(missingRight(fault)).toBeUndefined();
});
