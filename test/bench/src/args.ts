import { accept, refuse, type Checked } from '@pp/base';
import { parseArgs } from 'node:util';

export interface Args {
  readonly help: boolean;
  readonly json: boolean;
  readonly quick: boolean;
  /** Empty: all. */
  readonly only: readonly string[];
}

export const USAGE = `Usage: npm run bench -- [--only FIGURE]... [--quick] [--json]
Measures the manager beside its peers, as root, and exits 0 when every ratio holds.
  --only FIGURE  this figure only; may be repeated
  --quick        fewer rounds: shows that it runs, proves nothing
  --json         the table as JSON
Figures:
`;

/** Refuses with a sentence that says what to write instead. */
export function readArgs(argv: readonly string[], figures: readonly string[]): Checked<Args> {
  const parsed = parse(argv);
  if (!parsed.ok) return parsed;
  const { help, json, quick, only } = parsed.value;
  const unknown = only.find((name) => !figures.includes(name));
  if (unknown !== undefined)
    return refuse('InvalidArgument', `--only ${unknown}: use one of ${figures.join(', ')}`);
  return accept({ help, json, quick, only });
}

function parse(argv: readonly string[]): Checked<Args> {
  const flag = { type: 'boolean', default: false } as const;
  const options = { help: flag, json: flag, quick: flag, only: { type: 'string', multiple: true } } as const;
  try {
    const { only = [], ...flags } = parseArgs({ args: [...argv], options }).values;
    return accept({ ...flags, only });
  } catch (fault) {
    if (!isBadArgument(fault)) throw fault;
    return refuse('InvalidArgument', fault.message);
  }
}

const isBadArgument = (fault: unknown): fault is Error =>
  (fault as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') ?? false;
