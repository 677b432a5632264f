import { crc32 } from 'node:zlib';
import { put } from '@pp/ports/testing';
import { COMMIT, decodeRecords, encodeBegin } from './record';

const rows = [
  { name: 'nothing', change: put({}), want: '{"do":"begin","put":{},"del":[]}' },
  {
    name: 'several of each, with what JSON escapes',
    change: put({ 'a"b': { deep: [1, null] }, ü: 'line\nbreak' }, 'c/1', 'd\\'),
    want: '{"do":"begin","put":{"a\\"b":{"deep":[1,null]},"ü":"line\\nbreak"},"del":["c/1","d\\\\"]}',
  },
];

test.each(rows)('a change of $name as a line, and back', ({ change, want }) => {
  const line = encodeBegin(change);
  expect(Buffer.from(line).toString()).toBe(`${crc32(want).toString(16).padStart(8, '0')} ${want}\n`);
  const { records, bytes } = decodeRecords(line);
  expect(bytes).toBe(line.length);
  expect(records).toEqual([{ do: 'begin', put: Object.fromEntries(change.put), del: change.del }]);
});

test('the line that says that the kernel followed', () => {
  expect(Buffer.from(COMMIT).toString()).toBe('d059093b {"do":"commit"}\n');
});
