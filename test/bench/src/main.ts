/**
 * Theory of operation. Each figure is measured in a lab of its own: machines that are namespaces, the manager as it is shipped, and beside it a
 * peer or a floor in the same run, in turn, so that what the machine does else hits both. What is judged is their ratio; absolute
 * figures are printed, and judged only by the reader. One table at the end.
 */
import { causeChain } from '@pp/base';
import { compilePrograms } from './bed/programs';
import { readArgs, USAGE } from './args';
import { FIGURES } from './all-figures';
import { inBed, type Figure, type Settings } from './figures/figure';
import { unmeasured, verdictOf, type Row } from './report/row';
import { json, table } from './report/table';

async function main(): Promise<number> {
  const args = readArgs(
    process.argv.slice(2),
    FIGURES.map(({ name }) => name),
  );
  if (!args.ok) {
    process.stderr.write(`bench: ${args.sentence}\n${USAGE}`);
    return 2;
  }
  if (args.value.help) {
    process.stdout.write(
      USAGE + FIGURES.map(({ name, about }) => `  ${name.padEnd(10)} ${about}\n`).join(''),
    );
    return 0;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('bench: namespaces and iptables need root: run it as root\n');
    return 1;
  }
  const { quick, only } = args.value;
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  compilePrograms();
  const rows: Row[] = [];
  for (const figure of FIGURES.filter(({ name }) => only.length === 0 || only.includes(name))) {
    rows.push(...(await rowsOf(figure, { quick, say })));
  }
  process.stdout.write(args.value.json ? json(rows) : table(rows));
  return rows.every((row) => verdictOf(row) !== 'FAIL') ? 0 : 1;
}

/** A figure that breaks off fails by itself; the others are still measured. */
async function rowsOf(figure: Figure, settings: Settings): Promise<readonly Row[]> {
  settings.say(`${figure.name}: ${figure.about}`);
  try {
    return await inBed(figure, settings);
  } catch (fault) {
    return [unmeasured(figure.name, causeChain(fault))];
  }
}

void main().then((code) => process.exit(code));
