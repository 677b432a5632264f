/** Whether a claim was found true, and what was seen. */
export interface Verdict {
  readonly ok: boolean;
  readonly evidence: string;
}

/** A claim and the way to find out whether it is true of `scene`. Checks may build on what earlier ones left there. */
export interface Row<Scene> {
  readonly name: string;
  readonly check: (scene: Scene) => Promise<Verdict>;
}

export interface CheckedRow extends Verdict {
  readonly name: string;
}

/** Checks one row after the other; a check that throws has found its claim false, and says why. */
export async function checkRows<Scene>(
  rows: readonly Row<Scene>[],
  scene: Scene,
): Promise<readonly CheckedRow[]> {
  const checked: CheckedRow[] = [];
  for (const { name, check } of rows) checked.push({ name, ...(await check(scene).catch(asVerdict)) });
  return checked;
}

export function allTrue(rows: readonly CheckedRow[]): boolean {
  return rows.every(({ ok }) => ok);
}

/** One line a row, names and evidence in columns; further lines of evidence below the first. */
export function tableText(rows: readonly CheckedRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.flatMap(({ name, ok, evidence }) => {
    const [first = '', ...more] = evidence.split('\n');
    const indent = ' '.repeat(width + 8);
    return [
      `${ok ? 'true ' : 'FALSE'}  ${name.padEnd(width)} ${first}`,
      ...more.map((line) => indent + line),
    ];
  });
  const held = rows.filter(({ ok }) => ok).length;
  return [...lines, `${held} of ${rows.length} true`, ''].join('\n');
}

function asVerdict(fault: unknown): Verdict {
  return { ok: false, evidence: fault instanceof Error ? fault.message.trim() : String(fault) };
}
