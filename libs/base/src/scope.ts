type Undo = () => void | Promise<void>;

/**
 * Owns what was acquired: `use` and `defer` register an undo in the statement that acquires; `close` runs them in reverse, all of
 * them, and reports every fault. What arrives after `close` is undone at once.
 */
export class Scope {
  readonly #undos: Undo[] = []; // BOUNDED: one entry per acquisition in the source text of a main
  #closed = false;

  use<T extends { close(): void | Promise<void> }>(resource: T): T {
    this.defer(() => resource.close());
    return resource;
  }

  defer(undo: Undo): void {
    if (this.#closed) void undo();
    else this.#undos.push(undo);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const faults: unknown[] = [];
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
      try {
        await undo();
      } catch (fault) {
        faults.push(fault);
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, 'closing');
  }
}
