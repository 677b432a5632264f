import type { Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { step, stepLine } from './job';
import type { Peer } from './peer';

const NETNS = 'bench';
const [HOST, PEER] = ['arc_ns0', 'veth0'];
const [GATEWAY, ADDRESS, SUBNET] = ['100.115.92.129', '100.115.92.130', '100.115.92.128/30'];

/** What scripts do: one process for each step, eight of ip and four of iptables. */
export function processPerStep({ host }: Machine): Peer {
  const runner = new LineProgram(host, programPath('run-steps'), []);
  const run = async (lines: readonly string[]): Promise<number> =>
    millisOf(await runner.ask(...lines.map((line) => stepLine(step(line))), 'go'));
  return {
    connect: (pid) => run([`ip netns attach ${NETNS} ${pid}`, ...LINK_STEPS, ...rules('-A')]),
    disconnect: () => run([...rules('-D').toReversed(), `ip link del ${HOST}`, `ip netns del ${NETNS}`]),
  };
}

const LINK_STEPS = [
  `ip link add ${HOST} group 20560 address 02:77:00:00:00:01 type veth peer name ${PEER} address 02:77:00:00:00:02 netns ${NETNS}`,
  `ip -n ${NETNS} addr add ${ADDRESS}/30 broadcast + dev ${PEER}`,
  `ip -n ${NETNS} link set ${PEER} up multicast off`,
  `ip addr add ${GATEWAY}/30 broadcast + dev ${HOST}`,
  `ip link set ${HOST} up multicast off`,
  `ip link set ${HOST} alias bench:namespace`,
  `ip -n ${NETNS} route add default via ${GATEWAY}`,
];

const rules = (change: '-A' | '-D'): readonly string[] => [
  `iptables ${change} FORWARD -i ${HOST} -j ACCEPT`,
  `iptables ${change} FORWARD -o ${HOST} -j ACCEPT`,
  `iptables -t mangle ${change} PREROUTING -i ${HOST} -j MARK --set-xmark 0x1/0x1`,
  `iptables -t nat ${change} POSTROUTING -s ${SUBNET} -o eth0 -j MASQUERADE`,
];
