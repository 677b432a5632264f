import { timeUntilGone, type Bed, type Machine } from '../bed/bed';
import { LineProgram } from '../bed/line-program';
import { programPath } from '../bed/programs';
import { Client } from '../manager/client';
import { Manager } from '../manager/manager';
import { atMost, type Row } from '../report/row';
import { short, spreadText } from '../report/table';
import { interleave, pairRatios, type Contender } from '../stats/interleave';
import { spreadOf } from '../stats/spread';
import { POOL } from './pool';
import { progress, type Figure, type Settings } from './figure';

const COUNT = 200;

/** Many clients end at once, and others go on asking. */
export const releaseFigure: Figure = {
  name: 'release',
  about: `${COUNT} namespaces released at once against a bulk delete, and calls answered meanwhile`,
  measure,
};

/** One release of all: how long, and the latency of each call that was answered before its end. */
interface Release {
  readonly tookMs: number;
  readonly latencies: readonly number[];
}

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 3 : 11;
  const pids = await bed.namespaces(COUNT);
  const machine = await bed.machine('manager');
  const manager = await Manager.start(bed, machine, { args: POOL });
  const asker = await Client.open(manager.bus.outside);
  const releases: Release[] = [];
  const ours: Contender = async () => {
    const release = await releaseAll(manager, asker, pids);
    releases.push(release);
    return release.tookMs;
  };
  const floor = floorOf(await bed.machine('floor'), pids);
  const samples = await interleave(rounds, { ours, floor }, progress(settings, 'release', rounds));
  asker.close();
  await manager.stop();
  return rowsOf(samples, releases);
}

function floorOf(machine: Machine, pids: readonly number[]): Contender {
  const program = new LineProgram(machine.host, programPath('release-floor'), pids.map(String));
  return async () => {
    await program.ask('make');
    let released: Promise<string> | undefined;
    const tookMs = await timeUntilGone(machine, COUNT, () => (released = program.ask('release')));
    await released;
    return tookMs;
  };
}

async function releaseAll(manager: Manager, asker: Client, pids: readonly number[]): Promise<Release> {
  const connections = await manager.connectAll(pids);
  const latencies: number[] = [];
  let isGone = false;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    for (;;) {
      const latency = await asker.refusal();
      if (isGone) return;
      latencies.push(latency);
    }
  };
  const tookMs = await timeUntilGone(manager.machine, COUNT, () => {
    for (const connection of connections) connection.release();
    asking = ask();
  });
  isGone = true;
  await asking;
  return { tookMs, latencies };
}

function rowsOf(
  samples: Readonly<Record<'ours' | 'floor', readonly number[]>>,
  releases: readonly Release[],
): readonly Row[] {
  const spread = spreadOf(pairRatios(samples.ours, samples.floor));
  const waits = spreadOf(releases.map(({ tookMs, latencies }) => Math.max(...latencies) / tookMs));
  const all = releases.flatMap(({ latencies }) => latencies);
  const answered = releases.map(({ latencies }) => latencies.length);
  return [
    {
      name: `release: ${COUNT} at once, times the bulk-delete floor`,
      measured: spread.median,
      unit: 'x',
      goal: atMost(5),
      spread,
      details: [
        `ours, from closing the lifelines to the last link gone: ${spreadText(spreadOf(samples.ours), 'ms')}`,
        `C, regroup and delete by group in one request: ${spreadText(spreadOf(samples.floor), 'ms')}`,
        'limit: the kernel, which waits for all CPUs to have let go of the links',
      ],
    },
    {
      name: 'release: the same, three times in four',
      measured: spread.upper,
      unit: 'x',
      goal: atMost(5),
      spread,
      details: ['a release that is not done in bulk takes twenty times as long, and a median would hide it'],
    },
    {
      name: 'release: worst wait of a call meanwhile, share of the release',
      measured: waits.median,
      unit: '',
      goal: atMost(0.5),
      spread: waits,
      details: [
        `malformed ConnectNamespace calls one after the other by another client: ${spreadText(spreadOf(all), 'ms')}`,
        `answered before the last link was gone: ${Math.min(...answered)} to ${Math.max(...answered)} a release; worst of all ${short(Math.max(...all))} ms`,
      ],
    },
  ];
}
