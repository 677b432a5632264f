import type { WorkerStep, WorkerTap } from './api/netlink';

// worker.c, struct step: u32 kind, s32 namespace, u32 length, in host byte order; the bytes follow, padded to four.
const HEADER = 12;
const KIND = { datagram: 0, optional: 1, file: 2, tap: 3, keepTaps: 4 } as const;
const OWN = -1;
const NOBODY = 0xffffffff;
const NOTHING = new Uint8Array(0);

const text = new TextEncoder();
const align4 = (length: number): number => (length + 3) & ~3;

/** As the worker's thread reads them. Throws RangeError for a path with a NUL inside. */
export function encodeSteps(steps: readonly WorkerStep[]): Uint8Array {
  const parts = steps.map(partOf);
  const bytes = new Uint8Array(parts.reduce((sum, { payload }) => sum + HEADER + align4(payload.length), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { kind, netns, payload } of parts) {
    view.setUint32(at, kind, true);
    view.setInt32(at + 4, netns, true);
    view.setUint32(at + 8, payload.length, true);
    bytes.set(payload, at + HEADER);
    at += HEADER + align4(payload.length);
  }
  return bytes;
}

function partOf(step: WorkerStep): { kind: number; netns: number; payload: Uint8Array } {
  if ('datagram' in step) {
    const { datagram, netnsFd, mayFail = false } = step;
    return { kind: mayFail ? KIND.optional : KIND.datagram, netns: netnsFd ?? OWN, payload: datagram };
  }
  if ('tap' in step) return { kind: KIND.tap, netns: OWN, payload: tapBytes(step.tap) };
  if ('keepTaps' in step) return { kind: KIND.keepTaps, netns: OWN, payload: NOTHING };
  if (step.file.includes('\0'))
    throw new RangeError(`a path with a NUL inside: ${JSON.stringify(step.file)}`);
  return { kind: KIND.file, netns: OWN, payload: text.encode(`${step.file}\0${step.value}`) };
}

/** worker.c, struct tap: u32 uid, u32 ifindex; the name follows. */
function tapBytes({ name, owner, ifindex }: WorkerTap): Uint8Array {
  const bytes = text.encode(`        ${name}\0`);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, owner ?? NOBODY, true);
  view.setUint32(4, ifindex, true);
  return bytes;
}
