import { stateDirAdvice } from './state-dir-advice';

const rows = [
  { name: 'no right to', code: 'EACCES', want: 'run it as root or use another --state-dir' },
  { name: 'no capability', code: 'EPERM', want: 'run it as root or use another --state-dir' },
  { name: 'a full disk', code: 'ENOSPC', want: 'make room in /run/pp or use another --state-dir' },
  { name: 'a used up quota', code: 'EDQUOT', want: 'make room in /run/pp or use another --state-dir' },
  { name: 'anything else', code: 'EROFS', want: 'use another --state-dir' },
];
test.each(rows)('$name', ({ code, want }) => {
  expect(stateDirAdvice(code, '/run/pp')).toBe(want);
});
