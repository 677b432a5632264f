import { NativeError } from './api/error';
import type { Native } from './api/native';
import { fdCalls } from './fd';
import { netlinkCalls } from './netlink';
import { netnsCalls } from './netns';
import { packetCalls } from './packet';
import type { AddonFile } from './raw';
import { makeReceived } from './received';
import { relayCalls } from './relay';
import { streamCalls } from './stream';
import { tunCalls } from './tun';
import { udpCalls } from './udp';

/** The addon's surface upon a loaded file. Each call attaches anew, with receive buffers of its own (1 MiB of address space). */
export function makeNative(file: AddonFile): Native {
  const received = makeReceived();
  const addon = file.attach(NativeError, received.scratch, received.table);
  return {
    ...fdCalls(addon),
    collectGarbage: addon.collectGarbage,
    ...netlinkCalls(addon, received),
    ...netnsCalls(addon),
    ...streamCalls(addon, received),
    ...packetCalls(addon, received),
    ...udpCalls(addon, received),
    ...tunCalls(addon, received),
    ...relayCalls(addon, received),
  };
}
