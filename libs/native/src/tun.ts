import type { TunHandle, TunNative, TunOptions } from './api/tun';
import type { Addon, Source } from './raw';
import { ReceivedFrames } from './received';

const FRAME_BYTES = 2048;
// The largest GSO packet, an Ethernet header with two VLAN tags, and struct virtio_net_hdr.
const GSO_FRAME_BYTES = 65_561;
const BATCH = 64;
const GSO_BATCH = 15;

export function tunCalls(addon: Addon): TunNative {
  return {
    openTun: (options) => {
      const [fd, name, ifindex] = addon.tunOpen({
        tap: options.mode === 'tap',
        name: options.name,
        attach: options.attach ?? false,
        owner: options.owner ?? -1,
        mac: options.mac ?? new Uint8Array(0),
        vnetHeader: options.vnetHeader ?? false,
        device: options.device ?? '/dev/net/tun',
      });
      try {
        return tunHandle(addon, { fd, name, ifindex }, watchFrames(addon, fd, options));
      } catch (fault) {
        addon.closeFd(fd);
        throw fault;
      }
    },
  };
}

function watchFrames(addon: Addon, fd: number, options: TunOptions): Source | undefined {
  const { onFrames, onError, vnetHeader = false } = options;
  if (onFrames === undefined) return undefined;
  const frames = new ReceivedFrames(addon);
  const { batch = vnetHeader ? GSO_BATCH : BATCH, frameBytes = vnetHeader ? GSO_FRAME_BYTES : FRAME_BYTES } =
    options;
  const onBatch = (count: number): void => {
    onFrames(frames.holding(count));
  };
  return addon.tunWatch(fd, batch, frameBytes, onBatch, onError);
}

function tunHandle(
  addon: Addon,
  made: Pick<TunHandle, 'fd' | 'name' | 'ifindex'>,
  watch: Source | undefined,
): TunHandle {
  const { fd } = made;
  let open = true;
  return {
    ...made,
    persist: (on) => {
      addon.tunPersist(fd, on);
    },
    offload: (flags) => {
      addon.tunOffload(fd, flags);
    },
    send: (frames) => addon.tunSend(fd, frames),
    close: () => {
      if (!open) return;
      open = false;
      if (watch !== undefined) addon.close(watch);
      addon.closeFd(fd);
    },
  };
}
