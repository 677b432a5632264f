import { accept, type Checked } from '@pp/base';
import type { World } from './world';

/** What a request makes of the world, and its answer. The answer goes out only after the kernel followed. */
export interface Decision<Reply> {
  readonly world: World;
  readonly reply: Reply;
  /** What goes must go: a refusal of the kernel is logged, not undone. */
  readonly goOn?: true | undefined;
}

/** A use case: a pure function of the world. */
export type Decide<Reply> = (world: World) => Checked<Decision<Reply>>;

export const decided = <Reply>(world: World, reply: Reply): Checked<Decision<Reply>> =>
  accept({ world, reply });

/** The same decision, with `answer` in the place of its reply. */
export const answering = <Reply, Answer>(
  decision: Checked<Decision<Reply>>,
  answer: (reply: Reply) => Answer,
): Checked<Decision<Answer>> =>
  decision.ok
    ? accept({
        world: decision.value.world,
        reply: answer(decision.value.reply),
        goOn: decision.value.goOn,
      })
    : decision;
