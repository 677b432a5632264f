/*
 * The wire between a manager's TAP and the network card of a guest: `tap-pump TAP PID IFNAME MAC [UID]`. Makes a TAP named
 * IFNAME in the network namespace of process PID; opens TAP, which must exist, as a VMM of that user does; and carries frames both
 * ways until one of the two is deleted. What a full queue does not take is lost, as on any wire. Prints `ready` when both are open.
 */
import { loadNative, NativeError, type FrameBatch, type TunHandle } from '@pp/native';

/** The other side is down, or is just being deleted, which its reader will be told. */
const LOST = ['EIO', 'EBADFD'];

const [tap = '', pid = '', ifname = '', mac = '', uid] = process.argv.slice(2);
const native = loadNative();

const guest: TunHandle = inNamespaceOf(Number(pid), () =>
  native.openTun({
    mode: 'tap',
    name: ifname,
    mac: Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16)),
    onFrames: carryTo(() => host),
    onError: unplugged,
  }),
);
if (uid !== undefined) process.setuid?.(Number(uid)); // as that user's VMM: without privileges
const host: TunHandle = native.openTun({
  mode: 'tap',
  name: tap,
  attach: true,
  onFrames: carryTo(() => guest),
  onError: unplugged,
});
process.stdout.write('ready\n');

function carryTo(other: () => TunHandle): (frames: FrameBatch) => void {
  return (frames) => {
    try {
      other().send(Array.from({ length: frames.count }, (_, i) => frames.frame(i)));
    } catch (fault) {
      if (!(fault instanceof NativeError && LOST.includes(fault.code))) throw fault;
    }
  };
}

function inNamespaceOf<T>(process: number, inside: () => T): T {
  const netns = native.openNetns({ pid: process });
  try {
    return native.runInNetns(netns, inside);
  } finally {
    native.closeFd(netns);
  }
}

function unplugged({ message }: NativeError): void {
  process.stdout.write(`unplugged ${message}\n`);
  host.close();
  guest.close();
}
