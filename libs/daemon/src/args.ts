import { accept, refuse, type Checked } from '@pp/base';
import { Command, CommanderError } from 'commander';
import { printable } from './printable';
import { choice, RawArgs } from './raw-args';
import { ExitCode, exitCodesLine, type ExitCodeWords } from './refused';
import { LOG_FORMATS, LOG_LEVELS, type LogOptions } from './log';

export interface OptionSpec {
  /** As --help shows it: "--listen <ADDR:PORT>". */
  readonly flags: string;
  readonly text: string;
  /** May be given several times. */
  readonly repeat?: boolean;
}

/** What a service takes on its command line beside what all of them take. */
export interface ServiceSpec<C> {
  readonly name: string;
  readonly version: string;
  /** First words of --help: what it does today. */
  readonly description: string;
  readonly options?: readonly OptionSpec[];
  /** Arguments without a dash, e.g. "[LAN GUEST...]", and what they mean. */
  readonly operands?: { readonly synopsis: string; readonly text: string };
  /** Last words of --help: examples. */
  readonly notes?: string;
  /** Beside those that all services have. */
  readonly exitCodes?: ExitCodeWords;
  /** A refusal's sentence is what the user reads, after the program's name. */
  parse(raw: RawArgs): Checked<C>;
}

/** What every service takes. */
export interface CommonArgs extends LogOptions {
  readonly stateDir: string;
}

/** What a service's command line asks for. */
export type Invocation<C> =
  | { readonly do: 'serve'; readonly config: C; readonly common: CommonArgs }
  | { readonly do: 'status'; readonly json: boolean; readonly stateDir: string }
  | Answer;

/** A command line that asks for no work: --help and --version, or a mistake. */
export type Answer =
  | { readonly do: 'print'; readonly text: string }
  | { readonly do: 'refuse'; readonly exitCode: ExitCode; readonly sentence: string };

export const DEFAULT_STATE_DIR = '/run/patchpanel';

/** The longest path that fits sockaddr_un (unix(7)), less the longest socket name: "/patchpanel-manager.sock." and a pid. */
const MAX_STATE_DIR_BYTES = 107 - '/patchpanel-manager.sock.4194304'.length;

/** Reads a service's arguments. Nothing is printed and nothing is done. */
export function readArgs<C>(spec: ServiceSpec<C>, argv: readonly string[]): Invocation<C> {
  let found: Invocation<C> = unclear(spec.name, 'no action'); // one of the actions below always runs
  const program = commandOf(spec)
    .usage(['[options]', spec.operands?.synopsis].join(' ').trim())
    .argument('[operands...]')
    .action((operands: string[]) => {
      found = serve(spec, new RawArgs(program.opts(), operands));
    });
  program
    .command('status')
    .description('ask the running service how it is')
    .option('--json', 'answer as JSON')
    .allowExcessArguments()
    .action((own: { readonly json?: boolean }, { args }: Command) => {
      found = status(spec.name, new RawArgs(program.opts(), args), own.json === true);
    });
  return parseOr(program, argv, () => found);
}

/** Runs commander's parse, after which `found` tells what its actions made of it. Its help, version and errors become answers. */
export function parseOr<T>(program: Command, argv: readonly string[], found: () => T): T | Answer {
  let printed = '';
  quiet(program, (text) => {
    printed += text;
  });
  try {
    program.parse(argv, { from: 'user' });
    return found();
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault;
    if (fault.exitCode === 0) return { do: 'print', text: printed };
    return unclear(asking(program, argv), oneLine(fault.message));
  }
}

/** The program, and the command that comes first, which has a --help of its own. */
function asking(program: Command, [word]: readonly string[]): string {
  const isCommand = program.commands.some((command) => command.name() === word);
  return [program.name(), ...(isCommand && word !== undefined ? [word] : [])].join(' ');
}

const EXIT_CODES: ExitCodeWords = {
  done: 'done',
  failed: 'failed',
  usage: 'usage',
  denied: 'denied',
  unreachable: 'not running',
};

