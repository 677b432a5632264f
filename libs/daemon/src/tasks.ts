import type { Task } from '@pp/base';

/** The message is the task's name; the cause says what happened. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
}

/** Each is called at most once. */
export interface TaskHooks {
  /** Every task serves. */
  readonly onReady: () => void;
  /** The tasks were told to end. */
  readonly onStopping: () => void;
}

/**
 * Runs tasks until `stop` or until the first of them fails or ends on its own, which stops all; resolves when all have ended.
 * Rejects with the failures.
 */
export async function runTasks(tasks: readonly Task[], stop: AbortSignal, hooks: TaskHooks): Promise<void> {
  if (stop.aborted) return; // main was still at work: tasks hear of an abort, not of one that was
  const fault = new AbortController();
  const signal = AbortSignal.any([stop, fault.signal]);
  signal.addEventListener('abort', hooks.onStopping);
  const running = tasks.map((task) => runTask(task, signal, fault));
  void Promise.all(tasks.map((task) => task.ready)).then(
    () => {
      if (!signal.aborted) hooks.onReady();
    },
    () => undefined, // runTask reports it
  );
  const outcomes = await Promise.allSettled(running);
  const faults = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  if (faults.length === 1) throw faults[0];
  if (faults.length > 1) throw new AggregateError(faults, 'several parts failed');
}

async function runTask(task: Task, signal: AbortSignal, fault: AbortController): Promise<void> {
  try {
    await Promise.race([task.run(signal), failureOf(task.ready)]);
    if (!signal.aborted) throw new Error('ended early'); // a silent part is a broken part
  } catch (cause) {
    fault.abort();
    throw new TaskFailed(task.name, { cause });
  }
}

/** Rejects with `promise`, and stays pending when it resolves. */
function failureOf(promise: Promise<void>): Promise<never> {
  return promise.then(() => new Promise<never>(() => undefined));
}
