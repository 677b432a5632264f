import type { Bed } from '../bed/bed';
import { elementsIn } from '../peers/like-ours';
import { Manager } from '../manager/manager';
import { ThinClient } from '../manager/thin-client';
import { portRuleProcesses, type PortRuleProcesses } from '../peers/port-processes';
import { atLeast, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios, type Contender } from '../stats/interleave';
import { median, spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** ModifyPortRule, request to reply by D-Bus, against the processes that scripts (and the reference) run for the same rule. */
export const portsFigure: Figure = {
  name: 'ports',
  about: 'a port is opened, against one iptables and one ip6tables process',
  measure,
};

const FIRST_PORT = 10_000;
/** Ports of a round. */
const A_ROUND = 10;
/** A manager that has run for a while: its program is compiled. */
const WARM_UP = 100;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 5 : 40;
  const [ours, theirs] = [await bed.machine('manager'), await bed.machine('iptables')];
  const manager = await Manager.start(bed, ours);
  const client = new ThinClient(ours, manager.bus);
  const peer = await portRuleProcesses(theirs);
  for (let round = 0; round < WARM_UP; round++) {
    await client.portRule('create', FIRST_PORT - 1);
    await client.portRule('delete', FIRST_PORT - 1);
  }
  const open = await interleave(
    rounds,
    {
      ours: eachOf((port) => client.portRule('create', port)),
      processes: eachOf((port) => peer.open(port)),
    },
    progress(settings, 'open', rounds),
  );
  await proveDone(manager, peer, FIRST_PORT);
  const close = await interleave(
    rounds,
    {
      ours: eachOf((port) => client.portRule('delete', port)),
      processes: eachOf((port) => peer.close(port)),
    },
    progress(settings, 'close', rounds),
  );
  const bus = await client.pings(rounds);
  await manager.stop();
  return [row('ports: open', open, bus), row('ports: close', close, bus)];
}

/** A round does it for several ports, one after the other: the median of their times. */
const eachOf =
  (change: (port: number) => Promise<number>): Contender =>
  async (round) => {
    const samples: number[] = [];
    for (let i = 0; i < A_ROUND; i++) samples.push(await change(FIRST_PORT + round * A_ROUND + i));
    return median(samples);
  };

/** Both open the port for TCP over both families; else one would be measured doing nothing. */
async function proveDone(manager: Manager, peer: PortRuleProcesses, port: number): Promise<void> {
  const key = `open_ports:06000000${port.toString(16).padStart(4, '0')}0000`;
  if (!(await elementsIn(manager.machine)).includes(key))
    throw new Error('the manager did not open the port');
  if ((await peer.rulesAbout(port)) !== 2)
    throw new Error('iptables and ip6tables did not make one rule each');
}

function row(
  name: string,
  samples: Readonly<Record<'ours' | 'processes', readonly number[]>>,
  bus: readonly number[],
): Row {
  const spread = spreadOf(pairRatios(samples.processes, samples.ours));
  return {
    name: `${name} a port, times faster than processes`,
    measured: spread.median,
    unit: 'x',
    goal: atLeast(5),
    spread,
    details: [
      `ours: ${spreadText(spreadOf(samples.ours), 'ms')}; processes: ${spreadText(spreadOf(samples.processes), 'ms')}`,
      `${A_ROUND} ports one after the other in each round, journaled with fdatasync, after ${WARM_UP} rules that are not counted; the bus alone, to the manager and back: ${spreadText(spreadOf(bus), 'ms')}`,
    ],
  };
}
