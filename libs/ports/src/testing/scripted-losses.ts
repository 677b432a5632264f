import type { DatapathLoss, DatapathNews } from '../datapath-news';

/** Tells what the test says, when it says it. */
export class ScriptedLosses implements DatapathNews {
  #onLoss: ((loss: DatapathLoss) => void) | undefined;

  start(onLoss: (loss: DatapathLoss) => void): Promise<void> {
    this.#onLoss = onLoss;
    return Promise.resolve();
  }

  tell(...losses: readonly DatapathLoss[]): void {
    for (const loss of losses) this.#onLoss?.(loss);
  }

  close(): void {
    this.#onLoss = undefined;
  }
}
