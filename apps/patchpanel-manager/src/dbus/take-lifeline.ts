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
  const fault = faultOf(fd, descriptors);
  if (fault === null) return accept(fd);
  descriptors.close(fd);
  return refuse('InvalidArgument', fault);
}

/** What is found out only after the guest is there would leave it without a lifeline. */
function faultOf(fd: number, descriptors: Descriptors): string | null {
  const kind = descriptors.kind(fd);
  if (kind === 'file' || kind === 'directory' || kind === 'block')
    return `the lifeline is a ${kind}: pass one end of a pipe or socket`;
  try {
    if (descriptors.isSignalled(fd))
      return 'the lifeline has ended already: keep its other end open, and write nothing to it';
    if (kind === 'other') descriptors.watch(fd, () => undefined).close();
    return null;
  } catch {
    // poll(2) takes none that was opened by O_PATH: EBADF; epoll(7) none of epoll that stands on too many others: ELOOP
    return 'the lifeline cannot be watched: pass one end of a pipe or socket';
  }
}
