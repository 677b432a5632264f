/**
 * `tsx tools/bundle.ts APP` makes one executable file of apps/APP: dist/bin/APP, with everything in it but node itself.
 * In the source `__PP_VERSION__` is the app's version and `__PP_ADDON__` the addon in base64.
 */
import { build, type Metafile, type Plugin } from 'esbuild';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { withSharedShapes } from './shared-shapes';

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

const ROOT = resolve(import.meta.dirname, '..');
const ADDON_LOADER = 'libs/native/src/load.ts';

async function main(app: string | undefined): Promise<void> {
  const entry = join('apps', app ?? '', 'src/main.ts');
  if (app === undefined || !existsSync(join(ROOT, entry)))
    throw new Error(`usage: bundle.ts APP, one of ${apps().join(', ')}`);
  const embedded = addon();
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: join(ROOT, 'dist/bin', app),
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true, // names stay, for stacks that can be read
    legalComments: 'none', // whole licences are added below
    banner: { js: '#!/usr/bin/env node' },
    define: {
      __PP_VERSION__: JSON.stringify(readPackage(join('apps', app)).version),
      __PP_ADDON__: JSON.stringify(embedded),
    },
    plugins: [withoutLogThreads, builtinsLater],
    logLevel: 'warning',
  });
  if (metafile.inputs[ADDON_LOADER] !== undefined && embedded === '')
    throw new Error(`${ADDON} is missing: nx run @pp/native:addon`);
  const code = withSharedShapes(outputFiles[0]?.text ?? '');
  writeExecutable(join(ROOT, 'dist/bin', app), code + licences(bundledPackages(metafile)));
}

const ADDON = `dist/native/addon-${process.arch}.node`;

/** The addon as text, or nothing where it was not built: not every app needs it. */
function addon(): string {
  return existsSync(join(ROOT, ADDON)) ? readFileSync(join(ROOT, ADDON), 'base64') : '';
}

/** pino's way to write by threads, which we do not: node's modules for threads cost memory when they are merely loaded. */
const withoutLogThreads: Plugin = {
  name: 'without-log-threads',
  setup(bundle) {
    bundle.onResolve({ filter: /^thread-stream$/ }, () => ({ path: 'thread-stream', namespace: 'threads' }));
    bundle.onResolve({ filter: /^worker_threads$/ }, ({ importer }) =>
      importer.includes('/pino/') ? { path: 'worker_threads', namespace: 'threads' } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'threads' }, () => ({
      contents: 'module.exports = { isMainThread: true };',
    }));
  },
};

/**
 * Modules of node that libraries load at their start and services hardly ever use: commander starts no programs of ours, and sonic-boom
 * asserts what holds. They load node's streams and sockets in turn, 1 MB that a daemon would keep. So a member loads its module when it is
 * first asked for; `assert` is a function itself.
 */
const builtinsLater: Plugin = {
  name: 'builtins-later',
  setup(bundle) {
    bundle.onResolve({ filter: /^(node:)?(assert|child_process)$/ }, ({ path, namespace }) =>
      namespace === 'later'
        ? { path, external: true }
        : { path: path.replace('node:', ''), namespace: 'later' },
    );
    bundle.onLoad({ filter: /.*/, namespace: 'later' }, ({ path }) => ({ contents: laterModule(path) }));
  },
};

function laterModule(name: string): string {
  const members = Object.keys(createRequire(import.meta.url)(name) as object);
  const getters = members.map((member) => `${member}: { enumerable: true, get: () => load().${member} }`);
  return `
    const load = () => require('node:${name}');
    module.exports = Object.defineProperties((...given) => load()(...given), { ${getters.join(', ')} });`;
}

function apps(): readonly string[] {
  return readdirSync(join(ROOT, 'apps')).filter((app) => existsSync(join(ROOT, 'apps', app, 'src/main.ts')));
}

function readPackage(dir: string): PackageJson {
  return JSON.parse(readFileSync(join(ROOT, dir, 'package.json'), 'utf8')) as PackageJson;
}

/** Folders of the packages of others that the bundle took code from. */
function bundledPackages(metafile: Metafile): readonly string[] {
  const folders = Object.keys(metafile.inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
  );
  return [...new Set(folders)].sort();
}

function licences(folders: readonly string[]): string {
  const texts = folders.map((folder) => {
    const { name, version, license } = readPackage(folder);
    const file = readdirSync(join(ROOT, folder)).find((each) => /^(licen[cs]e|copying)(\.|$)/i.test(each));
    const text =
      file === undefined
        ? `Licence: ${license ?? 'not stated'}`
        : readFileSync(join(ROOT, folder, file), 'utf8').trim();
    return `${name} ${version}\n\n${text}`;
  });
  const own = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim();
  return `/*\n${[own, ...texts].join('\n\n----\n\n').replaceAll('*/', '* /')}\n*/\n`;
}

/** Whole or not at all: the file may be running. */
function writeExecutable(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(`${path}.part`, text);
  chmodSync(`${path}.part`, 0o755);
  renameSync(`${path}.part`, path);
  process.stdout.write(`${path} ${Math.ceil(statSync(path).size / 1024)} KiB\n`);
}

main(process.argv[2]).catch((fault: unknown) => {
  process.stderr.write(`bundle.ts: ${fault instanceof Error ? fault.message : String(fault)}\n`);
  process.exitCode = 1;
});
