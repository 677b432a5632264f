import { readFileSync } from 'node:fs';
import type { Task } from '@pp/base';
import {
  controlPath,
  ExitCode,
  noBus,
  randomBytes,
  Refused,
  type DaemonContext,
  type Parts,
} from '@pp/daemon';
import { ROUTE_PROTOCOL as MANAGER_PROTOCOL } from '@pp/datapath';
import { busTask, connectBus } from '@pp/dbus';
import {
  LinuxPacketPorts,
  NetlinkHostRoutes,
  NetlinkInterfaces,
  NetlinkLosses,
  NftNeighborGuard,
  readHostIpv6,
  UdpMemberships,
} from '@pp/linux';
import { openControl } from './control/server';
import { GroupRegistry } from './groups/registry';
import { SPEC, type Config } from './config';
import type { Doors } from './doors';
import { followManager } from './follow/follow';
import { onlyHere } from './only-here';
import { servePortier } from './portier/serve';
import { SERVICE } from './portier/spec';
import { ProxyService } from './proxy-service';
import { statusOf } from './status';

/** rtm_protocol of our routes; not in iproute2's rt_protos, and not the manager's. */
const OWN_PROTOCOL = 81;
/** Operators and other firewalls know it by this name. */
export const GUARD_TABLE = 'patchpanel_ndproxy';

const NOTHING_TO_DO = {
  absent:
    'the kernel of this host runs without IPv6, and ndproxy has nothing to do; boot it without ipv6.disable=1',
  off: 'IPv6 is switched off on this host, and ndproxy has nothing to do; write sysctl -w net.ipv6.conf.all.disable_ipv6=0, and start it again',
} as const;

/** Joins the parts. */
export function wire(context: DaemonContext<Config>): Promise<Parts> {
  const { groups, portier } = context.config;
  const ipv6 = readHostIpv6();
  if (ipv6 !== 'on') throw new Refused(ExitCode.idle, NOTHING_TO_DO[ipv6]);
  context.scope.use(onlyHere(context));
  return groups.length === 0 && !portier ? wireFollowing(context) : wireAlone(context);
}

/** Groups from the command line, the control socket and Portier's API; routes are ours. */
async function wireAlone(context: DaemonContext<Config>): Promise<Parts> {
  const { config, scope } = context;
  const native = context.native;
  const routes = scope.use(new NetlinkHostRoutes(native, OWN_PROTOCOL));
  const service = new ProxyService(config, { ...doorsOf(context), routes });
  scope.defer(() => service.stop());
  const registry = new GroupRegistry(config.groups);
  registry.start((groups) => {
    service.setGroups(groups);
  });
  await service.start();
  scope.use(openControl(context, controlPath(context.stateDir, SPEC.name), service, registry));
  const status = (): object => statusOf(service);
  const busTasks = config.portier ? [await portierTask(context, registry, status)] : [];
  return { tasks: busTasks, status };
}

/** Groups from the manager, who also makes the routes. */
async function wireFollowing(context: DaemonContext<Config>): Promise<Parts> {
  const { config, scope, clock, log } = context;
  const native = context.native;
  const bus = scope.use(
    await connectBus({ native, clock, log }).catch(noBus('name interfaces: ndproxy eth0 vmtap0')),
  );
  const { service, groups, routes, client } = await followManager({
    bus,
    clock,
    log,
    settings: config,
    doors: doorsOf(context),
    managersRoutes: scope.use(new NetlinkHostRoutes(native, MANAGER_PROTOCOL)),
  });
  scope.defer(() => service.stop());
  scope.defer(() => {
    routes.retire();
    client.close();
  });
  groups.start((desired) => {
    service.setGroups(desired);
  });
  await service.start();
  scope.use(openControl(context, controlPath(context.stateDir, SPEC.name), service, null));
  return {
    tasks: [busTask(bus)],
    status: () => ({ manager: client.isCurrent ? 'followed' : 'awaited', ...statusOf(service) }),
  };
}

async function portierTask(
  { native, clock, log, scope }: DaemonContext<Config>,
  registry: GroupRegistry,
  status: () => object,
): Promise<Task> {
  const bus = scope.use(await connectBus({ native, clock, log }).catch(noBus('leave --portier out')));
  scope.defer(servePortier(bus, registry, status));
  if ((await bus.requestName(SERVICE)) === 'taken')
    throw new Refused(
      ExitCode.failed,
      `${SERVICE} is owned already; stop the other one or leave --portier out`,
    );
  return busTask(bus);
}

function doorsOf({ native, clock, log, scope }: DaemonContext<Config>): Omit<Doors, 'routes'> {
  return {
    packets: new LinuxPacketPorts(native, clock),
    interfaces: new NetlinkInterfaces({ native, clock, log }),
    guard: scope.use(new NftNeighborGuard(native, GUARD_TABLE)),
    losses: new NetlinkLosses({ native, clock, log, protocol: OWN_PROTOCOL, table: GUARD_TABLE }),
    memberships: new UdpMemberships(native),
    sysctl,
    seed: randomBytes(4).readUInt32LE(),
    randomBytes,
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
