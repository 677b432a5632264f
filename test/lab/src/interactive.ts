/*
 * `npm run lab`: brings the standard lab up with the manager serving on its host, says how to enter, and waits for Ctrl-C.
 * `npm run lab -- COMMAND [ARGS...]` runs COMMAND on the host instead, with LAB_<HOST>_PID in its environment, and exits as it does.
 */
import { startManager } from './manager';
import { howToEnter, interrupted, openForVisitors, runLabProgram, say } from './program';
import { standardLab, type StandardLab } from './standard-lab';

void runLabProgram(main);

async function main(): Promise<number> {
  const [command, ...args] = process.argv.slice(2);
  say('== opening the lab: internet, two routers, LAN neighbour, host');
  const lab = await standardLab({ secondUplink: true });
  try {
    say('== starting patchpanel-manager on the host, with eth0 and eth1 as its uplinks');
    await startManager(lab.host, {
      args: ['--uplink', 'eth0=ethernet', '--uplink', 'eth1=ethernet', '--helpers', 'spawn'],
    });
    await openForVisitors(lab);
    if (command !== undefined) return await Promise.race([runOnHost(lab, command, args), interrupted()]);
    say(`== the lab is up until Ctrl-C; to enter it:\n${howToEnter(lab)}`);
    await interrupted();
    return 0;
  } finally {
    await lab.close();
  }
}

async function runOnHost(
  { lab, host }: StandardLab,
  command: string,
  args: readonly string[],
): Promise<number> {
  const pids = lab.hosts.map(({ name, pid }) => [`LAB_${name.toUpperCase()}_PID`, String(pid)] as const);
  const { code } = await host.spawn(command, args, { stdio: 'inherit', env: Object.fromEntries(pids) })
    .exited;
  return code ?? 1;
}
