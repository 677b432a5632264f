import { join, resolve } from 'node:path';
import { causeChain, deferred, type Task } from '@pp/base';
import {
  claimName,
  type DaemonContext,
  DEFAULT_STATE_DIR,
  errnoOf,
  ExitCode,
  noBus,
  type Parts,
  randomBytes,
  Refused,
} from '@pp/daemon';
import { busTask, connectBus, type Bus } from '@pp/dbus';
import { onlyOne } from '@pp/forwarding';
import { NftCounterTable } from '@pp/linux';
import { JournalFault } from '@pp/ports';
import { FILE_STORE_EXAMPLE, FileJournal, FleetMeter, openStore, RecordLog, shownStore } from '@pp/state';
import { DEFAULT_HISTORY_DIR, type Config } from './config';
import type { Ledger } from './core/ledger';
import { CounterService } from './counter-service';
import { serveCounters } from './dbus/serve';
import { SERVICE } from './dbus/spec';
import { Fleet } from './fleet';
import { historyRefused, lockHistory } from './history-lock';
import { ManagerFollower } from './follow-manager';
import { serveMetrics } from './metrics/server';
import { metricsText } from './metrics/text';
import { statusOf } from './status';

/** Joins the parts. What others may hold already (the name on the bus, a port) comes before the kernel: who is refused has touched nothing. */
export async function wire(context: DaemonContext<Config>): Promise<Parts> {
  const { config, scope, stateDir } = context;
  const bus = await busOf(context);
  scope.use(lockHistory(context, historyDirectory(context), context.log));
  const fleet = await openFleet(context);
  const service = serviceOf(context, fleet);
  const started = deferred<null>();
  const metrics = async (): Promise<string> => {
    await started.promise;
    await service.refresh();
    return metricsText(service);
  };
  scope.use(await serveMetrics({ kind: 'unix', path: join(stateDir, 'counters.metrics') }, metrics));
  if (config.metrics !== null) scope.use(await serveMetrics({ kind: 'tcp', ...config.metrics }, metrics));
  scope.use(claimName(context, onlyOne('counters'), tableTaken));
  await service.start();
  scope.defer(() => service.stop());
  started.resolve(null);
  const follower = await uplinksOf(context, service, bus);
  if (bus !== null) scope.defer(serveCounters(bus, service, fleet));
  const tasks: readonly Task[] = bus === null ? [] : [busTask(bus)];
  return { tasks, status: () => statusOf(service, follower?.state ?? 'not asked', fleet) };
}

/** Two with the same table would each drop what the other counts in. */
const tableTaken = (pid: number): Refused =>
  new Refused(ExitCode.failed, `another counters, pid ${pid}, counts in this network namespace`, {
    advice: 'stop it first',
  });

/** null: there is none, and none is needed to count what the command line names. */
async function busOf({ native, clock, log, config, scope }: DaemonContext<Config>): Promise<Bus | null> {
  const bus = await connectBus({ native, clock, log }).catch((fault: unknown) => {
    if (config.uplinks.length === 0) return noBus('name uplinks: counters eth0')(fault);
    log.warn('bus.absent', { error: causeChain(fault) });
    return null;
  });
  if (bus === null) return null;
  scope.use(bus);
  if ((await bus.requestName(SERVICE)) === 'taken')
    throw new Refused(ExitCode.failed, `${SERVICE} is owned already: another counters runs on this bus`, {
      advice: 'stop it first',
    });
  return bus;
}

function serviceOf(context: DaemonContext<Config>, fleet: Fleet | null): CounterService {
  const { native, clock, log, config } = context;
  const doors = {
    table: new NftCounterTable({ native, clock, log }),
    history: openHistory(historyDirectory(context)),
    log,
    clock,
    wall: Date.now,
    newId: () => randomBytes(4).toString('hex'),
    onSample: (ledger: Ledger) => fleet?.record(ledger),
  };
  return new CounterService(doors, config);
}

const historyDirectory = ({ config, stateDir }: DaemonContext<Config>): string =>
  config.historyDir ?? (stateDir === DEFAULT_STATE_DIR ? DEFAULT_HISTORY_DIR : stateDir);

/** null: this host is alone. It is closed after the service, whose last sample it delivers. */
async function openFleet(context: DaemonContext<Config>): Promise<Fleet | null> {
  const { config, clock, log, scope } = context;
  if (config.fleet === null) return null;
  const { store: address, host } = config.fleet;
  const directory = historyDirectory(context);
  const path = join(directory, 'fleet');
  const own = [path, join(directory, 'traffic')];
  if (address.kind === 'file' && own.includes(resolve(address.path)))
    throw new Refused(ExitCode.failed, `${address.path} is a file of these counters`, {
      advice: OTHER_STORE,
    });
  const journal = scope.use(await opened(`the journal ${path}`, OTHER_HISTORY, () => new FileJournal(path)));
  const store = await opened(`the store ${shownStore(address)}`, OTHER_STORE, () => openStore(address));
  const newId = (): string => `${host}/${randomBytes(8).toString('hex')}`;
  const meter = new FleetMeter({ store, journal, host, newId, clock, log, period: config.period });
  meter.start();
  return scope.use(new Fleet({ store, meter, host, shown: shownStore(address) }));
}

const OTHER_STORE = `write a file that is not there yet, e.g. --state ${FILE_STORE_EXAMPLE}`;
const OTHER_HISTORY = 'move it away or use another --history-dir';

/** `advice`: where it is there, and somebody else's. */
async function opened<T>(what: string, advice: string, open: () => T | Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (fault) {
    if (fault instanceof JournalFault)
      throw new Refused(ExitCode.failed, fault.message, { advice, cause: fault });
    const code = errnoOf(fault);
    if (code === undefined) throw fault;
    throw new Refused(ExitCode.failed, `${what} cannot be opened (${code})`, {
      advice: 'run counters as root, or use another place',
      cause: fault,
    });
  }
}

function openHistory(directory: string): RecordLog {
  try {
    return new RecordLog(join(directory, 'traffic'));
  } catch (fault) {
    const code = errnoOf(fault);
    if (code === undefined) throw fault;
    throw historyRefused(directory, code, fault);
  }
}

/** The uplinks of the command line; or those of the manager, who is followed. */
async function uplinksOf(
  { config, clock, log, scope }: DaemonContext<Config>,
  service: CounterService,
  bus: Bus | null,
): Promise<ManagerFollower | null> {
  if (config.uplinks.length > 0) await service.setCounted({ uplinks: config.uplinks, links: null });
  if (config.uplinks.length > 0 || bus === null) return null;
  let counting = Promise.resolve();
  const onCounted = (counted: Parameters<CounterService['setCounted']>[0]): void => {
    counting = service.setCounted(counted).catch((fault: unknown) => {
      log.warn('counted.refused', { error: causeChain(fault) });
    });
  };
  const follower = scope.use(new ManagerFollower({ bus, clock, log, onCounted }));
  await follower.start();
  await counting; // ready is told when what the manager has named is counted
  return follower;
}
