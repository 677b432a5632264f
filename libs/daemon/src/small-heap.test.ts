import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(__dirname, 'testing/young-generation.ts');
const young = (how: string): number =>
  Number(execFileSync(process.execPath, ['--import', 'tsx', PROGRAM, how], { encoding: 'utf8' }));

test('the young generation stays as small as it was at the start', () => {
  expect(young('small')).toBeLessThan(8 << 20);
  expect(young('as it comes')).toBeGreaterThan(16 << 20);
});
