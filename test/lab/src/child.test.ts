import { millis } from '@pp/base';
import { Child } from './child';

test('output, exit code and signal are told', async () => {
  const child = new Child('sh', ['-c', 'echo out; echo err >&2; exit 3']);
  expect(await child.exited).toEqual({ code: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
  const killed = new Child('sleep', ['infinity']);
  killed.kill('SIGKILL');
  expect(await killed.exited).toMatchObject({ code: null, signal: 'SIGKILL' });
});

test('a command that does not exist ends with 127 and says so', async () => {
  const child = new Child('/nowhere/command', []);
  const { code, stderr } = await child.exited;
  expect([code, stderr]).toEqual([127, expect.stringContaining('ENOENT')]);
  expect(child.isRunning).toBe(false);
});

test('a grandchild that keeps the pipe does not delay the end', async () => {
  const child = new Child('sh', ['-c', 'sleep infinity & echo $!']);
  const { stdout } = await child.exited;
  process.kill(Number(stdout), 'SIGKILL');
  expect(Number(stdout)).toBeGreaterThan(1);
});

test('a line is awaited while the command runs', async () => {
  const child = new Child('sh', ['-c', 'echo starting; echo port 17 >&2; exec cat'], { stdio: 'open' });
  expect(await child.line('port', (line) => /^port (\d+)$/.exec(line)?.[1])).toBe('17');
  await expect(child.line('name', () => undefined, millis(1))).rejects.toThrow(
    /still runs without name[^]*port 17/,
  );
  child.endInput();
  await expect(child.line('name', () => undefined)).rejects.toThrow(/ended without name[^]*starting/);
});

test('stop is SIGTERM first and SIGKILL at last', async () => {
  const polite = new Child('sh', ['-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.01; done']);
  await polite.line('up', (line) => line);
  expect(await polite.stop()).toMatchObject({ code: 7 });
  const deaf = new Child('sh', ['-c', 'trap "" TERM; echo up; while :; do sleep 0.01; done']);
  await deaf.line('up', (line) => line);
  expect(await deaf.stop(millis(50))).toMatchObject({ signal: 'SIGKILL' });
});
