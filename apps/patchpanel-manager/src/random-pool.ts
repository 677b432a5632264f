/** Bytes asked of the generator at once. */
const POOL_BYTES = 512;

/** Random bytes of `draw`, asked for many at a time: its start-up costs more than all else that a MAC address needs. */
export function randomPool(draw: (n: number) => Uint8Array): (n: number) => Uint8Array {
  let left = new Uint8Array();
  return (n) => {
    if (left.length < n) left = Uint8Array.from(draw(Math.max(n, POOL_BYTES)));
    const taken = left.subarray(0, n);
    left = left.subarray(n);
    return taken;
  };
}
