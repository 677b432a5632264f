/*
 * The manager, that kills itself right before or right after its n-th journal write or kernel step: `CRASH_AT=7:before`; or for whom
 * somebody does something when the journal has its start: `THEN='ip rule del pref 1010'`. Bundled by crash.test.ts as any app is; the
 * product has no such switches.
 */
import { execFileSync } from 'node:child_process';
import { runDaemon } from '@pp/daemon';
import type { Kernel, Outcome } from '@pp/datapath';
import type { Journal } from '@pp/ports';
import { SERVICE_SPEC } from 'patchpanel-manager/config';
import { wire } from 'patchpanel-manager/wiring';

const [step = '', when = ''] = (process.env['CRASH_AT'] ?? '').split(':');
let steps = 0;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // until the signal is there
}

let then = process.env['THEN'];

function interfere(): void {
  const script = then;
  then = undefined;
  if (script !== undefined) execFileSync('sh', ['-c', script]);
}

/** Does `act` as one step that may be the last. */
function mortal<T>(act: () => T): T {
  const isLast = String(++steps) === step;
  if (isLast && when === 'before') die();
  const result = act();
  if (isLast && when === 'after' && !(result instanceof Promise)) die();
  return result;
}

/** One step at a time, each awaited: what a kill between two of them leaves. */
const mortalKernel = (kernel: Kernel): Kernel => ({
  observe: (ask) => kernel.observe(ask),
  apply: async (ops) => {
    const outcomes: Outcome[] = [];
    for (const op of ops) {
      if (outcomes.some((outcome) => outcome !== 'done')) {
        outcomes.push('skipped');
        continue;
      }
      const [outcome = 'skipped'] = await mortal(() => kernel.apply([op]));
      if (String(steps) === step) die();
      outcomes.push(outcome);
    }
    return outcomes;
  },
});

const mortalJournal = (journal: Journal): Journal => ({
  load: () => journal.load(),
  begin: (change) => {
    mortal(() => {
      journal.begin(change);
    });
  },
  commit: () => {
    mortal(() => {
      journal.commit();
    });
    interfere();
  },
  erase: () => {
    mortal(() => {
      journal.erase();
    });
  },
  close: () => {
    journal.close();
  },
});

void runDaemon(SERVICE_SPEC, (context) => wire(context, { kernel: mortalKernel, journal: mortalJournal }));
