import type { Bed } from '../bed/bed';
import { Manager } from '../manager/manager';
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
  const once = async (manager: Manager, pid: number): Promise<number> => {
    const connection = await manager.connect(pid);
    await manager.release(connection);
    return connection.tookMs;
  };
  const samples = await interleave(
    rounds,
    { many: () => once(many.manager, many.spare), few: () => once(few.manager, few.spare) },
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

/** A machine with `count` namespaces connected, and one more namespace to try with. */
async function crowd(
  bed: Bed,
  name: string,
  count: number,
): Promise<{ readonly manager: Manager; readonly spare: number }> {
  const [spare = 0, ...pids] = await bed.namespaces(count + 1);
  const manager = await Manager.start(bed, await bed.machine(name), { args: POOL });
  await manager.connectAll(pids);
  return { manager, spare };
}
