import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory in MB (10^6 bytes). */
export const residentMb = (pid: number): number => kilobytesOf(`/proc/${pid}/status`, 'VmRSS') * 1024e-6;

/** Resident memory in MB with what is shared divided by those who share it; the node binary is. */
export const proportionalMb = (pid: number): number =>
  kilobytesOf(`/proc/${pid}/smaps_rollup`, 'Pss') * 1024e-6;

export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

function kilobytesOf(file: string, key: string): number {
  const match = new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(readFileSync(file, 'latin1'));
  if (match === null) throw new Error(`${file} has no ${key}`);
  return Number(match[1]);
}
