/** BOUNDED: of so many runs of nft(8) nobody has been told. */
const MAX_RUNS = 8;

/**
 * By which netlink ports this process edits nftables, so that what it is told of its own edits can be told from others': its own socket,
 * and the nft(8) that it runs, whose port is its process id (netlink_autobind) and which commits once.
 */
export class NftWriters {
  #socket: number | null = null;
  readonly #runs = new Map<number, 'running' | 'ended'>();

  get socket(): number | null {
    return this.#socket;
  }

  socketOpened(portId: number): void {
    this.#socket = portId;
  }

  nftStarted(pid: number): void {
    this.#runs.set(pid, 'running');
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > MAX_RUNS && oldest !== undefined) this.#runs.delete(oldest);
  }

  nftEnded(pid: number, hasCommitted: boolean): void {
    if (!hasCommitted) this.#runs.delete(pid);
    else if (this.#runs.has(pid)) this.#runs.set(pid, 'ended');
  }

  /** A commit was told of: whether it was ours. A process id is forgotten then, for it may become somebody else's. */
  committed(portId: number): boolean {
    return this.#runs.delete(portId) || portId === this.#socket;
  }

  /** Whoever listens hears of no commit before this. */
  listening(): void {
    for (const [pid, state] of this.#runs) if (state === 'ended') this.#runs.delete(pid);
  }
}
