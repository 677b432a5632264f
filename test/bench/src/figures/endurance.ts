import { settled, type Bed } from '../bed/bed';
import { Collector } from '../manager/collector';
import { Manager } from '../manager/manager';
import type { Row } from '../report/row';
import { endure } from './churn';
import type { Figure, Settings } from './figure';

/** A service that runs for months: nothing may be left of a namespace that came and went. */
export const enduranceFigure: Figure = {
  name: 'endurance',
  about: '10,000 connect and disconnect: memory after garbage collection, and what is left behind',
  measure,
};

/** All of the reference's pool at once. */
const AT_ONCE = 16;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const pids = await bed.namespaces(AT_ONCE);
  const machine = await bed.machine('manager');
  const collector = new Collector(machine.host);
  const manager = await Manager.start(bed, machine, { env: collector.env });
  const churn = {
    figure: 'endurance',
    unit: 'connect',
    total: settings.quick ? 960 : 10_000,
    perBatch: AT_ONCE,
    batch: async () => manager.release(...(await manager.connectAll(pids))),
  };
  const rows = await endure(churn, manager, collector, () => settled(machine), settings);
  await manager.stop();
  return rows;
}
