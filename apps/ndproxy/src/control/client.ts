import { createConnection } from 'node:net';
import {
  checkedStateDir,
  DEFAULT_STATE_DIR,
  errnoOf,
  ExitCode,
  print,
  Refused,
  runProgram,
} from '@pp/daemon';
import { requestFromArgs, type Request } from './request';
import { controlPath } from './server';

const COMMANDS = ['trace', 'group'] as const;
type Command = (typeof COMMANDS)[number];

/** The first word of a command line that asks the running proxy for something, else undefined. */
export const controlCommand = ([word]: readonly string[]): Command | undefined =>
  COMMANDS.find((command) => command === word);

/** `ndproxy trace ADDR`, which ends with a signal, and `ndproxy group VERB ...`, which prints OK. */
export function runControl(command: Command, args: readonly string[]): Promise<never> {
  return runProgram('ndproxy', async () => {
    const { stateDir, words } = withoutStateDir(args);
    const request = requestFromArgs(command, words);
    if (!request.ok) throw new Refused(ExitCode.usage, request.sentence);
    return ask(controlPath(stateDir), request.value);
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

/** Prints every line of the answer. */
function ask(path: string, request: Request): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let error = '';
    const socket = createConnection(path, () => {
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on('error', (fault) => {
      reject(explained(path, errnoOf(fault)));
    });
    socket.on('data', (part) => {
      const text = part.toString('utf8');
      if (text.startsWith('error ')) error = text.slice('error '.length).trim();
      else print(text);
    });
    socket.on('close', () => {
      if (error === '') resolve(request.do === 'trace' ? ExitCode.unreachable : ExitCode.done);
      else reject(new Refused(ExitCode.failed, error));
    });
  });
}

const explained = (path: string, code = 'unknown'): Refused =>
  code === 'EACCES' || code === 'EPERM'
    ? new Refused(ExitCode.denied, `${path} may not be opened; run this as root`)
    : new Refused(ExitCode.unreachable, `ndproxy is not running: nobody answers at ${path} (${code})`);
