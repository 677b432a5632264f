import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NativeError } from '../api/error';
import type { Native } from '../api/native';
import { openBuilt } from '../load';
import { makeNative } from '../native';

export const native: Native = makeNative(openBuilt());

const counter = openBuilt().attach(NativeError);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const POLL_MS = 5;
const POLLS = 4000;

/** Waits for a condition, by looking again and again; fails with `what` when it stays false (20 s). */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let i = 0; i < POLLS; i++) {
    if (condition()) return;
    await sleep(POLL_MS);
  }
  throw new Error(`never came true: ${what}`);
}

/** What this process has open, as /proc says it, without the listing's own descriptor. */
function openFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined; // the descriptor of this very listing
    }
  });
  return links.filter((link) => link !== undefined).sort();
}

/** Each test of the file must leave, after `cleanUp`, the descriptors and the addon's memory as it found them. */
export function checkLeaks(cleanUp: () => Promise<void> | void = () => undefined): void {
  let files: string[] = [];
  let blocks = 0;

  beforeEach(() => {
    files = openFiles();
    blocks = counter.allocations();
  });

  afterEach(async () => {
    await cleanUp();
    // What was closed is let go of by the loop's next turns, by sending threads and by the collector.
    for (let i = 0; i < 100 && !(same(openFiles(), files) && counter.allocations() <= blocks); i++) {
      collectGarbage();
      await sleep(POLL_MS);
    }
    expect(openFiles()).toEqual(files);
    expect(counter.allocations()).toBeLessThanOrEqual(blocks);
  });
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.join('\n') === others.join('\n');
}

/** `test` where network namespaces may be made, else a skip that says so in its name. */
export const testInNetns: (name: string, run: (() => Promise<void>) | (() => void)) => void = mayCreateNetns()
  ? (name, run) => {
      test(name, run);
    }
  : (name, run) => {
      test.skip(`${name} (skipped: may not create network namespaces here)`, run);
    };

function mayCreateNetns(): boolean {
  if (
    codeOf(() => {
      native.closeFd(native.createNetns());
    }) !== 'no error'
  )
    return false;
  const own = native.openNetns('current');
  native.runInNetns(own, () => undefined); // from here on the thread's own namespace is held open
  native.closeFd(own);
  return true;
}

/** The NativeError that `call` throws, as its code. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (fault) {
    if (fault instanceof NativeError) return fault.code;
    throw fault;
  }
  return 'no error';
}
