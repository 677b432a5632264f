import { KernelError } from '@pp/base';
import type { ReplySocket, ReplySocketOptions, ReplySockets } from '../reply-sockets';

/** What reply sockets do, whoever makes them. `place` is where the host is. */
export interface ReplySocketsRow {
  readonly name: string;
  readonly run: (sockets: ReplySockets, place: ReplyPlace) => unknown;
  readonly want: unknown;
}

export type ReplyPlace = Pick<ReplySocketOptions, 'ifname' | 'address'>;

const open = (sockets: ReplySockets, place: ReplyPlace, port = 0): ReplySocket =>
  sockets.open({ ...place, port, onDatagram: () => undefined, onFault: () => undefined });

function codeOf(call: () => ReplySocket): string {
  try {
    call().close();
    return 'open';
  } catch (fault) {
    return fault instanceof KernelError ? fault.code : String(fault);
  }
}

export const REPLY_SOCKETS_CONTRACT: readonly ReplySocketsRow[] = [
  {
    name: 'port 0 is a port that is free',
    run: (sockets, place) => {
      const [one, two] = [open(sockets, place), open(sockets, place)];
      const ports = [one.port > 0, one.port !== two.port];
      one.close();
      two.close();
      return ports;
    },
    want: [true, true],
  },
  {
    name: 'a port that is taken is refused, until it is closed',
    run: (sockets, place) => {
      const one = open(sockets, place);
      const before = codeOf(() => open(sockets, place, one.port));
      one.close();
      one.close();
      return [before, codeOf(() => open(sockets, place, one.port))];
    },
    want: ['EADDRINUSE', 'open'],
  },
];
