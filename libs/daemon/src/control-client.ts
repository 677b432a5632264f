import type { Checked } from '@pp/base';
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

/** A command line that asks the running service for something. */
export interface ControlCall<C extends string> {
  readonly command: C;
  /** Behind the command. */
  readonly words: readonly string[];
  /** As it was written. */
  readonly stateDir: string;
}

/** The call whose first word, --state-dir aside, is one of `commands`; undefined: there is none, or it asks for --help. */
export function controlCall<C extends string>(
  commands: readonly C[],
  argv: readonly string[],
): ControlCall<C> | undefined {
  const { stateDir, words } = withoutStateDir(argv);
  const command = commands.find((each) => each === words[0]);
  const isHelp = words.includes('--help') || words.includes('-h');
  return command === undefined || isHelp ? undefined : { command, words: words.slice(1), stateDir };
}

/** Asks the service that runs, and prints every line of its answer. */
export function runControl<C extends string>(
  app: string,
  { command, words, stateDir }: ControlCall<C>,
  question: (command: C, words: readonly string[]) => Checked<ControlQuestion>,
): Promise<never> {
  return runProgram(app, async () => {
    const dir = checkedStateDir(stateDir);
    if (!dir.ok) throw new Refused(ExitCode.usage, dir.sentence);
    const option = words.find((word) => word.startsWith('--'));
    if (option !== undefined)
      throw new Refused(ExitCode.usage, `${command} takes no option '${option}'; see ${app} --help`);
    const asked = question(command, words);
    if (!asked.ok) throw new Refused(ExitCode.usage, asked.sentence);
    return ask(app, foundPath(dir.value, app, controlPath), asked.value);
  });
}

function withoutStateDir(argv: readonly string[]): Pick<ControlCall<string>, 'words' | 'stateDir'> {
  const at = argv.findIndex((word) => /^--state-dir(=|$)/.test(word));
  const option = argv[at];
  if (option === undefined) return { words: argv, stateDir: DEFAULT_STATE_DIR };
  const inOne = option.startsWith('--state-dir=');
  return {
    words: argv.toSpliced(at, inOne ? 1 : 2),
    stateDir: inOne ? option.slice('--state-dir='.length) : (argv[at + 1] ?? ''),
  };
}

async function ask(app: string, path: string, { line, isEndless }: ControlQuestion): Promise<ExitCode> {
  const { createConnection } = await import('node:net'); // services do without it
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
      else isRead = printOr(reject, text);
      if (!isRead) socket.destroy();
    });
    socket.on('close', () => {
      if (error === '') resolve(isEndless && isRead ? ExitCode.unreachable : ExitCode.done);
      else reject(new Refused(ExitCode.failed, error));
    });
  });
}

/** Whether somebody reads on; who may not be written to is told, for nobody else hears what an event throws. */
function printOr(tell: (fault: unknown) => void, text: string): boolean {
  try {
    return print(text);
  } catch (fault) {
    tell(fault);
    return false;
  }
}

const explained = (app: string, path: string, code = 'unknown'): Refused =>
  code === 'EACCES' || code === 'EPERM'
    ? new Refused(ExitCode.denied, `${path} may not be opened; run this as root`)
    : new Refused(ExitCode.unreachable, `${app} is not running: nobody answers at ${path} (${code})`);
