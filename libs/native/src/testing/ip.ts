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

/** The index of an interface, as `ip` tells it. */
export function ifindex(netns: number, name: string): number {
  return Number(/^(\d+):/.exec(inNetns(netns, ['ip', '-o', 'link', 'show', 'dev', name]))?.[1]);
}
