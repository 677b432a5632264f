import { KernelError } from '@pp/base';
import { isInterfaceFault } from './interface-fault';
import type { PacketPort } from './packet-port';

/** Sends all that the kernel takes; one frame that it refuses keeps none behind it. Returns how many were not sent. */
export function sendAll(port: Pick<PacketPort, 'send'>, frames: readonly Uint8Array[]): number {
  let failed = 0;
  for (let at = 0; at < frames.length;)
    try {
      const taken = port.send(at === 0 ? frames : frames.slice(at));
      at += taken;
      if (taken === 0) return failed + frames.length - at; // the queue is full
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      if (isInterfaceFault(fault)) return failed + frames.length - at;
      failed++;
      at++;
    }
  return failed;
}
