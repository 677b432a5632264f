import { seconds, type Millis } from '@pp/base';
import { Child, type Finished, type SpawnOptions } from './child';
import { inUserNamespace } from './user-namespace';

export interface RunOptions extends SpawnOptions {
  /** The command is killed after this; default 30 s. */
  readonly timeout?: Millis;
  /** Standard input. */
  readonly input?: string;
}

/** A network namespace of the lab, with the mount and UTS namespace around it, entered through the process that holds it. */
export class Place {
  readonly name: string;
  /** The holder: `nsenter -t PID -n -m -u` enters here. */
  readonly pid: number;
  readonly #env: Readonly<Record<string, string>>;

  /** `env` is given to every command that is started here. */
  constructor(name: string, pid: number, env: Readonly<Record<string, string>>) {
    this.name = name;
    this.pid = pid;
    this.#env = env;
  }

  /** The command a person types at another terminal to look around here. */
  get enterCommand(): string {
    const user = inUserNamespace() ? '-U --preserve-credentials ' : '';
    return `nsenter -t ${this.pid} ${user}-n -m -u`;
  }

  /** Starts a command here. It is this process's child and is killed with it; its pid is the command's own. */
  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): Child {
    // Root and working directory are the holder's: with the mount namespace alone, a test run in a chroot would land outside of it.
    const enter = ['--target', String(this.pid), '--net', '--mount', '--uts', '--root', '--wd', '--'];
    const dieWithUs = ['setpriv', '--pdeathsig', 'KILL', '--'];
    const env = { ...this.#env, ...options.env };
    const name = `${this.name}: ${[command, ...args].join(' ')}`;
    return new Child('nsenter', [...enter, ...dieWithUs, command, ...args], { name, ...options, env });
  }

  /** Runs a command here to its end, whatever that is. */
  async run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
    const { timeout = seconds(30), input, ...rest } = options;
    const child = this.spawn(command, args, input === undefined ? rest : { ...rest, stdio: 'open' });
    if (input !== undefined) {
      child.write(input);
      child.endInput();
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
    }, timeout);
    return child.exited.finally(() => {
      clearTimeout(timer);
    });
  }

  /** Standard output of a command that must succeed; throws with what it said where it does not. */
  async ok(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<string> {
    const { code, signal, stdout, stderr } = await this.run(command, args, options);
    if (code === 0) return stdout;
    const end = signal ?? `exit ${code ?? '?'}`;
    throw new Error(`${this.name}: ${[command, ...args].join(' ')}: ${end}: ${(stderr + stdout).trim()}`);
  }

  /** Runs a shell script that must succeed; a failing or unset part of it fails it. */
  async shell(script: string, options: RunOptions = {}): Promise<string> {
    return this.ok('sh', ['-euc', script], options);
  }

  /** What a command prints as JSON. Empty output is an empty list, as iproute2 says it. */
  async json(command: string, ...args: readonly string[]): Promise<unknown> {
    const text = await this.ok(command, args);
    return text.trim() === '' ? [] : JSON.parse(text);
  }
}
