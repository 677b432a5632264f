import { readFileSync } from 'node:fs';
import { checkLeaks, native } from './testing/harness';

checkLeaks();

/** Kilobytes of files that are mapped and present; node's own file is most of them. */
function residentFileKb(): number {
  return Number(/^RssFile:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
}

test('pages of programs are unmapped, and what is used comes back', () => {
  const before = residentFileKb();
  native.trimMemory();
  const after = residentFileKb();
  native.trimMemory();
  expect(after).toBeLessThan(before * 0.8);
  expect(JSON.parse('{"works":["on"]}')).toEqual({ works: ['on'] });
});
