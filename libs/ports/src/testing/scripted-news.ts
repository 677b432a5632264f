import type { NetworkNews, NetworkView } from '../network-news';

/** Tells what the test says, when it says it. */
export class ScriptedNews implements NetworkNews {
  #onView: ((view: NetworkView) => void) | undefined;

  constructor(private view: NetworkView) {}

  start(onView: (view: NetworkView) => void): Promise<void> {
    this.#onView = onView;
    onView(this.view);
    return Promise.resolve();
  }

  tell(view: NetworkView): void {
    this.view = view;
    this.#onView?.(view);
  }

  close(): void {
    this.#onView = undefined;
  }
}
