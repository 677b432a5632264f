import { millis, seconds, type Millis } from '@pp/base';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE = millis(20);

type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>;

/**
 * Asks `condition` again and again until it answers something truthy, and returns that. A throw counts as "not yet".
 * After `deadline` (20 s) it throws with `what` and the last throw as its cause.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: { readonly deadline?: Millis } = {},
): Promise<Truthy<T>> {
  const deadline = options.deadline ?? seconds(20);
  const end = performance.now() + deadline;
  for (;;) {
    const answer = await ask(condition);
    if ('value' in answer && answer.value) return answer.value as Truthy<T>;
    if (performance.now() >= end) throw new Error(`not within ${deadline} ms: ${what}`, causeOf(answer));
    await delay(PAUSE);
  }
}

/**
 * Looks again and again until it `isEnough` or the deadline is over: what was seen last either way, for the test to judge, without a look of
 * its own. A throw counts as "not yet"; where there was nothing else, it is the cause of the error.
 */
export async function lastSeen<T>(
  what: string,
  look: () => Promise<T>,
  isEnough: (seen: T) => boolean,
  options: { readonly deadline?: Millis } = {},
): Promise<T> {
  const seen: T[] = [];
  const isSo = async (): Promise<boolean> => isEnough((seen[0] = await look()));
  await until(what, isSo, options).catch((fault: unknown) => {
    if (seen.length === 0) throw fault;
  });
  return seen[0] as T;
}

type Answer<T> = { readonly value: T } | { readonly fault: unknown };

async function ask<T>(condition: () => T | Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await condition() };
  } catch (fault) {
    return { fault };
  }
}

function causeOf(answer: Answer<unknown>): ErrorOptions {
  return 'fault' in answer ? { cause: answer.fault } : {};
}
