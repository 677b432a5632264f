import { Lab } from '../lab';

/** Run by lab.test.ts: prints its lab and a process that no signal of ours reaches, then waits for SIGKILL. */
async function main(): Promise<void> {
  const lab = await Lab.open();
  const host = await lab.host('host');
  const stray = Number(await host.shell('setsid sleep infinity > /dev/null 2>&1 & echo $!'));
  process.stdout.write(`${JSON.stringify({ directory: lab.directory, holder: host.pid, stray })}\n`);
}

void main();
