import { NativeError } from './api/error';
import type { Native } from './api/native';
import { fdCalls } from './fd';
import { netlinkCalls } from './netlink';
import { netnsCalls } from './netns';
import { packetCalls } from './packet';
import type { AddonFile } from './raw';
import { relayCalls } from './relay';
import { streamCalls } from './stream';
import { tunCalls } from './tun';
import { udpCalls } from './udp';

/** The addon's surface upon a loaded file, which has receive buffers of its own (1 MiB of address space). */
export function makeNative(file: AddonFile): Native {
  const addon = file.attach(NativeError);
  return {
    ...fdCalls(addon),
    collectGarbage: addon.collectGarbage,
    setV8Flags: addon.setV8Flags,
    ...netlinkCalls(addon),
    ...netnsCalls(addon),
    ...streamCalls(addon),
    ...packetCalls(addon),
    ...udpCalls(addon),
    ...tunCalls(addon),
    ...relayCalls(addon),
  };
}
