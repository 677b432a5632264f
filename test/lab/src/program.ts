import type { StandardLab } from './standard-lab';
import { runAgainAsRoot } from './user-namespace';

/** Runs a program of the lab to its end, as root or in a user namespace, and exits with what `work` returns; a throw is 1. */
export async function runLabProgram(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = (await runAgainAsRoot()) ?? (await work());
  } catch (fault) {
    say(
      fault instanceof Error
        ? `${fault.message}${fault.cause instanceof Error ? ` (${fault.cause.message})` : ''}`
        : String(fault),
    );
    process.exitCode = 1;
  }
}

/** Progress and explanations go to standard error: standard output is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Resolves at the first SIGINT or SIGTERM with the exit code that a shell would give it. */
export function interrupted(): Promise<number> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => {
      resolve(130);
    });
    process.once('SIGTERM', () => {
      resolve(143);
    });
  });
}

/** How a person at another terminal looks around. */
export function howToEnter({ lab, bus }: StandardLab): string {
  const hosts = lab.hosts.map((host) => `  ${host.name.padEnd(9)} ${host.enterCommand}`);
  return [...hosts, `  bus of the host, from anywhere: DBUS_SYSTEM_BUS_ADDRESS=${bus.outside}`].join('\n');
}
