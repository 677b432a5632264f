/** Bytes asked of the generator at once. */
const POOL_BYTES = 512;

/** Random bytes of `draw`, asked for many at a time: its start-up costs more than all else that a MAC address needs. */
export function randomPool(draw: (n: number) => Uint8Array): (n: number) => Uint8Array {
  let pool = new Uint8Array();
  let given = 0;
  return (n) => {
    if (pool.length - given < n) {
      pool = Uint8Array.from(draw(Math.max(n, POOL_BYTES)));
      given = 0;
    }
    given += n;
    return pool.subarray(given - n, given);
  };
}
