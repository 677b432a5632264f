import { setTimeout as delay } from 'node:timers/promises';
import type { Bed } from '../bed/bed';
import { Manager } from '../manager/manager';
import { proportionalMb, residentMb } from '../manager/process';
import { hoped, type Row } from '../report/row';
import { short } from '../report/table';
import { spreadOf } from '../stats/spread';
import { progress, type Figure, type Settings } from './figure';

/** How soon the manager serves, and how much memory it takes. */
export const startFigure: Figure = {
  name: 'start',
  about: 'manager: exec to name owned, and resident memory',
  measure,
};

const IDLE_MS = 500;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const rounds = settings.quick ? 3 : 15;
  const machine = await bed.machine('manager');
  const bus = await bed.bus(machine);
  const [starts, resident, proportional]: [number[], number[], number[]] = [[], [], []];
  const told = progress(settings, 'start', rounds);
  for (let round = 0; round < rounds; round++) {
    const manager = await Manager.startOn(machine, bus, {});
    await delay(IDLE_MS);
    starts.push(manager.startMs);
    resident.push(residentMb(manager.pid));
    proportional.push(proportionalMb(manager.pid));
    await manager.stop();
    told(round);
  }
  const [time, memory, share] = [spreadOf(starts), spreadOf(resident), spreadOf(proportional)];
  return [
    {
      name: 'start: exec to name owned',
      measured: time.median,
      unit: 'ms',
      goal: hoped(250),
      spread: time,
      details: ['with nsenter and setpriv before it, about 3 ms; limit: node itself, about 40 ms'],
    },
    {
      name: 'start: resident memory',
      measured: memory.median,
      unit: 'MB',
      goal: hoped(80),
      spread: memory,
      details: [
        `idle for ${IDLE_MS} ms after its first answer; ${short(share.median)} MB with shared pages divided by their users`,
        'limit: node itself, about 41 MB, most of it shared between all services',
      ],
    },
  ];
}
