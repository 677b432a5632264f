import { causeChain } from '@pp/base';
import { errnoOf } from './errno';
import { ExitCode, Refused } from './refused';

/** A fault for want of a right, with what to do about it; undefined: it has another reason. Of several faults the first is it. */
export function missingRight(fault: unknown): Refused | undefined {
  const first: unknown = fault instanceof AggregateError ? fault.errors[0] : fault;
  const advice = adviceOn(first);
  return advice === undefined
    ? undefined
    : new Refused(ExitCode.failed, causeChain(first), { advice, cause: fault });
}

function adviceOn(fault: unknown): string | undefined {
  if (!(fault instanceof Error)) return undefined;
  if (errnoOf(fault) === 'EPERM')
    return 'run it as root, or with the capabilities that its systemd unit lists';
  if (fault.name === 'org.freedesktop.DBus.Error.AccessDenied')
    return 'run it as root, with its bus policy in /usr/share/dbus-1/system.d';
  return adviceOn(fault.cause);
}
