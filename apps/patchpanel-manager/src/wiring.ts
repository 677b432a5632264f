import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deferred, millis, type Task } from '@pp/base';
import {
  claimantOf,
  ExitCode,
  noBus,
  randomBytes,
  Refused,
  type Claim,
  type DaemonContext,
  type Parts,
} from '@pp/daemon';
import { HELPERS, helpersOn, onlyOne } from '@pp/forwarding';
import type { Kernel } from '@pp/datapath';
import { busTask, connectBus, type Bus } from '@pp/dbus';
import {
  LinuxGuestIpv6,
  LinuxKernel,
  LinuxProcessNetns,
  NativeClientSockets,
  NativeDescriptors,
  NetlinkConnections,
  NetlinkLosses,
  NetlinkNeighborCache,
  NetlinkNews,
  NftWriters,
  readHostIpv6,
} from '@pp/linux';
import type { Native } from '@pp/native';
import { IPV6_WARNINGS, type HostIpv6, type Journal, type NetworkNews } from '@pp/ports';
import type { Config } from './config';
import { afterEvents } from './after-events';
import { connectionEnds } from './connection-ends';
import { countedFeed } from './dbus/counted-feed';
import { connectNamespaceMethod } from './dbus/connect-namespace';
import { DeviceFeed } from './dbus/device-feed';
import { deviceMethods } from './dbus/device-methods';
import { guestMethods } from './dbus/guest-methods';
import { portMethods } from './dbus/port-methods';
import { ForwardingFeed } from './dbus/forwarding-feed';
import { forwardingMethods } from './dbus/forwarding-methods';
import { neighborAnnouncer } from './dbus/neighbor-announcer';
import { serve, type ApiMethods, type Services } from './dbus/service';
import { FORWARDING, PATH, SERVICE } from './dbus/spec';
import type { World } from './domain/world';
import { MachineProcesses } from './helpers/machine-processes';
import { Supervisor } from './helpers/supervisor';
import { trafficMethods } from './dbus/traffic-methods';
import { vpnMethods } from './dbus/vpn-methods';
import { Ipv6Restarts } from './ipv6-restarts';
import { openJournal, journalRefused } from './journal-refused';
import { Manager, type ManagerParts } from './manager';
import { mostLifelines } from './open-files';
import { monitoring, NeighborMonitor } from './neighbor-monitor';
import { onlyHere } from './only-here';
import { randomPool } from './random-pool';
import { inTurn } from './reconciler';
import { nameserversAt } from './resolv-conf';
import { ShillNews } from './shill/shill-news';
import { statusOf } from './status';
import { ToldLater } from './told-later';
import { Survival } from './survival';
import { expectWritableSysctls } from './writable-sysctls';

/** Stands before a door to the outside; the crash tests stop the process there. */
export interface Doors {
  readonly kernel?: (kernel: Kernel) => Kernel;
  readonly journal?: (journal: Journal) => Journal;
}

const asItIs = <T>(door: T): T => door;

/** Joins the parts. The names come before the kernel, because a second manager must touch nothing; early calls wait for the start. */
export async function wire(context: DaemonContext<Config>, doors: Doors = {}): Promise<Parts> {
  const { log, clock, scope, config } = context;
  expectWritableSysctls();
  const native = context.native;
  const bus = scope.use(await connectBus({ native, clock, log }).catch(noBus()));
  const started = deferred<Services>();
  scope.defer(serve(bus, started.promise));
  scope.use(await ownNames(context, bus));
  const later = afterEvents((run) => setImmediate(() => clock.after('after the answer', ANSWER_TAKES, run)));
  const { feed, deviceFeed, monitor, told } = observersOf(context, native, bus, later);
  const writers = new NftWriters();
  const processNetns = new LinuxProcessNetns(native);
  const ipv6 = readHostIpv6();
  const news = newsOf(context, native, bus);
  const onRefused = (): void => {
    survival.lookAgain();
  };
  const manager = managerOf(
    context,
    { native, writers, processNetns, ipv6 },
    { news, observer: told, defer: afterEvents(setImmediate), later, onRefused },
    doors,
  );
  const survival = scope.use(survivalOf(context, native, manager, writers));
  const { absent } = config.local;
  if (absent.length > 0) log.info('local-sources.absent', { users: absent.join(' ') });
  for (const warning of IPV6_WARNINGS[ipv6]) log.warn('ipv6.missing', { warning });
  await manager.start().catch(journalRefused(context.stateDir));
  // A start that failed takes nothing back: the next one repairs.
  scope.defer(() => {
    survival.close(); // what goes from now on is to go
    return manager.stop(config.onExit);
  });
  const whileIdle = afterEvents((run) => {
    process.nextTick(run); // before the loop goes on, and after all that is to be done at once
  });
  const parts = { native, processNetns, defer: whileIdle, bus, feed, deviceFeed, told };
  started.resolve(servicesOf(manager, parts, config));
  await survival.start();
  await monitor.start();
  monitor.follow(manager.world.uplinks);
  const helpers = helpersOf(context);
  return {
    tasks: [busTask(bus), managerTask(manager), helpers],
    status: () =>
      statusOf(manager.world, helpers.status, [
        ...manager.clashes,
        ...IPV6_WARNINGS[readHostIpv6()], // of now: the switch of all interfaces may be turned while we serve
        ...survival.warnings,
      ]),
  };
}

