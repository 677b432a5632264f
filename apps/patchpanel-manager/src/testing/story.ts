import { accept } from '@pp/base';
import { applyAll, NOTHING, plan } from '@pp/datapath';
import { DesiredState } from '../desired';
import type { World } from '../domain/world';
import type { Manager } from '../manager';
import { FakeHost, Killed } from './fake-host';

export async function started(host: FakeHost): Promise<Manager> {
  const manager = host.manager();
  await manager.start();
  return manager;
}

/** Until all that was submitted so far is done, also what events at hand will submit. */
export async function settled({ reconciler }: Manager): Promise<void> {
  await Promise.resolve();
  await reconciler.submit('nothing', (world) => accept({ world, reply: null }));
}

/** What a kernel without a past looks like in this world, on a host with these links. */
export async function freshDump(
  { world }: { readonly world: World },
  uplinks?: readonly string[],
): Promise<string> {
  const { kernel } = new FakeHost(uplinks);
  await applyAll(kernel, plan(NOTHING, new DesiredState().of(world), world.originals));
  return kernel.dump();
}

/** Whether the manager was killed in it; any other fault is thrown. */
export const isKilled = (story: Promise<unknown>): Promise<boolean> =>
  story.then(
    () => false,
    (fault: unknown) => {
      if (!(fault instanceof Killed)) throw fault;
      return true;
    },
  );

export interface KilledStory {
  readonly story: (host: FakeHost) => Promise<void>;
  /** Where the story is cut, among the steps of journal and kernel. */
  readonly when: 'before' | 'after';
  /** The FD store outlives the manager. */
  readonly keeps: boolean;
  /** Looks at the manager that was started after the kill. */
  readonly look: (manager: Manager, host: FakeHost) => void;
}

/**
 * Tells the story again and again, killed one step later each time. The next start must make the host what the journal says, and its stop
 * must leave the host untouched. Resolves with the number of kills.
 */
export async function killAtEachStep({ story, when, keeps, look }: KilledStory): Promise<number> {
  for (let step = 1; ; step++) {
    const host = new FakeHost();
    const untouched = host.kernel.dump();
    host.killAt(step, when);
    const isTold = !(await isKilled(story(host)));
    if (isTold && !host.wasKilled) return step - 1;
    if (!keeps) host.store.clear();
    const manager = await started(host);
    expect([step, host.kernel.dump()]).toEqual([step, await freshDump(manager)]);
    look(manager, host);
    await manager.stop('clean');
    expect([step, host.kernel.dump()]).toEqual([step, untouched]);
  }
}
