import type { Checked } from '@pp/base';
import { createConnection } from 'node:net';
import { checkedStateDir, DEFAULT_STATE_DIR } from './args';
import { controlPath } from './control-socket';
import { errnoOf } from './errno';
import { foundPath } from './found-path';
import { print } from './print';
import { runProgram } from './program';
import { ExitCode, Refused } from './refused';

/** A question to a running service: `app trace ADDR`. */
export interface ControlQuestion {
  /** The line to send. */
  readonly line: string;
  /** The answer has no end: when it ends, the service has. */
  readonly isEndless: boolean;
}

/** The first word of a command line, if it is one of `commands`: then the running service is asked for something. */
export const controlCommand = <C extends string>(
  commands: readonly C[],
  [word]: readonly string[],
): C | undefined => commands.find((command) => command === word);

/** Asks the service that runs, and prints every line of its answer. `args` may hold --state-dir; `question` is made of the others. */
export function runControl(
  app: string,
  args: readonly string[],
  question: (words: readonly string[]) => Checked<ControlQuestion>,
): Promise<never> {
  return runProgram(app, async () => {
    const { stateDir, words } = withoutStateDir(args);
    const asked = question(words);
    if (!asked.ok) throw new Refused(ExitCode.usage, asked.sentence);
    return ask(app, foundPath(stateDir, app, controlPath), asked.value);
  });
}

function withoutStateDir(args: readonly string[]): {
  readonly stateDir: string;
  readonly words: readonly string[];
} {
  const at = args.indexOf('--state-dir');
  const checked = checkedStateDir(at < 0 ? DEFAULT_STATE_DIR : (args[at + 1] ?? ''));
  if (!checked.ok) throw new Refused(ExitCode.usage, checked.sentence);
  return { stateDir: checked.value, words: at < 0 ? args : args.toSpliced(at, 2) };
}

function ask(app: string, path: string, { line, isEndless }: ControlQuestion): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let error = '';
    let isRead = true;
    const socket = createConnection(path, () => {
      socket.write(`${line}\n`);
    });
    socket.on('error', (fault) => {
      reject(explained(app, path, errnoOf(fault)));
    });
    socket.on('data', (part) => {
      const text = part.toString('utf8');
      if (text.startsWith('error ')) error = text.slice('error '.length).trim();
      else isRead = print(text);
      if (!isRead) socket.destroy();
    });
    socket.on('close', () => {
      if (error === '') resolve(isEndless && isRead ? ExitCode.unreachable : ExitCode.done);
      else reject(new Refused(ExitCode.failed, error));
    });
  });
}

const explained = (app: string, path: string, code = 'unknown'): Refused =>
  code === 'EACCES' || code === 'EPERM'
    ? new Refused(ExitCode.denied, `${path} may not be opened; run this as root`)
    : new Refused(ExitCode.unreachable, `${app} is not running: nobody answers at ${path} (${code})`);
