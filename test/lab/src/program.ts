import { causeChain } from '@pp/base';
import { constants } from 'node:os';
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

/** Resolves at the first SIGINT or SIGTERM with the exit code that a shell would give it; later ones do not disturb the tidying up. */
export function interrupted(): Promise<number> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        resolve(128 + constants.signals[signal]);
      });
  });
}

/** How a person at another terminal looks around. */
export function howToEnter({ lab, bus }: StandardLab): string {
  const hosts = lab.hosts.map((host) => `  ${host.name.padEnd(9)} ${host.enterCommand}`);
  return [...hosts, `  bus of the host, from anywhere: DBUS_SYSTEM_BUS_ADDRESS=${bus.outside}`].join('\n');
}
