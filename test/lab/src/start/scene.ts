import { connect, type Connection } from '../ctl';
import type { Guest, Host } from '../host';
import { hostListing, listingDifference, type HostListing } from '../listing';
import { startManager, type Manager } from '../manager';
import { commandName, namespaceOf, processesWhere } from '../process-table';
import type { StandardLab } from '../standard-lab';
import { until } from '../until';

/** What the rows look at. Each row may move the story on: the manager is killed and started, the guest connected anew. */
export interface Scene {
  readonly lab: StandardLab;
  /** A client process with a network namespace of its own on the host. */
  readonly guest: Guest;
  /** The host before the manager was started. */
  readonly before: HostListing;
  /** The host with the manager serving and no guest connected. */
  readonly idle: HostListing;
  manager: Manager;
  /** What the guest was given last; undefined before the first time. */
  connection: Connection | undefined;
}

/** The lab is up, the manager serves, a client waits to be connected. */
export async function openScene(lab: StandardLab): Promise<Scene> {
  const guest = await lab.guest('guest');
  const before = await restingState(lab.host);
  const manager = await startManager(lab.host);
  return { lab, guest, before, idle: await restingState(lab.host), manager, connection: undefined };
}

export async function connectGuest(scene: Scene): Promise<Connection> {
  scene.connection = await connect(scene.lab.host, ['--pid', String(scene.guest.pid)]);
  return scene.connection;
}

export function connectionOf({ connection }: Scene): Connection {
  if (connection === undefined) throw new Error('not checked: the namespace was never connected');
  return connection;
}

/** Its state when two looks in a row have found the same. */
async function restingState(host: Host): Promise<HostListing> {
  let last = await hostState(host);
  return until('the host is at rest', async () => {
    const before = last;
    last = await hostState(host);
    return listingDifference(before, last).length === 0 ? last : undefined;
  });
}

/** Everything that the manager could leave behind: the kernel's listing, and who runs in the host's network namespace. */
export async function hostState(host: Host): Promise<HostListing> {
  const net = namespaceOf(host.pid, 'net');
  const listing = await hostListing(host);
  const running = processesWhere((pid) => namespaceOf(pid, 'net') === net).map(
    ({ pid }) => `process ${commandName(pid) ?? '?'}`,
  );
  return [...listing, ...running.sort()];
}

/** What of `wanted` differs on the host now, a line each, and at most ten. */
export async function differenceNow(host: Host, wanted: HostListing): Promise<readonly string[]> {
  const lines = listingDifference(wanted, await hostState(host));
  return lines.length > 10 ? [...lines.slice(0, 10), `... and ${lines.length - 10} more`] : lines;
}
