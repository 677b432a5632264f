import type { Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { step, stepLine } from './job';

/** Opens ports as scripts do: a process for each family (iptables over nf_tables, as Debian has it). */
export interface PortRuleProcesses {
  /** Milliseconds. */
  open(port: number): Promise<number>;
  close(port: number): Promise<number>;
  rulesAbout(port: number): Promise<number>;
}

const CHAIN = 'ingress_port_firewall';
const COMMANDS = ['iptables', 'ip6tables'] as const;

export async function portRuleProcesses({ host }: Machine): Promise<PortRuleProcesses> {
  for (const command of COMMANDS) {
    await host.ok(command, ['-w', '-N', CHAIN]);
    await host.ok(command, ['-w', '-A', 'INPUT', '-j', CHAIN]);
  }
  const runner = new LineProgram(host, programPath('run-steps'), []);
  const run = async (change: '-I' | '-D', port: number): Promise<number> => {
    const rule = `${CHAIN} -p tcp --dport ${port} -j ACCEPT`;
    const lines = COMMANDS.map((command) => stepLine(step(`${command} -w ${change} ${rule}`)));
    return millisOf(await runner.ask(...lines, 'go'));
  };
  return {
    open: (port) => run('-I', port),
    close: (port) => run('-D', port),
    rulesAbout: async (port) => {
      const listings = await Promise.all(COMMANDS.map((command) => host.ok(command, ['-w', '-S', CHAIN])));
      return listings
        .join('\n')
        .split('\n')
        .filter((line) => line.includes(`--dport ${port} `)).length;
    },
  };
}
