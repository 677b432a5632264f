import { refuse, type Checked, type Refusal } from '@pp/base';
import type { HeldNetns, ProcessNetns } from '@pp/ports';
import type { Caller } from './api';

/** Holds the namespace of a process that the caller may name: its own, or any if root; never one in the host's namespace. */
export function openClientNetns(processNetns: ProcessNetns, pid: number, caller: Caller): Checked<HeldNetns> {
  const held = processNetns.open(pid);
  if (!held.ok) return held;
  const denied = denial(held.value, pid, caller);
  if (denied === null) return held;
  held.value.close();
  return denied;
}

function denial(netns: HeldNetns, pid: number, { uid }: Caller): Refusal | null {
  if (uid !== 0 && netns.uid !== uid) {
    return refuse(
      'PermissionDenied',
      `process ${pid} belongs to uid ${netns.uid}: uid ${uid} may name its own processes only`,
    );
  }
  if (netns.isHost) {
    return refuse(
      'InvalidArgument',
      `process ${pid} is in the namespace of the host: name one with a network namespace of its own`,
    );
  }
  return null;
}
