import type { Bed } from '../bed/bed';
import { elementsIn } from '../peers/like-ours';
import { Manager } from '../manager/manager';
import { ThinClient } from '../manager/thin-client';
import { portRuleProcesses, type PortRuleProcesses } from '../peers/port-processes';
import { atLeast, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** ModifyPortRule, request to reply by D-Bus, against the processes that scripts (and the reference) run for the same rule. */
export const portsFigure: Figure = {
  name: 'ports',
  about: 'a port is opened, against one iptables and one ip6tables process',
  measure,
};

const FIRST_PORT = 10_000;
/** A manager that has run for a while: its program is compiled. */
const WARM_UP = 100;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 20 : 200;
  const [ours, theirs] = [await bed.machine('manager'), await bed.machine('iptables')];
  const manager = await Manager.start(bed, ours);
  const client = new ThinClient(ours, manager.bus);
  const peer = await portRuleProcesses(theirs);
  for (let round = 0; round < WARM_UP; round++) {
    await client.portRule('create', FIRST_PORT - 1);
    await client.portRule('delete', FIRST_PORT - 1);
  }
  const portOf = (round: number): number => FIRST_PORT + round;
  const open = await interleave(
    rounds,
    {
      ours: (round) => client.portRule('create', portOf(round)),
      processes: (round) => peer.open(portOf(round)),
    },
    progress(settings, 'open', rounds),
  );
  await proveDone(manager, peer, portOf(0));
  const close = await interleave(
    rounds,
    {
      ours: (round) => client.portRule('delete', portOf(round)),
      processes: (round) => peer.close(portOf(round)),
    },
    progress(settings, 'close', rounds),
  );
  const bus = await client.pings(rounds);
  await manager.stop();
  return [row('ports: open', open, bus), row('ports: close', close, bus)];
}

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
      `one at a time, journaled with fdatasync, after ${WARM_UP} rules that are not counted; the bus alone, to the manager and back: ${spreadText(spreadOf(bus), 'ms')}`,
    ],
  };
}