/** The kernel often wakes the bus, and then the client, on our own CPU: an answer would wait there for what we did next, so we sleep for so long. */
const ANSWER_TAKES = millis(1);

/** Who is told of changes, all of them by `told`. */
function observersOf(
  context: DaemonContext<Config>,
  native: Native,
  bus: Bus,
  later: ManagerParts['later'],
): Feeds & { readonly monitor: NeighborMonitor } {
  const { log, clock, scope } = context;
  const feed = feedOn(bus);
  const deviceFeed = new DeviceFeed(bus);
  const restarts = new Ipv6Restarts({ guestIpv6: new LinuxGuestIpv6(native), clock, log });
  const connections = scope.use(new NetlinkConnections({ native, log }));
  const monitor = scope.use(neighborMonitorOf(context, native, bus));
  const all = [
    feed,
    countedFeed(bus),
    deviceFeed,
    restarts,
    connectionEnds(connections),
    monitoring(monitor),
  ];
  return { bus, feed, deviceFeed, monitor, told: new ToldLater(inTurn(...all), later) };
}

const RESOLV_CONF = '/etc/resolv.conf';

const neighborMonitorOf = (
  { clock, log, config }: DaemonContext<Config>,
  native: Native,
  bus: Bus,
): NeighborMonitor =>
  new NeighborMonitor({
    cache: new NetlinkNeighborCache({ native, clock, log }),
    clock,
    onEvent: neighborAnnouncer(bus),
    which: config.monitor,
    nameservers: () => nameserversAt(RESOLV_CONF),
  });

const survivalOf = (
  { clock, log }: DaemonContext<Config>,
  native: Native,
  { reconciler }: Manager,
  writers: NftWriters,
): Survival =>
  new Survival({
    news: new NetlinkLosses({ native, clock, log, writers }),
    clock,
    log,
    guestPrefixes: () => reconciler.world.pools.guestPrefixes,
    mend: (judge) => reconciler.mend(judge),
  });

function newsOf({ config, clock, log }: DaemonContext<Config>, native: Native, bus: Bus): NetworkNews {
  const kernel = new NetlinkNews({ native, clock, log });
  return config.network === 'shill' ? new ShillNews({ bus, kernel, clock, log }) : kernel;
}

function managerOf(
  { config, log, clock, stateDir, scope, systemd }: DaemonContext<Config>,
  host: {
    readonly native: Native;
    readonly writers: NftWriters;
    readonly processNetns: LinuxProcessNetns;
    readonly ipv6: HostIpv6;
  },
  { news, ...followers }: Pick<ManagerParts, 'news' | 'observer' | 'defer' | 'later' | 'onRefused'>,
  { kernel = asItIs, journal = asItIs }: Doors,
): Manager {
  const { native, writers, processNetns, ipv6 } = host;
  const options = { native, log, clock, writers, openNamespaces: processNetns };
  return new Manager({
    kernel: kernel(scope.use(new LinuxKernel(options))),
    journal: journal(openJournal(stateDir)),
    news,
    descriptors: new NativeDescriptors(native),
    processNetns,
    fdStore: systemd,
    ...followers,
    log,
    pools: config.pools,
    sessionUser: config.sessionUser,
    mostLifelines: mostLifelines(readFileSync('/proc/self/limits', 'utf8')),
    uplinks: config.uplinks,
    localSources: config.local.sources,
    withoutIpv6: ipv6 === 'absent',
    randomBytes: forMacs,
  });
}

