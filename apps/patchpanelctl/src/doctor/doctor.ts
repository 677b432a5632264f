/** `patchpanelctl doctor`: what of this host keeps guests from the network. Looks, and changes nothing. */
import { ExitCode } from '@pp/daemon';
import { jsonLine } from '../json';
import { examine } from './examine';
import type { Finding } from './finding';
import { lineOf } from './finding';
import { gather, type DoctorDoors } from './gather';

export interface Diagnosis {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** A line for each finding, or all as one JSON object; failed where there is a problem. */
export async function doctor(json: boolean, doors: DoctorDoors): Promise<Diagnosis> {
  try {
    return diagnosis(examine(await gather(doors)), json);
  } finally {
    doors.host.close();
  }
}

export function diagnosis(findings: readonly Finding[], json: boolean): Diagnosis {
  const number = (level: Finding['level']): number => findings.filter((each) => each.level === level).length;
  const problems = number('problem');
  const answer = { v: 1, problems, warnings: number('warning'), checks: findings };
  return {
    text: json ? jsonLine(answer) : findings.map(lineOf).join(''),
    exitCode: problems > 0 ? ExitCode.failed : ExitCode.done,
  };
}
