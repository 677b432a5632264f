import type { Bed } from '../bed/bed';
import { elementsIn } from '../peers/like-ours';
import { Manager } from '../manager/manager';
import { ThinClient } from '../manager/thin-client';
import { portRuleProcesses } from '../peers/port-processes';
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

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 20 : 200;
  const [ours, theirs] = [await bed.machine('manager'), await bed.machine('iptables')];
  const manager = await Manager.start(bed, ours);
  const client = new ThinClient(ours, manager.bus);
  const peer = await portRuleProcesses(theirs);
  const kept: Record<'ours' | 'processes', number[]> = { ours: [], processes: [] };
  const samples = await interleave(
    rounds,
    {
      ours: async (round) => {
        const took = await client.portRule('create', FIRST_PORT + round);
        kept.ours.push(await client.portRule('delete', FIRST_PORT + round));
        return took;
      },
      processes: async (round) => {
        const took = await peer.open(FIRST_PORT + round);
        kept.processes.push(await peer.close(FIRST_PORT + round));
        return took;
      },
    },
    progress(settings, 'ports', rounds),
  );
  const bus = await client.pings(rounds);
  await proveDone(manager, peer);
  await manager.stop();
  return [row('ports: open', samples, bus), row('ports: close', kept, bus)];
}

/** Both open the port for TCP over both families; else one would be measured doing nothing. */
async function proveDone(
  manager: Manager,
  peer: Awaited<ReturnType<typeof portRuleProcesses>>,
): Promise<void> {
  await manager.client.openPort(FIRST_PORT);
  await peer.open(FIRST_PORT);
  const ours = (await elementsIn(manager.machine)).filter((element) => element.includes(String(FIRST_PORT)));
  if (ours.length !== 1) throw new Error(`the manager made ${ours.length} elements for one rule`);
  if ((await peer.rulesAbout(FIRST_PORT)) !== 2)
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
      `one at a time, journaled with fdatasync; the bus alone, to the manager and back: ${spreadText(spreadOf(bus), 'ms')}`,
    ],
  };
}
