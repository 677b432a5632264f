import type { Bed } from '../bed/bed';
import { Manager } from '../manager/manager';
import { ThinClient } from '../manager/thin-client';
import { atMost, type Row } from '../report/row';
import { spreadText } from '../report/table';
import { interleave, pairRatios } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

export const POOL = ['--pool', 'namespace=10.200.0.0/16'];

/** A connect must not cost more because others are connected. */
export const poolFigure: Figure = {
  name: 'pool',
  about: 'ConnectNamespace with 500 others connected against 16',
  measure,
};

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 15 : 200;
  const few = await crowd(bed, 'few', 16);
  const many = await crowd(bed, 'many', 500);
  const samples = await interleave(
    rounds,
    { many: () => once(many), few: () => once(few) },
    progress(settings, 'pool', rounds),
  );
  await Promise.all([few.manager.stop(), many.manager.stop()]);
  const spread = spreadOf(pairRatios(samples.many, samples.few));
  return [
    {
      name: 'connect: with 500 connected, times with 16',
      measured: spread.median,
      unit: 'x',
      goal: atMost(1.5),
      spread,
      details: [
        `with 500: ${spreadText(spreadOf(samples.many), 'ms')}; with 16: ${spreadText(spreadOf(samples.few), 'ms')}`,
        'two managers on two machines, asked in turn; limit: the kernel, which finds links and elements by hash',
      ],
    },
  ];
}

interface Crowd {
  readonly manager: Manager;
  readonly client: ThinClient;
  /** A process in one more namespace. */
  readonly spare: number;
}

/** A machine with `count` namespaces connected, and one more namespace to try with. */
async function crowd(bed: Bed, name: string, count: number): Promise<Crowd> {
  const [spare = 0, ...pids] = await bed.namespaces(count + 1);
  const machine = await bed.machine(name);
  const manager = await Manager.start(bed, machine, { args: POOL });
  await manager.connectAll(pids);
  return { manager, client: new ThinClient(machine, manager.bus), spare };
}

async function once({ manager, client, spare }: Crowd): Promise<number> {
  const connection = await client.connectNamespace(spare);
  await manager.release(connection);
  return connection.tookMs;
}
