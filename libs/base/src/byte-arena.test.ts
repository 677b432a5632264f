import { ByteArena } from './byte-arena';

const KB = 1024;
const rows = [
  { name: 'a small batch', in: [60, 0, 1500], isShared: true },
  { name: 'one that is too large', in: [60, 20 * KB, 60], isShared: false },
  { name: 'that one again', in: [60, 20 * KB, 60], isShared: true },
  { name: 'larger than any room', in: [600 * KB, 60], isShared: false },
  { name: 'that one again, for which no room is made', in: [600 * KB, 60], isShared: false },
  { name: 'as large as the room was made', in: [512 * KB], isShared: true },
];

test('memory of a batch lies together, and room is made for the next batch of its size', () => {
  const arena = new ByteArena();
  for (const { name, in: lengths, isShared } of rows) {
    const got = lengths.map((length, place) => arena.allocate(length).fill(place));
    expect({ name, isShared: got.every(({ buffer }) => buffer === got[0]?.buffer) }).toEqual({
      name,
      isShared,
    });
    got.forEach((bytes, place) => {
      expect(bytes.length).toBe(lengths[place]);
      expect(bytes.every((byte) => byte === place)).toBe(true);
    });
    arena.reset();
  }
});
