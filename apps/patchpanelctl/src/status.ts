/** `patchpanelctl status`: what the manager's status socket says. */
import { askStatus, ExitCode, statusPath, statusText } from '@pp/daemon';
import type { ShowCommand } from './args';
import { otherWords } from './failure';
import { list, objectIn, type JsonObject } from './json';

const MANAGER = 'patchpanel-manager';

export interface StatusAnswer {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** Verbatim with --json, else for a person. Degraded while the manager has warnings. */
export async function status({ json, stateDir }: ShowCommand): Promise<StatusAnswer> {
  return answerOf(await managerStatus(stateDir), json);
}

/** The manager's own words. */
export const managerStatus = (stateDir: string): Promise<string> =>
  askStatus(MANAGER, statusPath(stateDir, MANAGER));

export function answerOf(answer: string, json: boolean): StatusAnswer {
  const status = statusIn(answer);
  const degraded = list(status['warnings']).length > 0;
  return {
    text: json ? answer : statusText(status),
    exitCode: degraded ? ExitCode.degraded : ExitCode.done,
  };
}

/** What the status socket said, as an object. Throws Refused where it is none. */
export function statusIn(answer: string): JsonObject {
  const status = objectIn(answer);
  if (status === null) throw otherWords("the manager's status is not a JSON object");
  return status;
}
