import type { WorkerStep, WorkerTap } from './api/netlink';

// worker.c, struct step: u32 kind, s32 namespace, u32 length, in host byte order; the bytes follow, padded to four.
const HEADER = 12;
const KIND = { datagram: 0, optional: 1, file: 2, tap: 3, keepTaps: 4 } as const;
const OWN = -1;
const NOBODY = 0xffffffff;
const NOTHING = new Uint8Array(0);

const text = new TextEncoder();
const align4 = (length: number): number => (length + 3) & ~3;

/** What most jobs fit in: memory of its own for each takes longer than to write them. */
const ROOM = new DataView(new ArrayBuffer(16 << 10));

/**
 * As the worker's thread reads them; there until the next ones are encoded. Throws RangeError for what would be read as something else: a NUL
 * inside, a number that does not fit.
 */
export function encodeSteps(steps: readonly WorkerStep[]): Uint8Array {
  const parts = steps.map(partOf);
  let length = 0;
  for (const { payload } of parts) length += HEADER + align4(payload.length);
  const room = length > ROOM.byteLength ? new DataView(new ArrayBuffer(length)) : ROOM;
  const bytes = new Uint8Array(room.buffer, 0, length);
  let at = 0;
  for (const { kind, netns, payload } of parts) {
    room.setUint32(at, kind, true);
    room.setInt32(at + 4, netns, true);
    room.setUint32(at + 8, payload.length, true);
    bytes.set(payload, at + HEADER);
    at += HEADER + align4(payload.length);
  }
  return bytes;
}

function partOf(step: WorkerStep): { kind: number; netns: number; payload: Uint8Array } {
  if ('datagram' in step) {
    const { datagram, netnsFd, mayFail = false } = step;
    const netns = netnsFd === null ? OWN : whole('netnsFd', netnsFd, 0x7fffffff);
    return { kind: mayFail ? KIND.optional : KIND.datagram, netns, payload: datagram };
  }
  if ('tap' in step) return { kind: KIND.tap, netns: OWN, payload: tapBytes(step.tap) };
  if ('keepTaps' in step) return { kind: KIND.keepTaps, netns: OWN, payload: NOTHING };
  return { kind: KIND.file, netns: OWN, payload: text.encode(`${plain(step.file)}\0${step.value}`) };
}

function plain(value: string): string {
  if (value.includes('\0')) throw new RangeError(`a NUL inside: ${JSON.stringify(value)}`);
  return value;
}

function whole(name: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new RangeError(`${name}: must be a whole number from 0 to ${most}`);
  return value;
}

/** worker.c, struct tap: u32 uid, u32 ifindex; the name follows. */
function tapBytes({ name, owner, ifindex }: WorkerTap): Uint8Array {
  const bytes = text.encode(`        ${plain(name)}\0`);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, owner === undefined ? NOBODY : whole('owner', owner, NOBODY - 1), true);
  view.setUint32(4, whole('ifindex', ifindex, 0x7fffffff), true);
  return bytes;
}
