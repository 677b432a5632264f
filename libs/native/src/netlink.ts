import type { NetlinkNative } from './api/netlink';
import { filterBytes } from './filter';
import type { Addon } from './raw';
import { encodeSteps } from './worker-steps';

// linux/netlink.h
const PROTOCOL = { route: 0, netfilter: 12 } as const;

export function netlinkCalls(addon: Addon): NetlinkNative {
  return {
    openNetlink: ({ family, receiveBufferBytes = 0, filter = [], onDatagrams, onError }) => {
      const take = (length: number): void => {
        onDatagrams(addon.scratch.slice(0, length));
      };
      const socket = addon.netlinkOpen(
        PROTOCOL[family],
        receiveBufferBytes,
        filterBytes(filter),
        take,
        onError,
      );
      return {
        portId: addon.netlinkPort(socket),
        send: (message) => {
          addon.netlinkSend(socket, message);
        },
        sendHere: (message) => addon.netlinkSendHere(socket, message),
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
    openNetlinkWorker: ({ onDone }) => {
      const worker = addon.workerOpen(onDone);
      return {
        run: (steps, how) => {
          addon.workerRun(worker, encodeSteps(steps), how?.more ?? false);
        },
        close: () => {
          addon.close(worker);
        },
      };
    },
  };
}
