import { readFileSync } from 'node:fs';
import type { Task } from '@pp/base';
import { controlPath, ExitCode, Refused, type DaemonContext, type Parts } from '@pp/daemon';
import { busTask, connectBus } from '@pp/dbus';
import {
  LinuxPacketPorts,
  NetlinkHostRoutes,
  NetlinkInterfaces,
  NftNeighborGuard,
  UdpMemberships,
} from '@pp/linux';
import { openControl } from './control/server';
import { GroupRegistry } from './groups/registry';
import { SPEC, type Config } from './config';
import type { Doors } from './doors';
import { servePortier } from './portier/serve';
import { SERVICE } from './portier/spec';
import { ProxyService } from './proxy-service';
import { statusOf } from './status';

/** rtm_protocol of our routes; not in iproute2's rt_protos, and not the manager's. */
export const ROUTE_PROTOCOL = 81;
/** design.md, contracts. */
export const GUARD_TABLE = 'patchpanel_ndproxy';

/** Joins the parts. */
export async function wire(context: DaemonContext<Config>): Promise<Parts> {
  const { config, scope } = context;
  if (config.groups.length === 0 && !config.portier)
    throw new Refused(
      ExitCode.usage,
      'there is no manager to follow yet; name interfaces: ndproxy eth0 vmtap0',
    );
  if (config.mode === 'bridge')
    throw new Refused(ExitCode.failed, 'bridge mode is not built yet; leave --mode out');
  const service = new ProxyService(config, doorsOf(context));
  scope.defer(() => service.stop());
  const registry = new GroupRegistry(config.groups);
  registry.start((groups) => {
    service.setGroups(groups);
  });
  await service.start();
  scope.use(await openControl(controlPath(context.stateDir, SPEC.name), service, registry));
  const status = (): object => statusOf(service);
  const busTasks = config.portier ? [await portierTask(context, registry, status)] : [];
  return { tasks: [proxyTask, ...busTasks], status };
}

async function portierTask(
  { native, clock, log, scope }: DaemonContext<Config>,
  registry: GroupRegistry,
  status: () => object,
): Promise<Task> {
  const bus = scope.use(await connectBus({ native: native(), clock, log }));
  scope.defer(servePortier(bus, registry, status));
  if ((await bus.requestName(SERVICE)) === 'taken')
    throw new Refused(
      ExitCode.failed,
      `${SERVICE} is owned already; stop the other one or leave --portier out`,
    );
  return busTask(bus);
}

function doorsOf({ native: load, clock, log, scope }: DaemonContext<Config>): Doors {
  const native = load();
  return {
    packets: new LinuxPacketPorts(native),
    interfaces: new NetlinkInterfaces({ native, clock, log }),
    routes: scope.use(new NetlinkHostRoutes(native, ROUTE_PROTOCOL)),
    guard: scope.use(new NftNeighborGuard(native, GUARD_TABLE)),
    memberships: new UdpMemberships(native),
    sysctl,
    clock,
    log,
  };
}

function sysctl(key: string): string | null {
  try {
    return readFileSync(`/proc/sys/${key}`, 'utf8').trim();
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return null;
    throw fault;
  }
}

/** Everything happens in answer to frames, news and timers; a fault in them ends the process. */
const proxyTask: Task = {
  name: 'proxy',
  ready: Promise.resolve(),
  run: (signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    }),
};
