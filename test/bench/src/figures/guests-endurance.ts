import { ApiClient } from '@pp/lab';
import { settled, type Bed } from '../bed/bed';
import { Collector } from '../manager/collector';
import { Manager } from '../manager/manager';
import type { Row } from '../report/row';
import { endure } from './churn';
import type { Figure, Settings } from './figure';

/** The same for VMs of all kinds. */
export const guestsEnduranceFigure: Figure = {
  name: 'guests-endurance',
  about: '20,000 start and stop of Termina, plugin and ARC VMs: memory and what is left behind',
  measure,
};

/** As many as the reference's pools have containers' subnets for. */
const TERMINA = [1, 2, 3, 4];
const PLUGIN = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n];
const ARC = [1];

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const machine = await bed.machine('manager');
  const collector = new Collector(machine.host);
  const manager = await Manager.start(bed, machine, { env: collector.env });
  const api = await ApiClient.open(manager.bus.outside);
  const churn = {
    figure: 'guests-endurance',
    unit: 'start',
    total: settings.quick ? 960 : 20_000, // ARC's six TAPs at a time make the heap find its size late
    perBatch: TERMINA.length + PLUGIN.length + ARC.length,
    batch: () => comeAndGo(api),
  };
  const rows = await endure(churn, manager, collector, () => settled(machine), settings);
  api.close();
  await manager.stop();
  return rows;
}

async function comeAndGo(api: ApiClient): Promise<void> {
  await Promise.all([
    ...TERMINA.map((cid) => api.ask('TerminaVmStartup', { cid })),
    ...PLUGIN.map((id) => api.ask('PluginVmStartup', { id })),
    ...ARC.map((cid) => api.ask('ArcVmStartup', { cid })),
  ]);
  await Promise.all([
    ...TERMINA.map((cid) => api.ask('TerminaVmShutdown', { cid })),
    ...PLUGIN.map((id) => api.ask('PluginVmShutdown', { id })),
    ...ARC.map((cid) => api.ask('ArcVmShutdown', { cid })),
  ]);
}
