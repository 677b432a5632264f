import { repository } from '@pp/lab';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = {
  'bcast-floor': 'floor',
  'connect-floor': 'floor',
  'release-floor': 'floor',
  'termina-floor': 'floor',
  'await-links-gone': 'tools',
  'bcast-traffic': 'tools',
  'connect-client': 'tools',
  'hold-namespaces': 'tools',
  'mcast-traffic': 'tools',
  'nd-traffic': 'tools',
  'run-steps': 'tools',
  'tap-pump': 'tools',
  'tcp-load': 'tools',
  traffic: 'tools',
} as const;

export type Program = keyof typeof SOURCES;

/** Where the compiled programs lie. */
const BUILT = repository('dist', 'bench');

/** Compiles the C programs of this folder with cc, anew each time. Throws with the compiler's words. */
export function compilePrograms(): void {
  mkdirSync(BUILT, { recursive: true });
  for (const [name, folder] of Object.entries(SOURCES)) {
    const source = repository('test', 'bench', 'src', folder, `${name}.c`);
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-D_GNU_SOURCE', '-o', join(BUILT, name), source]);
  }
}

export const programPath = (name: Program): string => join(BUILT, name);
