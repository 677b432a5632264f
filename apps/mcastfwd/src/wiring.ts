import type { Task } from '@pp/base';
import {
  controlPath,
  noBus,
  openControlSocket,
  optimizeSoon,
  type DaemonContext,
  type Parts,
} from '@pp/daemon';
import { busTask, connectBus } from '@pp/dbus';
import { claimFollowing, forwardingClient, OwnWays } from '@pp/forwarding';
import { LinuxGroupPorts, NetlinkInterfaces } from '@pp/linux';
import type { Config } from './config';
import { controlOf } from './control';
import { forwardsOf, linksOf } from './from-forwarding';
import { McastService } from './mcast-service';
import { statusOf } from './status';
import { waysOf } from './ways-of';

/** Joins the parts. */
export async function wire(context: DaemonContext<Config>): Promise<Parts> {
  const { config, scope, clock, log, stateDir } = context;
  const native = context.native;
  const claim = claimOf(context);
  claim(config);
  optimizeSoon(native);
  const service = new McastService(
    { ...config, told: [] },
    {
      ports: new LinuxGroupPorts(native, clock),
      interfaces: new NetlinkInterfaces({ native, clock, log }),
      clock,
      log,
    },
  );
  scope.defer(() => {
    service.stop();
  });
  await service.start();
  scope.use(openControlSocket(context, controlPath(stateDir, 'mcastfwd'), controlOf(service, claim)));
  const tasks = config.links.length === 0 ? [await followTask(context, service)] : [];
  return { tasks, status: () => statusOf(service) };
}

/** Keeps what settings make it relay to this process, or throws Refused; following the manager, all at once. */
function claimOf(context: DaemonContext<Config>): (settings: Pick<Config, 'groups' | 'links'>) => void {
  if (context.config.links.length === 0) {
    claimFollowing(context, 'mcastfwd');
    return () => undefined;
  }
  const own = new OwnWays(context, 'mcastfwd');
  return (settings) => {
    own.change(waysOf(settings));
  };
}

/** Serves what the manager says, from whenever one is there. */
async function followTask(
  { native, clock, log, scope }: DaemonContext<Config>,
  service: McastService,
): Promise<Task> {
  const bus = scope.use(
    await connectBus({ native, clock, log }).catch(noBus('name interfaces: mcastfwd eth0 vmtap0')),
  );
  scope.use(
    await forwardingClient({
      bus,
      clock,
      log,
      onChange: (forwarding) => {
        const told = forwardsOf(forwarding);
        service.change({ ...service.settings, links: linksOf(forwarding), told });
      },
    }),
  );
  return busTask(bus);
}
