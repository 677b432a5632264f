import { COLUMNS, ReceivedFrames } from './received';

/** What came, one frame after the other, each where the first of a batch lies; `isSame`: as the view before. */
const rows = [
  { name: 'the first', in: [1, 2, 3], isSame: false },
  { name: 'another of that length', in: [4, 5, 6], isSame: true },
  { name: 'a longer one', in: [7, 8, 9, 10], isSame: false },
  { name: 'a shorter one', in: [11], isSame: false },
  { name: 'none at all', in: [], isSame: false },
  { name: 'as long as the first again', in: [12, 13, 14], isSame: false },
];

test('a view of a frame is used again as long as it fits, and always shows what came last', () => {
  const [scratch, table] = [new Uint8Array(64), new Int32Array(2 * COLUMNS)];
  const frames = new ReceivedFrames({ scratch, table }).holding(2);
  table.set([0, 0], 0);
  table.set([32, 2], COLUMNS);
  scratch.set([21, 22], 32);
  let before: Uint8Array | null = null;
  for (const { in: bytes, isSame } of rows) {
    scratch.set(bytes);
    table[1] = bytes.length;
    const frame = frames.frame(0);
    expect([...frame]).toEqual(bytes);
    expect(frame === before).toBe(isSame);
    expect([...frames.frame(1)]).toEqual([21, 22]);
    before = frame;
  }
});
