import { spawnSync } from 'node:child_process';

/** Runs `ip -batch` in a namespace, while this process stands still. Throws what it says. */
export function ip(netns: number, ...lines: readonly string[]): void {
  inNetns(netns, ['ip', '-batch', '-'], lines.map((line) => `${line}\n`).join(''));
}

/** Runs a command in a namespace; its standard output. Throws when it fails. */
export function inNetns(netns: number, command: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('nsenter', ['--net=/proc/self/fd/3', ...command], {
    input,
    stdio: ['pipe', 'pipe', 'pipe', netns],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return stdout;
}

const LOOKS = 2000;

/** Waits until frames pass these interfaces: the kernel follows a carrier in its own time, and what is sent before is lost. */
export function awaitCarrier(netns: number, ...names: readonly string[]): void {
  for (const name of names) {
    let looks = 0;
    while (!/ state (UP|UNKNOWN) /.test(inNetns(netns, ['ip', '-o', 'link', 'show', 'dev', name])))
      if (++looks === LOOKS) throw new Error(`${name} has no carrier`);
  }
}

/** The index of an interface, as `ip` tells it. */
export function ifindex(netns: number, name: string): number {
  return Number(/^(\d+):/.exec(inNetns(netns, ['ip', '-o', 'link', 'show', 'dev', name]))?.[1]);
}
