import { seconds, type Clock } from '@pp/base';
import type { MemoryNative } from '@pp/native';

const INTERVAL = seconds(5);
/** Of one CPU, over an interval; a collection stops everything for 10 to 20 ms, for longer where much is alive. */
const QUIET_SHARE = 0.05;
/** Worth a collection also where there was no burst. */
const WORTH_BYTES = 2 << 20;

/** What is looked at: CPU time so far in ms, and bytes that V8 holds for its heap, in use or not. */
export interface HeapUse {
  cpuMs(): number;
  heldBytes(): number;
}

/**
 * Gives back what a burst, or the start, has left. By itself V8 lets the old generation of a small heap grow to several times what is
 * alive in it before it collects there for the first time, and a service that rests then keeps that for weeks.
 */
export function collectWhenQuiet(
  native: Pick<MemoryNative, 'collectGarbage'>,
  clock: Clock,
  use: HeapUse = thisProcess,
): void {
  let keptBytes = 0;
  let cpuBefore = use.cpuMs();
  let isAfterBurst = false;
  const look = (): void => {
    const cpu = use.cpuMs();
    const isQuiet = cpu - cpuBefore < INTERVAL * QUIET_SHARE;
    cpuBefore = cpu;
    if (!isQuiet) isAfterBurst = true;
    else if (isAfterBurst || use.heldBytes() - keptBytes > WORTH_BYTES) {
      native.collectGarbage();
      keptBytes = use.heldBytes();
      isAfterBurst = false;
    }
    clock.after('heap', INTERVAL, look);
  };
  clock.after('heap', INTERVAL, look);
}

const thisProcess: HeapUse = {
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  heldBytes: () => process.memoryUsage().heapTotal,
};
