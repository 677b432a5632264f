import { accept, refuse, type Checked } from '@pp/base';
import type { Descriptors } from '@pp/ports';
import type { ApiCall } from './api';

/** A lifeline is something that poll(2) can watch and that is still alive. */
export function takeLifeline(call: ApiCall, descriptors: Descriptors): Checked<number> {
  const fd = call.takeFd();
  if (fd === null)
    return refuse(
      'InvalidArgument',
      'the lifeline is missing: pass one end of a pipe or socket after the body',
    );
  const kind = descriptors.kind(fd);
  const fault =
    kind === 'file' || kind === 'directory' || kind === 'block'
      ? `the lifeline is a ${kind}: pass one end of a pipe or socket`
      : descriptors.isSignalled(fd)
        ? 'the lifeline has ended already: keep its other end open, and write nothing to it'
        : kind === 'other' && !canBeWatched(fd, descriptors)
          ? 'the lifeline cannot be watched: pass one end of a pipe or socket'
          : null;
  if (fault === null) return accept(fd);
  descriptors.close(fd);
  return refuse('InvalidArgument', fault);
}

/** What is found out after the guest is there would leave it without a lifeline. */
function canBeWatched(fd: number, descriptors: Descriptors): boolean {
  try {
    descriptors.watch(fd, () => undefined).close();
    return true;
  } catch {
    return false; // epoll(7) takes no descriptor of epoll that stands on too many others: ELOOP
  }
}
