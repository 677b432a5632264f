import { readArgs, type CommonArgs, type ServiceSpec } from './args';
import { foundPath } from './found-path';
import { print, printError } from './print';
import { ExitCode, Refused } from './refused';
import { askStatus } from './status-client';
import { statusPath } from './status-socket';
import { statusText } from './status-text';

/** Between what is wrong and what to do about it: services keep to one line, a tool for people has a line for each. */
export type Joint = '; ' | '\n';

/**
 * Runs a program to its end: `work` returns the exit code or throws Refused, which is printed. Anything else that is thrown is a bug
 * and keeps its stack.
 */
export async function runProgram(
  name: string,
  work: () => Promise<number>,
  joint: Joint = '; ',
): Promise<never> {
  try {
    process.exit(await work());
  } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
    const { sentence, advice, exitCode } = fault;
    printError(`${name}: ${sentence}${advice === undefined ? '' : joint + advice}\n`);
    process.exit(exitCode);
  }
}

/** A service's command line: help, version and status are answered here, `serve` does the rest. */
export function runService<C>(
  spec: ServiceSpec<C>,
  serve: (config: C, common: CommonArgs) => Promise<ExitCode>,
): Promise<never> {
  return runProgram(spec.name, async () => {
    const asked = readArgs(spec, process.argv.slice(2));
    switch (asked.do) {
      case 'serve':
        return serve(asked.config, asked.common);
      case 'status':
        print(await statusAnswer(spec.name, asked.stateDir, asked.json));
        return ExitCode.done;
      case 'print':
        print(asked.text);
        return ExitCode.done;
      case 'refuse':
        throw new Refused(asked.exitCode, asked.sentence);
    }
  });
}

async function statusAnswer(app: string, stateDir: string, json: boolean): Promise<string> {
  const answer = await askStatus(app, foundPath(stateDir, app, statusPath));
  return json ? answer : statusText(JSON.parse(answer) as object);
}
