import { openSync } from 'node:fs';
import { loadNative } from '@pp/native';
import { until } from '@pp/netlink/testing';
import { NativeDescriptors } from './native-descriptors';

const native = loadNative();
const descriptors = new NativeDescriptors(native);

test('kinds', () => {
  const [read, write] = native.pipe();
  const [one, other] = native.socketPair('stream');
  const file = openSync(__filename, 'r');
  const all = [read, write, one, other, file];
  expect(all.map((fd) => descriptors.kind(fd))).toEqual(['fifo', 'fifo', 'socket', 'socket', 'file']);
  for (const fd of all) descriptors.close(fd);
});

test('a pipe’s write end is signalled when its reader goes', () => {
  const [read, write] = native.pipe();
  expect(descriptors.isSignalled(write)).toBe(false);
  descriptors.close(read);
  expect(descriptors.isSignalled(write)).toBe(true);
  descriptors.close(write);
});

test('a signal is told once', async () => {
  const [read, write] = native.pipe();
  let told = 0;
  const watch = descriptors.watch(read, () => (told += 1));
  descriptors.close(write);
  await until('the hang-up', () => told > 0);
  await new Promise(setImmediate);
  expect(told).toBe(1);
  watch.close();
  watch.close();
  descriptors.close(read);
});
