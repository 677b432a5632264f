import type { Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import type { Peer } from './peer';

export interface FloorOptions {
  readonly hostIfname: string;
  readonly peerIfname: string;
  readonly gateway: string;
  readonly alias: string;
  readonly group: number;
  /** SET:KEYHEX[:CHAIN] */
  readonly elements: readonly string[];
}

/** floor/connect-floor.c on `machine`, which has the table already. */
export function rawNetlink({ host }: Machine, options: FloorOptions): Peer {
  const { hostIfname, peerIfname, gateway, alias, group, elements } = options;
  const links = [hostIfname, peerIfname, gateway, '30', alias, String(group)];
  const floor = new LineProgram(host, programPath('connect-floor'), [...links, ...elements]);
  return {
    connect: async (pid) => millisOf(await floor.ask(`connect ${pid}`)),
    disconnect: async () => millisOf(await floor.ask('delete')),
  };
}
