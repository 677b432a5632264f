import type { Native } from './api';
import type { Addon } from './raw';

// linux/netlink.h
const PROTOCOL = { route: 0, netfilter: 12 } as const;

export function netlinkCalls(addon: Addon): Pick<Native, 'openNetlink'> {
  return {
    openNetlink: ({ family, receiveBufferBytes = 0, onDatagram, onError }) => {
      const socket = addon.netlinkOpen(PROTOCOL[family], receiveBufferBytes, onDatagram, onError);
      return {
        portId: addon.netlinkPort(socket),
        send: (message) => {
          addon.netlinkSend(socket, message);
        },
        join: (group) => {
          addon.netlinkMember(socket, group, true);
        },
        leave: (group) => {
          addon.netlinkMember(socket, group, false);
        },
        close: () => {
          addon.close(socket);
        },
      };
    },
  };
}
