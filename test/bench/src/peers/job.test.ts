import { step, stepLine } from './job';

test.each([
  { name: 'a command alone', in: step('ip link del x'), want: '\tip\tlink\tdel\tx' },
  {
    name: 'input first, then the environment, then the command',
    in: { command: ['/bin/a', 'b c'], env: { X: '1', Y: '2' }, input: '{"k":1}' },
    want: '{"k":1}\tX=1\tY=2\t/bin/a\tb c',
  },
])('$name', ({ in: job, want }) => {
  expect(stepLine(job)).toBe(want);
});
