import { existsSync, mkdtempSync, realpathSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Native } from './api/native';
import { makeNative } from './native';
import type { AddonFile } from './raw';

/**
 * The addon's bytes in base64, put here by whoever bundles an app (tools/bundle.ts):
 * esbuild `define: { __PP_ADDON__: JSON.stringify(readFileSync(addonPath).toString('base64')) }`. Absent when run from source.
 */
declare const __PP_ADDON__: string | undefined;

const FILE = `addon-${process.arch}.node`;

/** Where an app's addon may be unpacked besides its state directory; each may be mounted noexec, hence several. */
const FALLBACKS = ['/run', '/dev/shm', '/tmp', '/var/tmp'];

export interface LoadOptions {
  /** The first directory to unpack to. */
  readonly stateDir?: string;
}

/** No place was left to load the addon from; the message is one line that names each place and why not. */
export class AddonLoadError extends Error {
  override readonly name = 'AddonLoadError';
}

/**
 * Loads the addon. An app takes `addon-<arch>.node` beside its own file, else what the bundle holds; source (tests, tsx) takes what
 * `nx addon @pp/native` built, or the file named by PP_ADDON_PATH. Load once and pass it on. Throws AddonLoadError.
 */
export function loadNative(options: LoadOptions = {}): Native {
  const bundled = typeof __PP_ADDON__ === 'string' ? __PP_ADDON__ : undefined;
  return makeNative(bundled === undefined ? openBuilt() : openBundled(bundled, options));
}

function openAddon(path: string): AddonFile {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as AddonFile;
}

/** The addon of the workspace, or of PP_ADDON_PATH; a new instance on each call. */
export function openBuilt(): AddonFile {
  const path = process.env['PP_ADDON_PATH'] ?? resolve(__dirname, '../../../dist/native', FILE);
  if (!existsSync(path))
    throw new AddonLoadError(`${path} does not exist; build it: npx nx addon @pp/native`);
  return openAddon(path);
}

function openBundled(base64: string, { stateDir }: LoadOptions): AddonFile {
  const refusals: string[] = [];
  const attempt = (place: string, open: () => AddonFile): AddonFile | undefined => {
    try {
      return open();
    } catch (fault) {
      refusals.push(`${place}: ${fault instanceof Error ? fault.message : String(fault)}`);
      return undefined;
    }
  };
  const beside = besideBinary();
  const opened = beside === undefined ? undefined : attempt(beside, () => openAddon(beside));
  if (opened !== undefined) return opened;
  for (const directory of stateDir === undefined ? FALLBACKS : [stateDir, ...FALLBACKS]) {
    const unpacked = attempt(directory, () => openUnpacked(directory, base64));
    if (unpacked !== undefined) return unpacked;
  }
  throw new AddonLoadError(`no directory to load the addon from: ${refusals.join('; ')}`);
}

function besideBinary(): string | undefined {
  const binary = process.argv[1];
  if (binary === undefined || !existsSync(binary)) return undefined;
  const path = join(dirname(realpathSync(binary)), FILE);
  return existsSync(path) ? path : undefined;
}

/** In a directory of our own (mode 0700), so that nobody can put another file in its place; gone again on return. */
function openUnpacked(parent: string, base64: string): AddonFile {
  const directory = mkdtempSync(join(parent, 'patchpanel-addon-'));
  const path = join(directory, FILE);
  try {
    writeFileSync(path, Buffer.from(base64, 'base64'), { mode: 0o500, flag: 'wx' });
    return openAddon(path);
  } finally {
    if (existsSync(path)) unlinkSync(path);
    rmdirSync(directory);
  }
}
