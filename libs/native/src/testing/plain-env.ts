import { resolve } from 'node:path';

/** The built addon, for a child to load. */
export const ADDON =
  process.env['PP_ADDON_PATH'] ?? resolve(__dirname, `../../../../dist/native/addon-${process.arch}.node`);

/** The environment for a child whose output is compared: node colours numbers, and warns of it, when a runner forces colours. */
export function plainEnv(): NodeJS.ProcessEnv {
  return { ...process.env, FORCE_COLOR: undefined, NO_COLOR: undefined };
}

/** Whether this process runs under AddressSanitizer (asan.sh). */
export const isSanitized = (process.env['LD_PRELOAD'] ?? '').includes('asan');
