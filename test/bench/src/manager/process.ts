import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Resident memory in MB (10^6 bytes). */
export const residentMb = (pid: number): number => kilobytesOf(`/proc/${pid}/status`, 'VmRSS') * 1024e-6;

/** After a burst a service gives back what that took, once it has had nothing to do for 5 to 10 s (libs/daemon, collectWhenQuiet). */
const REST_MS = 12_000;

/** Resident memory in MB now, and when the process has rested. */
export async function restingMb(pid: number): Promise<{ readonly atOnce: number; readonly atRest: number }> {
  const atOnce = residentMb(pid);
  await delay(REST_MS);
  return { atOnce, atRest: residentMb(pid) };
}

/** That part of it which is no file's, in MB: pages of files, as of the node binary, are shared by all who run it, and the kernel may drop them. */
export const anonymousMb = (pid: number): number => kilobytesOf(`/proc/${pid}/status`, 'RssAnon') * 1024e-6;

/** Resident memory in MB with what is shared divided by those who share it; the node binary is. */
export const proportionalMb = (pid: number): number =>
  kilobytesOf(`/proc/${pid}/smaps_rollup`, 'Pss') * 1024e-6;

export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** getconf CLK_TCK is 100 on all of Linux's architectures that we build for. */
const TICK_SEC = 0.01;

/** CPU seconds that the process has used: utime and stime, proc_pid_stat(5); the name before them may hold blanks. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_SEC;
}

/** CPU seconds of all threads that still run, to the nanosecond: Documentation/scheduler/sched-stats.rst, the first field. */
export function exactCpuSecondsOf(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((thread) =>
    Number(readFileSync(`${tasks}/${thread}/schedstat`, 'latin1').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

function kilobytesOf(file: string, key: string): number {
  const match = new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(readFileSync(file, 'latin1'));
  if (match === null) throw new Error(`${file} has no ${key}`);
  return Number(match[1]);
}
