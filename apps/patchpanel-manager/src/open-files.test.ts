import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mostLifelines } from './open-files';

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft.padEnd(20)} 524288               files     \n`;

test.each([
  { name: 'an ordinary limit', in: limits('20000'), want: 6496 },
  { name: 'a low one', in: limits('256'), want: 42 },
  { name: 'none', in: limits('unlimited'), want: 349354 },
  { name: 'no such line', in: '', want: 170 },
])('lifelines under $name', ({ in: text, want }) => {
  expect(mostLifelines(text)).toBe(want);
});

test('systemd keeps as many over a restart as its unit lets be watched', () => {
  const unit = readFileSync(join(__dirname, '../systemd/patchpanel-manager.service'), 'utf8');
  const setting = (name: string): string => new RegExp(`^${name}=(\\d+)$`, 'm').exec(unit)?.[1] ?? '';
  const watched = mostLifelines(limits(setting('LimitNOFILE')));
  expect(Number(setting('FileDescriptorStoreMax'))).toBeGreaterThanOrEqual(watched);
});