const forMacs = randomPool(randomBytes);

/** Whoever asks how things are is told first what was to be told later, so that answers and signals are in order. */
function servicesOf(
  manager: Manager,
  { bus, feed, deviceFeed, told, ...host }: HostParts & Feeds,
  config: Config,
): Services {
  const asTold = <T>(say: (world: World) => T): T => {
    told.tellNow();
    return say(manager.world);
  };
  return {
    api: {
      ...methodsOf(manager, host, config),
      ...deviceMethods(() => asTold((world) => deviceFeed.devices(world))),
      ...trafficMethods(bus),
    },
    forwarding: forwardingMethods(manager.reconciler, () => asTold((world) => feed.state(world))),
  };
}

interface Feeds {
  readonly bus: Bus;
  readonly feed: ForwardingFeed;
  readonly deviceFeed: DeviceFeed;
  readonly told: ToldLater;
}

type HostParts = { readonly native: Native } & Pick<ManagerParts, 'processNetns' | 'defer'>;

function methodsOf(
  { reconciler, watch, hold, holdDns }: Manager,
  { native, processNetns, defer }: HostParts,
  { tapOwner }: Config,
): Omit<ApiMethods, 'GetDevices' | 'GetTrafficCounters'> {
  const common = { reconciler, processNetns, randomBytes: forMacs, ownPid: process.pid, defer };
  const descriptors = new NativeDescriptors(native);
  return {
    ...guestMethods({ ...common, tapOwner }),
    ConnectNamespace: connectNamespaceMethod({ ...common, descriptors, watch, hold }),
    ...portMethods({ reconciler, descriptors, holdDns }),
    ...vpnMethods({ reconciler, descriptors, sockets: new NativeClientSockets(native) }),
  };
}

function helpersOf({ native, config, stateDir, logOptions, clock, log }: DaemonContext<Config>): Supervisor {
  const { level, format } = logOptions;
  const processes = new MachineProcesses({
    directory: dirname(realpathSync(process.argv[1] ?? '.')),
    args: ['--state-dir', stateDir, '--log-level', level, '--log-format', format],
    ownArgs: {
      counters: ['--on-exit', config.onExit, ...(config.state === null ? [] : ['--state', config.state])],
    },
    recordPath: join(stateDir, 'helpers.json'),
    clock,
    log,
  });
  const names = config.helpers === 'spawn' ? HELPERS : [];
  const hasWork = (name: string): boolean => helpersOn(readHostIpv6()).some((helper) => helper === name);
  const otherOne = (name: string): number | null => claimantOf(native, onlyOne(name));
  return new Supervisor({ processes, clock, log, names, hasWork, otherOne });
}

/** Helpers hear of a change before clients do (spec 1.2). */
const feedOn = (bus: Bus): ForwardingFeed =>
  new ForwardingFeed({
    instance: randomBytes(8).readBigUInt64LE(),
    emit: (change) => {
      const signal = { path: PATH, interface: FORWARDING.name, member: 'ForwardingChanged' };
      bus.emitSignal({ ...signal, signature: 'ay', body: [change] });
    },
  });

/** On the bus, and in the network namespace. */
async function ownNames(context: DaemonContext<Config>, bus: Bus): Promise<Claim> {
  if ((await bus.requestName(SERVICE)) === 'taken') {
    throw new Refused(
      ExitCode.failed,
      `${SERVICE} is owned already: another manager runs on this bus; stop it first`,
    );
  }
  return onlyHere(context);
}

const managerTask = ({ reconciler }: Manager): Task => ({
  name: 'reconciler',
  ready: Promise.resolve(),
  run: (signal) => untilAborted(signal, reconciler.broken),
});

/** Resolves on abort, rejects with what `fault` gives before that. */
function untilAborted(signal: AbortSignal, fault: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
    void fault.then((reason) => {
      reject(reason instanceof Error ? reason : new Error('ended without a reason'));
    });
  });
}
