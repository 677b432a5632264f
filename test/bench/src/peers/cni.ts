import type { Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { stepLine, type Step } from './job';
import type { Peer } from './peer';

/** Debian's containernetworking-plugins. */
export const CNI_DIRECTORY = '/usr/lib/cni';

const BRIDGE = {
  bridge: 'cni0',
  isGateway: true,
  isDefaultGateway: true,
  ipMasq: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.210.0.0/24' }]], dataDir: '/run/cni' },
};

/** In the order in which a runtime adds; it deletes in reverse (CNI specification 1.0.0, section 3). */
const CHAIN: readonly (readonly [plugin: string, config: Readonly<Record<string, unknown>>])[] = [
  ['bridge', BRIDGE],
  ['portmap', { capabilities: { portMappings: true } }],
  ['firewall', { backend: 'iptables' }],
];

/** The plugins that container runtimes use by default, started as libcni does, from a C program: no runtime's own time is in it. */
export function cniPlugins({ host }: Machine): Peer {
  const runner = new LineProgram(host, programPath('run-steps'), []);
  const run = async (command: 'ADD' | 'DEL', pid: number): Promise<number> => {
    const plugins = command === 'ADD' ? CHAIN : CHAIN.toReversed();
    const steps = plugins.map(([plugin, config]) => pluginStep(command, pid, plugin, config));
    return millisOf(await runner.ask(...steps.map(stepLine), 'go'));
  };
  return { connect: (pid) => run('ADD', pid), disconnect: (pid) => run('DEL', pid) };
}

function pluginStep(
  command: 'ADD' | 'DEL',
  pid: number,
  type: string,
  config: Readonly<Record<string, unknown>>,
): Step {
  const text = JSON.stringify({ cniVersion: '1.0.0', name: 'bench', type, ...config });
  const isFirst = command === 'ADD' && type === 'bridge';
  return {
    command: [`${CNI_DIRECTORY}/${type}`],
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: `bench-${pid}`,
      CNI_NETNS: `/proc/${pid}/ns/net`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: CNI_DIRECTORY,
    },
    input: isFirst ? text : text.replace(/}$/, ',"prevResult":@PREV@}'),
  };
}
