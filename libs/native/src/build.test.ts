import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BUILD = resolve(__dirname, '../build.mjs');
const CROSS = 'aarch64-linux-gnu-gcc';

// ELF header: class at 4, e_machine at 18.
const ELF64 = 2;
const MACHINE = { x64: 62, arm64: 183 } as const;

let out = '';

beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'pp-build-'));
});
afterEach(() => {
  rmSync(out, { recursive: true });
});

function build(
  node: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(node, [BUILD, '--out', out, ...args], {
    encoding: 'utf8',
    env: { ...env, LD_PRELOAD: '' }, // the compiler does not run under a sanitizer
  });
  return { status, stderr };
}

function elf(file: string): { magic: string; class: number | undefined; machine: number } {
  const bytes = readFileSync(join(out, file));
  return { magic: bytes.toString('latin1', 1, 4), class: bytes[4], machine: bytes.readUInt16LE(18) };
}

const hasCross = spawnSync(CROSS, ['--version']).status === 0;
const testCross = (name: string, body: () => void): void => {
  if (hasCross) test(name, body, 120_000);
  else test.skip(`${name} (skipped: no ${CROSS})`, body);
};

testCross('arm64 cross-compiles', () => {
  expect(build(process.execPath, ['--arch', 'arm64'])).toEqual({ status: 0, stderr: '' });
  expect(readdirSync(out)).toEqual(['addon-arm64.node']);
  expect(elf('addon-arm64.node')).toEqual({ magic: 'ELF', class: ELF64, machine: MACHINE.arm64 });
});

// A node without headers of its own beside it, as distributions have it.
if (existsSync('/usr/include/uv.h'))
  testCross('headers from node-api-headers and libuv1-dev will do, for the other architecture too', () => {
    const node = join(out, 'node');
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o755);
    expect(build(node, ['--arch', 'arm64'])).toEqual({ status: 0, stderr: '' });
    expect(elf('addon-arm64.node').machine).toBe(MACHINE.arm64);
  });
else
  test.skip('headers from node-api-headers and libuv1-dev (skipped: no /usr/include/uv.h)', () => undefined);

test.each([
  {
    name: 'an unknown architecture',
    args: ['--arch', 'vax'],
    env: {},
    want: 'build.mjs: --arch vax: write one of x64, arm64\n',
  },
  {
    name: 'no compiler',
    args: [],
    env: { PATH: '/nonexistent' },
    want: 'build.mjs: cc is not installed (apt-get install gcc)\n',
  },
  {
    name: 'no cross compiler',
    args: ['--arch', process.arch === 'arm64' ? 'x64' : 'arm64'],
    env: { PATH: '/nonexistent' },
    want:
      process.arch === 'arm64'
        ? 'build.mjs: x86_64-linux-gnu-gcc is not installed (apt-get install gcc-x86-64-linux-gnu)\n'
        : 'build.mjs: aarch64-linux-gnu-gcc is not installed (apt-get install gcc-aarch64-linux-gnu)\n',
  },
])('$name is one line', ({ args, env, want }) => {
  expect(build(process.execPath, args, { ...process.env, ...env })).toEqual({ status: 1, stderr: want });
  expect(readdirSync(out)).toEqual([]);
});
