import type { InterfaceNews, InterfacesView } from '../interface-news';

/** Tells what the test says, when it says it. */
export class ScriptedInterfaces implements InterfaceNews {
  #onView: ((view: InterfacesView) => void) | undefined;

  constructor(private view: InterfacesView = { links: [], addresses: [] }) {}

  start(onView: (view: InterfacesView) => void): Promise<void> {
    this.#onView = onView;
    onView(this.view);
    return Promise.resolve();
  }

  tell(view: InterfacesView): void {
    this.view = view;
    this.#onView?.(view);
  }

  close(): void {
    this.#onView = undefined;
  }
}