/** Every service's options. */
function commandOf<C>(spec: ServiceSpec<C>): Command {
  const program = new Command(spec.name)
    .description(spec.description)
    .version(spec.version, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print this and exit')
    .helpCommand(false);
  for (const { flags, text, repeat } of spec.options ?? []) {
    if (repeat === true) program.option(flags, text, collect);
    else program.option(flags, text);
  }
  program
    .option('--state-dir <DIR>', 'where its status socket and files lie', DEFAULT_STATE_DIR)
    .option('--log-level <LEVEL>', LOG_LEVELS.join(', '), 'info')
    .option('--log-format <FORMAT>', LOG_FORMATS.join(', '), 'text');
  if (spec.operands !== undefined) program.addHelpText('after', `\n${spec.operands.text}`);
  if (spec.notes !== undefined) program.addHelpText('after', `\n${spec.notes}`);
  return program.addHelpText('after', `\n${exitCodesLine({ ...EXIT_CODES, ...spec.exitCodes })}`);
}

/** commander has nothing before the first one, whatever its types say. */
const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

function serve<C>(spec: ServiceSpec<C>, raw: RawArgs): Invocation<C> {
  const [stray] = spec.operands === undefined ? raw.operands : [];
  if (stray !== undefined) return unclear(spec.name, `argument '${stray}' is not understood`);
  const common = commonArgs(raw);
  if (!common.ok) return usageFault(common.sentence);
  const config = spec.parse(raw);
  return config.ok
    ? { do: 'serve', config: config.value, common: common.value }
    : usageFault(config.sentence);
}

function status(name: string, raw: RawArgs, json: boolean): Invocation<never> {
  const [stray] = raw.operands;
  if (stray !== undefined) return unclear(name, `status takes no argument '${stray}'`);
  const common = commonArgs(raw);
  return common.ok ? { do: 'status', json, stateDir: common.value.stateDir } : usageFault(common.sentence);
}

function commonArgs(raw: RawArgs): Checked<CommonArgs> {
  const level = choice(raw, 'log-level', LOG_LEVELS, 'info');
  if (!level.ok) return level;
  const format = choice(raw, 'log-format', LOG_FORMATS, 'text');
  if (!format.ok) return format;
  const stateDir = checkedStateDir(raw.one('state-dir') ?? DEFAULT_STATE_DIR);
  if (!stateDir.ok) return stateDir;
  return accept({ level: level.value, format: format.value, stateDir: stateDir.value });
}

export function checkedStateDir(dir: string): Checked<string> {
  if (dir === '')
    return refuse(
      'InvalidArgument',
      `--state-dir '' is empty; write a directory such as ${DEFAULT_STATE_DIR}`,
    );
  if (dir.startsWith('@'))
    return refuse(
      'InvalidArgument',
      `--state-dir '${printable(dir)}' is no abstract socket but a directory; write ${DEFAULT_STATE_DIR}, or ./${printable(dir)} if it is called that`,
    );
  if (printable(dir) !== dir)
    return refuse(
      'InvalidArgument',
      `--state-dir '${printable(dir)}' has control characters; write a directory such as ${DEFAULT_STATE_DIR}`,
    );
  if (Buffer.byteLength(dir) <= MAX_STATE_DIR_BYTES) return accept(dir);
  return refuse(
    'InvalidArgument',
    `--state-dir '${dir}' is too long; write at most ${MAX_STATE_DIR_BYTES} bytes`,
  );
}

/** A mistake whose sentence says it all. */
export const usageFault = (sentence: string): Answer => ({
  do: 'refuse',
  exitCode: ExitCode.usage,
  sentence,
});

/** A mistake that --help explains better than one line. */
export const unclear = (name: string, sentence: string): Answer =>
  usageFault(`${sentence}; see ${name} --help`);

/** Errors are thrown instead of printed, also by subcommands, which copy these settings only if they are made later. */
function quiet(program: Command, print: (text: string) => void): void {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: print, writeErr: () => undefined });
  }
}

/** "error: unknown option '--lisen'\n(Did you mean --listen?)" and the like. */
function oneLine(message: string): string {
  const missing = /option '(\S+)(.*)' argument missing/.exec(message);
  if (missing !== null) return `${missing[1] ?? ''} needs a value: ${missing[1] ?? ''}${missing[2] ?? ''}`;
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
