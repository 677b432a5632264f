import { accept, refuse, type Checked } from '@pp/base';

const MAX_PID = 4_194_304; // PID_MAX_LIMIT, include/linux/threads.h

/** A process id that there can be. `option` and `instead` are for the sentence that refuses any other text. */
export function checkedPid(option: string, text: string, instead = ''): Checked<number> {
  const pid = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (pid >= 1 && pid <= MAX_PID) return accept(pid);
  return refuse(
    'InvalidArgument',
    `--${option} '${text}' is no process id; write a number from 1 to ${MAX_PID}${instead}`,
  );
}
