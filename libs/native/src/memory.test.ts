import { spawnSync } from 'node:child_process';
import { ADDON, isSanitized, plainEnv } from './testing/plain-env';

/** Frees a large block, by which glibc learns to keep such blocks, and tells by how many bytes four of 1 MiB make the heap grow. */
const PROGRAM = `
  const { readFileSync } = require('node:fs');
  if (process.argv[1] === 'with') process.dlopen({ exports: {} }, ${JSON.stringify(ADDON)});
  const heap = () => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) .*\\[heap\\]$/m.exec(readFileSync('/proc/self/maps', 'latin1'));
    return Number('0x' + to) - Number('0x' + from);
  };
  structuredClone(new ArrayBuffer(16 << 20));
  gc();
  setTimeout(() => {
    const before = heap();
    const kept = Array.from({ length: 4 }, () => new ArrayBuffer(1 << 20));
    console.log(heap() - before, kept.length);
  }, 0);
`;

function heapGrowth(how: 'with' | 'without'): number {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', PROGRAM, how], {
    encoding: 'utf8',
    env: { ...plainEnv(), LD_PRELOAD: '' },
  });
  if (stdout === '') throw new Error(stderr);
  return parseInt(stdout, 10);
}

const testGlibc = (name: string, body: () => void): void => {
  if (isSanitized) test.skip(`${name} (skipped: the sanitizer has an allocator of its own)`, body);
  else test(name, body);
};

testGlibc('large blocks go back to the kernel, also after a larger one was freed', () => {
  expect(heapGrowth('without')).toBeGreaterThan(3 << 20);
  expect(heapGrowth('with')).toBeLessThan(1 << 20);
});

/** Makes garbage in the old generation, and tells by how many bytes a collection shrinks the heap. */
const COLLECTING = `
  const { getHeapStatistics } = require('node:v8');
  const file = { exports: {} };
  process.dlopen(file, ${JSON.stringify(ADDON)});
  const addon = file.exports.attach(Error);
  let kept = Array.from({ length: 200_000 }, (_, n) => ({ n }));
  kept = kept.length;
  const before = getHeapStatistics();
  addon.collectGarbage();
  const after = getHeapStatistics();
  console.log(before.used_heap_size - after.used_heap_size, before.total_heap_size - after.total_heap_size, after.external_memory - before.external_memory);
`;

test('a collection takes all garbage, gives its pages back, and leaves no pressure behind', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', COLLECTING], {
    encoding: 'utf8',
    env: plainEnv(),
  });
  if (stdout === '') throw new Error(stderr);
  const [used = NaN, held = NaN, external = NaN] = stdout.trim().split(' ').map(Number);
  expect(used).toBeGreaterThan(4 << 20);
  expect(held).toBeGreaterThan(4 << 20);
  expect(external).toBeLessThanOrEqual(0);
});

/** Tells whether the collector can be called by name, before and after V8 was told to offer it. */
const FLAGS = `
  const file = { exports: {} };
  process.dlopen(file, ${JSON.stringify(ADDON)});
  const addon = file.exports.attach(Error);
  const offered = () => typeof require('node:vm').runInNewContext('globalThis.gc');
  console.log(offered(), (addon.setV8Flags('--expose-gc'), offered()));
`;

test('flags of V8 can be set while it runs', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', FLAGS], {
    encoding: 'utf8',
    env: plainEnv(),
  });
  expect(`${stdout}${stderr}`.trim()).toBe('undefined function');
});

/** Tells by how many bytes the process grows when the addon has its receive buffers, when they have been used, and after a collection. */
const BUFFERS = `
  const { readFileSync } = require('node:fs');
  const residentKb = () => Number(/^RssAnon:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]);
  const file = { exports: {} };
  process.dlopen(file, ${JSON.stringify(ADDON)});
  const start = residentKb();
  const addon = file.exports.attach(Error);
  const attached = residentKb();
  addon.scratch.fill(1);
  const used = residentKb();
  addon.collectGarbage();
  console.log(attached - start, used - attached, residentKb() - used);
`;

testGlibc('receive buffers take memory while they are used', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', BUFFERS], {
    encoding: 'utf8',
    env: plainEnv(),
  });
  expect(stderr).toBe('');
  const [attached, used, collected] = stdout.trim().split(' ').map(Number);
  expect(attached).toBeLessThan(512);
  expect(used).toBeGreaterThanOrEqual(1024);
  expect(collected).toBeLessThanOrEqual(-1024);
});
