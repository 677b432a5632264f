import { causeChain } from '@pp/base';
import { constants } from 'node:os';
import { program, STATE_INSIDE } from './manager';
import type { StandardLab } from './standard-lab';
import { runAgainAsRoot } from './user-namespace';

/** Runs a program of the lab to its end, as root or in a user namespace, and exits with what `work` returns; a throw is 1. */
export async function runLabProgram(work: () => Promise<number>): Promise<never> {
  const code = await runAgainAsRoot()
    .then((done) => done ?? work())
    .catch(failed);
  process.exit(code); // what an interruption has left half done must not go on talking
}

function failed(fault: unknown): number {
  say(causeChain(fault));
  return 1;
}

/** Progress and explanations go to standard error: standard output is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** One line that is written over again and again, for a person who waits; nothing where nobody looks. An empty one ends it. */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

/** Resolves at the first SIGINT or SIGTERM with the exit code that a shell would give it; later ones do not disturb the tidying up. */
export function interrupted(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        resolve(128 + constants.signals[signal]);
      });
  });
}

/** What a visitor of the host writes without --state-dir finds the manager, as on a host of their own. */
export async function openForVisitors({ host }: StandardLab): Promise<void> {
  await host.shell(`ln -sfn ${STATE_INSIDE} /run/patchpanel`);
}

/** How a person at another terminal looks around. */
export function howToEnter({ lab, bus }: StandardLab): string {
  const hosts = lab.hosts.map((host) => `  ${host.name.padEnd(9)} ${host.enterCommand}`);
  const look = `on the host: ${program('patchpanelctl')} status, or doctor`;
  return [
    ...hosts,
    `  ${look}`,
    `  bus of the host, from anywhere: DBUS_SYSTEM_BUS_ADDRESS=${bus.outside}`,
  ].join('\n');
}
