/**
 * Compiles the addon: `node build.mjs [--arch x64|arm64] [--asan] [--out DIR]` leaves DIR/addon-<arch>[-asan].node.
 * DIR is dist/native of the workspace for the plain addon of this machine, which nx keeps and clears; else dist/addons.
 * Needs a C compiler and the headers of Node-API and libuv, nothing else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));

/** Compilers by node's name of the architecture. */
const COMPILERS = {
  x64: { compiler: 'x86_64-linux-gnu-gcc', debian: 'gcc-x86-64-linux-gnu' },
  arm64: { compiler: 'aarch64-linux-gnu-gcc', debian: 'gcc-aarch64-linux-gnu' },
};

const FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'];
const HARDENING = ['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong'];
const SANITIZERS = [
  '-g',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
  '-fno-omit-frame-pointer',
];
// nodelete: a sending thread may still be in a system call when its environment is gone.
const LINKING = ['-shared', '-fPIC', '-pthread', '-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,nodelete'];

function stop(line) {
  console.error(`build.mjs: ${line}`);
  process.exit(1);
}

/** Options that let the compiler find node_api.h and uv.h. */
function headers() {
  const ofNode = join(dirname(realpathSync(process.execPath)), '..', 'include', 'node');
  if (existsSync(join(ofNode, 'node_api.h')) && existsSync(join(ofNode, 'uv.h'))) return ['-isystem', ofNode];
  const missing = [];
  let ofPackage;
  try {
    ofPackage = createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    missing.push('node_api.h (npm install node-api-headers)');
  }
  if (!existsSync('/usr/include/uv.h')) missing.push('uv.h (apt-get install libuv1-dev)');
  if (missing.length > 0) stop(`no headers in ${ofNode}, and missing: ${missing.join(', ')}`);
  // Searched last, so that a cross compiler takes its own libc's headers first.
  return ['-isystem', ofPackage, '-idirafter', '/usr/include'];
}

function compilerFor(arch) {
  const known = COMPILERS[arch];
  if (known === undefined) stop(`--arch ${arch}: write one of ${Object.keys(COMPILERS).join(', ')}`);
  if (arch === process.arch) return { command: process.env.CC ?? 'cc', debian: 'gcc' };
  return { command: known.compiler, debian: known.debian };
}

function main() {
  const { values } = parseArgs({
    options: { arch: { type: 'string' }, asan: { type: 'boolean' }, out: { type: 'string' } },
  });
  const arch = values.arch ?? process.arch;
  const ofNx = arch === process.arch && !values.asan;
  const out = values.out ?? join(HERE, '..', '..', 'dist', ofNx ? 'native' : 'addons');
  const target = join(out, `addon-${arch}${values.asan ? '-asan' : ''}.node`);
  const sources = readdirSync(join(HERE, 'src')).filter((name) => name.endsWith('.c'));
  const compiler = compilerFor(arch);
  const part = `${target}.${process.pid}`;
  mkdirSync(out, { recursive: true });
  const args = [
    ...FLAGS,
    ...(values.asan ? SANITIZERS : HARDENING),
    ...LINKING,
    ...headers(),
    ...sources.map((name) => join('src', name)),
    '-o',
    part,
  ];
  const run = spawnSync(compiler.command, args, { cwd: HERE, stdio: 'inherit' });
  if (run.error?.code === 'ENOENT')
    stop(`${compiler.command} is not installed (apt-get install ${compiler.debian})`);
  if (run.error !== undefined) stop(`${compiler.command}: ${run.error.message}`);
  if (run.status !== 0) {
    rmSync(part, { force: true });
    process.exit(1);
  }
  renameSync(part, target); // whole or not at all: others may be loading it
}

main();
