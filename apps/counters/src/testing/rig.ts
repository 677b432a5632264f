import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis, seconds } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { CountedElement } from '@pp/ports';
import { FakeCounterTable } from '@pp/ports/testing';
import { RecordLog } from '@pp/state';
import type { Counted } from '../core/accounts';
import type { TrafficRow } from '../core/traffic-table';
import { CounterService } from '../counter-service';
import type { Doors, Settings } from '../doors';

type Key = Pick<CountedElement, 'set' | 'ifname' | 'uplink' | 'mark' | 'family'>;

export const ARC_MARK = 0x2000;
export const VM_MARK = 0x2100;

/** A packet that comes in by, or leaves by, an uplink. */
export const byUplink = (
  set: 'uplink_rx' | 'uplink_tx',
  ifname: string,
  mark = 0,
  family: 4 | 6 = 4,
): Key => ({
  set,
  ifname,
  uplink: ifname,
  mark,
  family,
});

export const byGuest = (
  set: 'guest_rx' | 'guest_tx',
  ifname: string,
  uplink: string,
  mark = VM_MARK,
): Key => ({
  set,
  ifname,
  uplink,
  mark,
  family: 4,
});

export const COUNTED: Counted = {
  uplinks: [
    { ifname: 'eth0', vpn: false },
    { ifname: 'tun0', vpn: true },
  ],
  links: [{ ifname: 'vmtap0', guest: 'termina/5' }],
};

const SETTINGS: Settings = { period: seconds(10), setSize: 16, onExit: 'keep' };
/** 2026-11-21T14:00:00Z */
export const START = Date.UTC(2026, 10, 21, 14);

/** A kernel and a history file that outlive the service. */
export class Rig {
  readonly table = new FakeCounterTable();
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  readonly directory = mkdtempSync(join(tmpdir(), 'pp-counters-'));
  readonly path = join(this.directory, 'traffic');
  wall = START;
  #ids = 0;

  /** A service on the same kernel and file; the one before it is dropped as by a kill -9, or was stopped. */
  open(settings: Partial<Settings> = {}, onSample: Doors['onSample'] = () => undefined): CounterService {
    return new CounterService(
      {
        table: this.table,
        clock: this.clock,
        log: this.log,
        wall: () => this.wall,
        history: new RecordLog(this.path),
        newId: () => `id${++this.#ids}`,
        onSample,
      },
      { ...SETTINGS, ...settings },
    );
  }

  async started(settings: Partial<Settings> = {}, onSample?: Doors['onSample']): Promise<CounterService> {
    const service = this.open(settings, onSample);
    await service.start();
    this.clock.advance(millis(0)); // the first look for damage
    await service.setCounted(COUNTED);
    return service;
  }

  /** Time passes, and what it set off has been done. */
  async advance(ms: number, service: CounterService): Promise<void> {
    this.wall += ms;
    this.clock.advance(millis(ms));
    await service.setCounted(COUNTED); // its turn comes after everything that waits
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** "eth0 ARC? v4 rx 100/1 tx 0/0", guests before the uplink; in the order of the words. */
export const rowWords = (rows: Iterable<TrafficRow>): readonly string[] =>
  Array.from(
    rows,
    ({ guest, uplink, source, family, rxBytes, rxPackets, txBytes, txPackets }) =>
      `${guest === '' ? '' : `${guest} `}${uplink} ${source} v${family} rx ${rxBytes}/${rxPackets} tx ${txBytes}/${txPackets}`,
  ).sort();
