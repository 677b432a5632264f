import { readFileSync } from 'node:fs';
import { errnoOf, ExitCode, hasCapability, Refused, type DaemonContext } from '@pp/daemon';

/** Abstract names belong to a network namespace, and go with the process (unix(7)). */
const NAME = '@patchpanel_ndproxy';
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** pid, uid and gid, asm-generic/socket.h */
const UCRED_BYTES = 12;
/** The one that has the name may end between our question for it and the next. */
const TRIES = 3;

type Needs = Pick<DaemonContext<unknown>, 'native' | 'log'>;

/**
 * Makes this the only ndproxy of its network namespace until it is closed: the guard and the routes there are those of one. Throws Refused
 * where there is another. Anybody may take a name, so who has it without an ndproxy's rights keeps nobody out, and the log says so.
 */
export function onlyHere({ native, log }: Needs): { close(): void } {
  for (let tries = 0; tries < TRIES; tries++) {
    const claim = claimed(native);
    if (claim !== null) return claim;
    const holder = holderOf(native);
    if (holder === null) continue;
    if (mayBeNdproxy(holder))
      throw new Refused(ExitCode.failed, `another ndproxy, pid ${holder}, serves this network namespace`, {
        advice: 'one serves all interfaces: name these to it with --group, or stop it',
      });
    log.warn('name.taken', { name: NAME, pid: holder });
    break;
  }
  return { close: () => undefined };
}

/** null: somebody has it. */
function claimed(native: Needs['native']): { close(): void } | null {
  try {
    const listener = native.listenUnix(NAME, {
      onConnection: (fd) => {
        native.closeFd(fd);
      },
      onError: () => {
        listener.pause(); // whoever wants to know who we are is told by the kernel
      },
    });
    return listener;
  } catch (fault) {
    if (errnoOf(fault) !== 'EADDRINUSE') throw fault;
    return null;
  }
}

/** The process that has the name; 0: one that we cannot see. null: nobody has it any more. */
function holderOf(native: Needs['native']): number | null {
  try {
    const ignore = (): void => undefined;
    const stream = native.connectUnix(NAME, { onData: ignore, onEnd: ignore, onError: ignore });
    const credentials = native.getSocketOption(stream.fd, SOL_SOCKET, SO_PEERCRED, UCRED_BYTES);
    stream.close();
    return new DataView(credentials.buffer, credentials.byteOffset).getInt32(0, true);
  } catch (fault) {
    const code = errnoOf(fault);
    if (code === 'ECONNREFUSED') return null;
    if (code === 'EAGAIN') return 0; // it accepts nobody, which an ndproxy does
    throw fault;
  }
}

/** It has the right to packet sockets, and not just in a user namespace of its own. */
function mayBeNdproxy(pid: number): boolean {
  const isPrivileged = hasCapability(ofProcess(pid, 'status'), 'CAP_NET_RAW');
  return isPrivileged && ofProcess(pid, 'uid_map') === ofProcess('self', 'uid_map');
}

/** Empty where it cannot be read. */
function ofProcess(pid: number | 'self', file: 'status' | 'uid_map'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (fault) {
    if (errnoOf(fault) === undefined) throw fault;
    return '';
  }
}
