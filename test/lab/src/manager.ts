import { seconds } from '@pp/base';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Child, Finished } from './child';
import { SHARED_INSIDE, type Host } from './host';
import { repository } from './repository';

/** The manager's state directory as the host sees it. */
export const STATE_INSIDE = `${SHARED_INSIDE}/state`;

/** The path of a built program, in dist/bin or where PATCHPANEL_BIN says; throws with the command that builds it where there is none. */
export function program(name: string): string {
  const path = resolve(process.env['PATCHPANEL_BIN'] ?? repository('dist', 'bin'), name);
  if (!existsSync(path)) throw new Error(`${path} is not there: npm run build`);
  return path;
}

/** The manager's state directory as the test process sees it. Several managers on one host need one each. */
export function stateDirectory(host: Host): string {
  return join(host.shared, 'state');
}

export interface ManagerOptions {
  /** Arguments after the state directory and the log format. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A patchpanel-manager that serves on a host. */
export class Manager {
  readonly process: Child;

  constructor(process: Child) {
    this.process = process;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** SIGKILL: no chance to clean up. */
  async kill(): Promise<Finished> {
    this.process.kill('SIGKILL');
    return this.process.exited;
  }

  /** SIGTERM, and its own end; killed after 25 s, which is beyond its own deadline. */
  async stop(): Promise<Finished> {
    return this.process.stop(seconds(25));
  }
}

/** Starts the built manager with eth0 as its uplink and no helpers (unless `args` say otherwise) and waits for its log line `ready`. */
export async function startManager(host: Host, options: ManagerOptions = {}): Promise<Manager> {
  const { args = ['--uplink', 'eth0=ethernet'], env = {} } = options;
  const alone = args.includes('--helpers') ? [] : ['--helpers', 'none'];
  const common = ['--state-dir', STATE_INSIDE, '--log-format', 'json', ...alone];
  const child = host.spawn(program('patchpanel-manager'), [...common, ...args], { env });
  await child.line('log line "ready"', (line) => (eventOf(line) === 'ready' ? true : undefined), seconds(20));
  return new Manager(child);
}

/** The event of a line of a JSON log; undefined for any other line. */
export function eventOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { event } = JSON.parse(line) as { readonly event?: unknown };
  return typeof event === 'string' ? event : undefined;
}
