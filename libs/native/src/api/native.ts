import type { FdNative } from './fd';
import type { MemoryNative } from './memory';
import type { NetlinkNative } from './netlink';
import type { NetnsNative } from './netns';
import type { PacketNative } from './packet';
import type { RelayNative } from './relay';
import type { StreamNative } from './stream';
import type { TunNative } from './tun';
import type { UdpNative } from './udp';

/**
 * The addon's surface: file descriptors in, file descriptors and bytes out, no policy. Every call returns or throws a `NativeError`
 * whose `code` is the errno by name. No call blocks the event loop: what may wait (netlink requests) runs on a thread of its own.
 * Callbacks come from the event loop, by batch. Byte arrays handed to callbacks are the receiver's unless the text says borrowed.
 */
export interface Native
  extends
    FdNative,
    MemoryNative,
    NetlinkNative,
    NetnsNative,
    PacketNative,
    RelayNative,
    StreamNative,
    TunNative,
    UdpNative {}
