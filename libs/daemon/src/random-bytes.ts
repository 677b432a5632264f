import { closeSync, openSync, readSync } from 'node:fs';

/** Of the kernel, random(4). node:crypto would keep 0.7 MB for a few bytes. */
export function randomBytes(n: number): Buffer {
  const bytes = Buffer.alloc(n);
  const source = openSync('/dev/urandom', 'r');
  try {
    for (let filled = 0; filled < n;) filled += readSync(source, bytes, { offset: filled });
  } finally {
    closeSync(source);
  }
  return bytes;
}
