import { join } from 'node:path';
import { errnoOf, ExitCode, Refused, stateDirAdvice } from '@pp/daemon';
import { JournalFault } from '@pp/ports';
import { FileJournal } from '@pp/state';

/** Throws Refused where the state directory does not let it be opened, or has somebody else's file in its place. */
export function openJournal(stateDir: string): FileJournal {
  const path = join(stateDir, 'journal');
  try {
    return new FileJournal(path);
  } catch (fault) {
    if (fault instanceof JournalFault)
      throw new Refused(ExitCode.failed, fault.message, {
        advice: 'move it away or use another --state-dir',
        cause: fault,
      });
    const code = errnoOf(fault);
    throw code === undefined ? fault : refused(stateDir, `the journal ${path} cannot be opened`, code, fault);
  }
}

/** For what a start throws: there is none without a journal that takes what it is to do. Anything else goes on its way. */
export const journalRefused =
  (stateDir: string) =>
  (fault: unknown): never => {
    const code = fault instanceof JournalFault ? errnoOf(fault.cause) : undefined;
    if (!(fault instanceof JournalFault) || code === undefined) throw fault;
    throw refused(stateDir, fault.message, code, fault);
  };

const refused = (stateDir: string, sentence: string, code: string, cause: unknown): Refused =>
  new Refused(ExitCode.failed, `${sentence} (${code})`, { advice: stateDirAdvice(code, stateDir), cause });
