import { errnoOf, ExitCode, Refused } from '@pp/daemon';
import type { Native } from '@pp/native';
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Starts a command in a network namespace: the thread enters it, forks, and comes back. The command inherits `lifeline` as fd 3, so that
 * the namespace stays connected for as long as the command lives, also without us.
 */
export function spawnInside(
  native: Pick<Native, 'runInNetns'>,
  netns: number,
  [program = '', ...args]: readonly string[],
  lifeline: number,
): ChildProcess {
  try {
    return native.runInNetns(netns, () =>
      spawn(program, args, { stdio: ['inherit', 'inherit', 'inherit', lifeline] }),
    );
  } catch (fault) {
    if (errnoOf(fault) !== 'EPERM') throw fault;
    throw new Refused(ExitCode.denied, 'entering the namespace is not permitted', {
      advice: 'run this as root (CAP_SYS_ADMIN), or without a command',
      cause: fault,
    });
  }
}

/** The command's exit code, 128 + N when signal N ended it. A command that cannot be run rejects with Refused. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (fault) => {
      reject(
        new Refused(
          ExitCode.failed,
          `${child.spawnfile} cannot be run (${errnoOf(fault) ?? fault.message})`,
          {
            advice: 'write a program that can be found and executed',
            cause: fault,
          },
        ),
      );
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
