/** `patchpanelctl status`: what the manager's status socket says. */
import { askStatus, ExitCode, Refused, statusPath, statusText } from '@pp/daemon';
import type { ShowCommand } from './args';

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
  const status = objectIn(answer);
  const { warnings } = status as { readonly warnings?: unknown };
  const degraded = Array.isArray(warnings) && warnings.length > 0;
  return {
    text: json ? answer : statusText(status),
    exitCode: degraded ? ExitCode.degraded : ExitCode.done,
  };
}

function objectIn(answer: string): object {
  try {
    const value = JSON.parse(answer) as unknown;
    if (typeof value === 'object' && value !== null) return value;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
  }
  throw new Refused(ExitCode.failed, "the manager's status is not a JSON object", {
    advice: 'check that patchpanelctl and the manager are of one release',
  });
}
