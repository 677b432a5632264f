import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endProcess, hasEnvironment, identify, isAlive, namespaceOf, processesWhere } from './process-table';
import { until } from './until';

test('a process is known by pid and start time, and by its environment', async () => {
  const child = spawn('sleep', ['infinity'], { env: { ...process.env, PP_PROCESS_TABLE: 'yes' } });
  const pid = child.pid ?? 0;
  await until('sleep runs', () => hasEnvironment(pid, 'PP_PROCESS_TABLE', 'yes'));
  const identity = identify(pid) ?? { pid: 0, startTicks: '' };
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTicks: '1' })).toBe(false);
  expect(processesWhere((each) => hasEnvironment(each, 'PP_PROCESS_TABLE', 'yes'))).toEqual([identity]);

  endProcess({ ...identity, startTicks: '1' }); // another process of the same pid: nothing happens
  expect(isAlive(identity)).toBe(true);
  endProcess(identity);
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  expect(identify(pid)).toBeUndefined();
  endProcess(identity); // gone: nothing happens
});

test('namespaces have names', () => {
  expect(namespaceOf('self', 'net')).toMatch(/^net:\[\d+\]$/);
  expect(namespaceOf(process.pid, 'mnt')).toBe(namespaceOf('self', 'mnt'));
  expect(namespaceOf(2 ** 30, 'net')).toBeUndefined();
});
