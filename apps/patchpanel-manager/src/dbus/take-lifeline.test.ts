import { accept } from '@pp/base';
import { FakeDescriptors } from '@pp/ports/testing';
import type { DescriptorKind } from '@pp/ports';
import { takeLifeline } from './take-lifeline';

/** Of which epoll(7) takes none of kind "other". */
class Unwatchable extends FakeDescriptors {
  override watch(fd: number, onSignal: () => void): { close(): void } {
    if (this.kind(fd) === 'other') throw new Error('epoll_ctl: ELOOP');
    return super.watch(fd, onSignal);
  }
}

/** As one that was opened by O_PATH. */
class OnlyNamed extends FakeDescriptors {
  override isSignalled(): boolean {
    throw new Error('poll: EBADF');
  }
}

const rows: readonly {
  readonly name: string;
  readonly kind: DescriptorKind;
  readonly descriptors?: FakeDescriptors;
  readonly ended?: boolean;
  readonly says: string | null;
}[] = [
  { name: 'a pipe', kind: 'fifo', says: null },
  { name: 'a socket', kind: 'socket', says: null },
  { name: 'a process (pidfd)', kind: 'other', says: null },
  { name: 'a file', kind: 'file', says: 'is a file' },
  { name: 'a directory', kind: 'directory', says: 'is a directory' },
  { name: 'a pipe whose other end is closed', kind: 'fifo', ended: true, says: 'has ended already' },
  {
    name: 'what cannot be watched',
    kind: 'other',
    descriptors: new Unwatchable(),
    says: 'cannot be watched',
  },
  {
    name: 'a pipe that is only named',
    kind: 'fifo',
    descriptors: new OnlyNamed(),
    says: 'cannot be watched',
  },
];

test.each(rows)('a lifeline: $name', ({ kind, descriptors = new FakeDescriptors(), ended, says }) => {
  const fd = descriptors.open(kind);
  if (ended === true) descriptors.signal(fd);
  const taken = takeLifeline(
    { caller: accept({ uid: 0, pid: 5 }), body: new Uint8Array(), takeFd: () => fd },
    descriptors,
  );
  const refused = {
    ok: false,
    reason: 'InvalidArgument',
    sentence: expect.stringContaining(says ?? '') as string,
  };
  expect(taken).toEqual(says === null ? { ok: true, value: fd } : refused);
  expect(descriptors.openCount()).toBe(says === null ? 1 : 0);
});
