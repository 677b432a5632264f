import { totalsOf, worthAnother } from './test-report';

/** What `npm test` makes of the output of its run: what failed, and what is run once more. */

const PASSED = '@pp/base: Tests:       5 passed, 5 total';
const failedIn = (...paths: readonly string[]): readonly string[] => [
  ...paths.map((path) => `@pp/system: FAIL src/${path}.test.ts (24.34 s)`),
  `@pp/system: Tests:       ${paths.length} failed, 1 skipped, 405 passed, 9 total`,
];
const TASK = ['Failed tasks:', '', '- @pp/system:test'];
const file = (name: string) => ({ project: '@pp/system', path: `src/${name}.test.ts` });

const rows = [
  {
    name: 'all passed',
    in: [PASSED],
    totals: { passed: 5, failed: 0, failedTests: 0, skipped: 0 },
    again: [],
  },
  {
    name: 'a failed file explains its task; its second mention is the same file',
    in: [PASSED, ...failedIn('dns'), '@pp/system: FAIL src/dns.test.ts', ...TASK],
    totals: { passed: 410, failed: 1, failedTests: 1, skipped: 1 },
    again: [file('dns')],
  },
  {
    name: 'colours do not matter',
    in: [`\u001b[31m@pp/system: FAIL\u001b[0m src/dns.test.ts`, ...failedIn().slice(-1), ...TASK],
    totals: { passed: 405, failed: 1, failedTests: 0, skipped: 1 },
    again: [],
  },
  {
    name: 'three files are few',
    in: [...failedIn('a', 'b', 'c'), ...TASK],
    totals: { passed: 405, failed: 3, failedTests: 3, skipped: 1 },
    again: [file('a'), file('b'), file('c')],
  },
  {
    name: 'four are not',
    in: [...failedIn('a', 'b', 'c', 'd'), ...TASK],
    totals: { passed: 405, failed: 4, failedTests: 4, skipped: 1 },
    again: [],
  },
  {
    name: 'a run that broke off without a summary is a failure, and not run again',
    in: [PASSED, '@pp/system: FAIL src/dns.test.ts', ...TASK],
    totals: { passed: 5, failed: 1, failedTests: 0, skipped: 0 },
    again: [],
  },
  {
    name: 'another task that failed is not mended by running a test again',
    in: [...failedIn('dns'), ...TASK, '- ndproxy:build'],
    totals: { passed: 405, failed: 2, failedTests: 1, skipped: 1 },
    again: [],
  },
];

test.each(rows)('$name', ({ in: lines, totals, again }) => {
  const output = lines.join('\n');
  expect([totalsOf(output), worthAnother(output)]).toEqual([totals, again]);
});
