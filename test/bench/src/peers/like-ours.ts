import type { Machine } from '../bed/bed';
import { elementsOf } from '../bed/elements';
import type { Manager } from '../manager/manager';
import type { FloorOptions } from './floor';

/** Loads the manager's table on the floor's machine, and says which elements, names and addresses one connect adds to it. */
export async function likeOurs(manager: Manager, floor: Machine, pid: number): Promise<FloorOptions> {
  const { host } = manager.machine;
  await copyTable(manager.machine, floor);
  const before = new Set(await elementsIn(manager.machine));
  const connection = await manager.connect(pid);
  const elements = (await elementsIn(manager.machine)).filter((element) => !before.has(element));
  const [link] = (await host.json(
    'ip',
    '-j',
    '-d',
    'addr',
    'show',
    connection.hostIfname,
  )) as readonly LinkFact[];
  await manager.release(connection);
  if (link === undefined || elements.length === 0)
    throw new Error('a connect of the manager added no link or no element');
  const { ifname, ifalias, group, addr_info } = link;
  const gateway = addr_info.find(({ family }) => family === 'inet')?.local ?? '';
  return {
    hostIfname: ifname,
    peerIfname: ifname.replace('arc_ns', 'veth'),
    gateway,
    alias: ifalias,
    group: Number(group),
    elements,
  };
}

/** Loads the manager's table, as it is now, on another machine. */
export async function copyTable(from: Machine, to: Machine): Promise<void> {
  const text = await from.host.ok('nft', ['list', 'table', 'inet', 'patchpanel']);
  await to.host.ok('nft', ['-f', '-'], { input: text });
}

/** The elements of the manager's table, as the floors take them. */
export const elementsIn = async ({ host }: Machine): Promise<readonly string[]> =>
  elementsOf(await host.json('nft', '-j', 'list', 'table', 'inet', 'patchpanel'));

interface LinkFact {
  readonly ifname: string;
  readonly ifalias: string;
  readonly group: string;
  readonly addr_info: readonly { readonly family: string; readonly local: string }[];
}
