import type { Task } from '@pp/base';
import { controlPath, noBus, type DaemonContext, type Parts } from '@pp/daemon';
import { busTask, connectBus } from '@pp/dbus';
import { claimFollowing, forwardingClient, OwnWays, type ForwardingClient } from '@pp/forwarding';
import { LinuxPacketPorts, NetlinkInterfaces, UdpReplySockets } from '@pp/linux';
import { EXAMPLE, SPEC, type Config } from './config';
import { openControl } from './control/server';
import { LIMITS } from './core/limits';
import { RelayService } from './relay-service';
import { statusOf } from './status';
import { waysOf } from './ways-of';

/** Joins the parts. */
export async function wire(context: DaemonContext<Config>): Promise<Parts> {
  const { config, scope, stateDir, native, clock, log } = context;
  if (config.pairs === undefined) claimFollowing(context, SPEC.name);
  else new OwnWays(context, SPEC.name).change(waysOf(config.pairs, config.policy));
  const service = new RelayService(
    { ...config, limits: LIMITS },
    {
      packets: new LinuxPacketPorts(native, clock),
      interfaces: new NetlinkInterfaces({ native, clock, log }),
      replySockets: new UdpReplySockets(native),
      clock,
      log,
    },
  );
  scope.defer(() => {
    service.stop();
  });
  const manager = config.pairs === undefined ? await follow(context, service) : null;
  if (config.pairs !== undefined) service.setPairs(config.pairs);
  await service.start();
  scope.use(openControl(context, controlPath(stateDir, SPEC.name), service));
  return {
    tasks: [relayTask, ...(manager === null ? [] : [manager.task])],
    status: () => ({ follows: followed(manager?.client), ...statusOf(service) }),
  };
}

interface Followed {
  readonly client: ForwardingClient;
  readonly task: Task;
}

/** What the manager wants relayed is relayed, also while it is away: guests outlive it. */
async function follow(
  { native, clock, log, scope }: DaemonContext<Config>,
  service: RelayService,
): Promise<Followed> {
  const bus = scope.use(await connectBus({ native, clock, log }).catch(noBus(`name interfaces: ${EXAMPLE}`)));
  const client = scope.use(
    await forwardingClient({
      bus,
      clock,
      log,
      onChange: ({ pairs }) => {
        service.setPairs(
          pairs
            .filter(({ broadcast }) => broadcast)
            .map(({ upstream, downstream }) => ({ lan: upstream, guest: downstream })),
        );
      },
    }),
  );
  return { client, task: busTask(bus) };
}

function followed(client: ForwardingClient | undefined): string {
  if (client === undefined) return 'the command line';
  return client.isCurrent ? 'the manager' : 'the manager, which is not there';
}

/** Everything happens in answer to frames, news and timers; a fault in them ends the process. */
const relayTask: Task = {
  name: 'relay',
  ready: Promise.resolve(),
  run: (signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
    }),
};
