/** Whether a claim was found true, and what was seen. */
export interface Verdict {
  readonly ok: boolean;
  readonly evidence: string;
}

/** A claim and the way to find out whether it is true of `scene`. Checks may build on what earlier ones left there. */
export interface Row<Scene> {
  readonly name: string;
  readonly check: (scene: Scene) => Promise<Verdict>;
  /** What this machine lacks for it, in words; then it is skipped. */
  readonly missing?: () => string | undefined;
}

export interface CheckedRow extends Verdict {
  readonly name: string;
  /** It could not be checked here; `evidence` says why. */
  readonly skipped?: true;
}

/** Checks one row after the other; a check that throws has found its claim false, and says why. `onProgress`: told what is checked now; empty at the end. */
export async function checkRows<Scene>(
  rows: readonly Row<Scene>[],
  scene: Scene,
  onProgress: (line: string) => void = () => undefined,
): Promise<readonly CheckedRow[]> {
  const checked: CheckedRow[] = [];
  for (const { name, check, missing } of rows) {
    onProgress(`${checked.length + 1} of ${rows.length}: ${name}`);
    const lack = missing?.();
    if (lack === undefined) checked.push({ name, ...(await check(scene).catch(asVerdict)) });
    else checked.push({ name, skipped: true, ok: false, evidence: `needs ${lack}` });
  }
  onProgress('');
  return checked;
}

export function allTrue(rows: readonly CheckedRow[]): boolean {
  return rows.every(({ ok, skipped = false }) => ok || skipped);
}

/** One line a row, names and evidence in columns; further lines of evidence below the first. */
export function tableText(rows: readonly CheckedRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.flatMap(({ name, ok, skipped = false, evidence }) => {
    const [first = '', ...more] = evidence.split('\n');
    const indent = ' '.repeat(width + 8);
    return [
      `${skipped ? 'skip ' : ok ? 'true ' : 'FALSE'}  ${name.padEnd(width)} ${first}`,
      ...more.map((line) => indent + line),
    ];
  });
  const held = rows.filter(({ ok }) => ok).length;
  const skipped = rows.filter((row) => row.skipped).length;
  const sum = `${held} of ${rows.length - skipped} true${skipped === 0 ? '' : `, ${skipped} skipped`}`;
  return [...lines, sum, ''].join('\n');
}

function asVerdict(fault: unknown): Verdict {
  return { ok: false, evidence: fault instanceof Error ? fault.message.trim() : String(fault) };
}
