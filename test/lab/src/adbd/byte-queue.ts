/** Bytes that arrive in pieces and are taken in others. */
export class ByteQueue {
  #pieces: Buffer[] = []; // BOUNDED: by the sender, who waits for an answer to each piece
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Buffer): void {
    this.#pieces.push(Buffer.from(piece));
    this.#length += piece.length;
  }

  /** The next `length` bytes, which stay; null where there are fewer. */
  peek(length: number): Buffer | null {
    if (this.#length < length) return null;
    if ((this.#pieces[0]?.length ?? 0) < length) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]?.subarray(0, length) ?? Buffer.alloc(0);
  }

  /** As `peek`, and they go. */
  take(length: number): Buffer | null {
    const taken = this.peek(length);
    const [first] = this.#pieces;
    if (taken === null || first === undefined) return taken;
    if (first.length === length) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(length);
    this.#length -= length;
    return taken;
  }
}
