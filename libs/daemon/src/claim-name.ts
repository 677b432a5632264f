import { readFileSync } from 'node:fs';
import { hasCapability, type Capability } from './capabilities';
import { errnoOf } from './errno';
import type { Refused } from './refused';
import type { DaemonContext } from './run-daemon';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** pid, uid and gid, asm-generic/socket.h */
const UCRED_BYTES = 12;
/** The one that has the name may end between our question for it and the next. */
const TRIES = 3;

export interface Claim {
  close(): void;
}

type Native = DaemonContext<unknown>['native'];
type Needs = Pick<DaemonContext<unknown>, 'native' | 'log'>;

/** An abstract name, with its "@", and the right that all who may claim it have. Such names belong to a network namespace, and go with the process (unix(7)). */
export interface ClaimableName {
  readonly name: string;
  readonly right: Capability;
}

/**
 * Has a name of this network namespace to itself until it is closed; throws what `refusal` makes of the pid that has it. Anybody may take
 * a name, so who has it without the right keeps nobody out, and the log says so.
 */
export function claimName(
  { native, log }: Needs,
  claimable: ClaimableName,
  refusal: (pid: number) => Refused,
): Claim {
  const { name, right } = claimable;
  for (let tries = 0; tries < TRIES; tries++) {
    const claim = claimed(native, name);
    if (claim !== null) return claim;
    const pid = holderOf(native, name);
    if (pid === null) continue;
    if (hasRight(pid, right)) throw refusal(pid);
    log.warn('name.taken', { name, pid });
    break;
  }
  return { close: () => undefined };
}

/** Who has the name, and the right to it; null: nobody. */
export function claimantOf(native: Native, { name, right }: ClaimableName): number | null {
  const pid = holderOf(native, name);
  return pid !== null && hasRight(pid, right) ? pid : null;
}

/** null: somebody has it. */
function claimed(native: Native, name: string): Claim | null {
  try {
    const listener = native.listenUnix(name, {
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
function holderOf(native: Native, name: string): number | null {
  try {
    const ignore = (): void => undefined;
    const stream = native.connectUnix(name, { onData: ignore, onEnd: ignore, onError: ignore });
    const credentials = native.getSocketOption(stream.fd, SOL_SOCKET, SO_PEERCRED, UCRED_BYTES);
    stream.close();
    return new DataView(credentials.buffer, credentials.byteOffset).getInt32(0, true);
  } catch (fault) {
    const code = errnoOf(fault);
    if (code === 'ECONNREFUSED') return null;
    if (code === 'EAGAIN') return 0; // it accepts nobody, which a claim does
    throw fault;
  }
}

/** And not just in a user namespace of its own. */
const hasRight = (pid: number, right: Capability): boolean =>
  hasCapability(ofProcess(pid, 'status'), right) &&
  ofProcess(pid, 'uid_map') === ofProcess('self', 'uid_map');

/** Empty where it cannot be read. */
function ofProcess(pid: number | 'self', file: 'status' | 'uid_map'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (fault) {
    if (errnoOf(fault) === undefined) throw fault;
    return '';
  }
}
