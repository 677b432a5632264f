import { causeChain, Scope, seconds, type Clock, type Logger, type Millis, type Task } from '@pp/base';
import type { Native } from '@pp/native';
import type { ServiceSpec } from './args';
import { collectWhenQuiet } from './collect-when-quiet';
import { stderrLog, type LogOptions } from './log';
import { missingRight } from './missing-right';
import { openNative } from './open-native';
import { runService } from './program';
import { ExitCode, Refused } from './refused';
import { keepHeapSmall } from './small-heap';
import { openStatusSocket, statusPath } from './status-socket';
import { idleTask, StopRequest } from './stop-request';
import { systemClock } from './system-clock';
import { Systemd, takeSystemdEnv } from './systemd';
import { runTasks } from './tasks';

/** What a service's main is given. */
export interface DaemonContext<C> {
  readonly config: C;
  readonly log: Logger;
  readonly clock: Clock;
  readonly stateDir: string;
  /** What `log` was made from, for programs that this one starts. */
  readonly logOptions: LogOptions;
  /** Closed in reverse when the tasks have ended. */
  readonly scope: Scope;
  /** Aborted when the service is to stop, also while main is still at work. */
  readonly signal: AbortSignal;
  readonly systemd: Systemd;
  readonly native: Native;
}

/** What a service consists of: its tasks, and what it adds to its status, asked anew for every answer. */
export interface Parts {
  readonly tasks: readonly Task[];
  readonly status?: () => object;
}

export type DaemonMain<C> = (context: DaemonContext<C>) => Parts | Promise<Parts>;

/** From the request to stop to the end of the process; then it ends anyway, with exit code 1. systemd would wait 90 s. */
const STOP_DEADLINE = seconds(20);

/**
 * Reads the arguments of this process, serves until a signal or a fault, and ends the process: 0 after a signal, 1 after a fault. Ready
 * is told when every task is: by a log line, to systemd, and in the status.
 */
export function runDaemon<C>(spec: ServiceSpec<C>, main: DaemonMain<C>): Promise<never> {
  return runService(spec, async (config, common) => {
    const log = stderrLog(common);
    const stop = new StopRequest({
      onFault: (fault) => {
        logFault(log, fault);
      },
      abandon: (exitCode) => process.exit(exitCode),
    });
    try {
      const { stateDir, level, format } = common;
      const setting = { config, log, stateDir, logOptions: { level, format }, signal: stop.signal };
      await serve(spec, setting, main);
    } catch (fault) {
      if (fault instanceof Refused) throw fault;
      const refused = missingRight(fault);
      if (refused !== undefined) throw refused;
      if (fault !== stop.signal.reason) return logFault(log, fault);
    }
    log.info('stopped');
    return stop.faulty ? ExitCode.failed : ExitCode.done;
  });
}

function logFault(log: Logger, fault: unknown): ExitCode {
  log.error('fault', { error: causeChain(fault) });
  log.debug('fault.stack', { stack: fault instanceof Error ? fault.stack : undefined });
  return ExitCode.failed;
}

type Setting<C> = Pick<DaemonContext<C>, 'config' | 'log' | 'stateDir' | 'logOptions' | 'signal'>;

async function serve<C>(spec: ServiceSpec<C>, setting: Setting<C>, main: DaemonMain<C>): Promise<void> {
  const { log, stateDir, signal } = setting;
  const clock = systemClock;
  const native = openNative(stateDir);
  keepHeapSmall(native);
  collectWhenQuiet(native, clock);
  const systemd = new Systemd(takeSystemdEnv(process.env, process.pid), native, log);
  const path = statusPath(stateDir, spec.name);
  const report = new Report(spec, clock);
  const onReady = (): void => {
    report.ready = true;
    log.info('ready', { service: spec.name, version: spec.version, status: path });
    systemd.ready();
  };
  const onStopping = once(() => {
    log.info('stopping');
    systemd.stopping();
    exitAfter(STOP_DEADLINE, clock, log);
  });
  signal.addEventListener('abort', onStopping); // main may still be at work
  await closingAfter(clock, log, async (scope) => {
    scope.use(openStatusSocket({ native, clock }, path, () => report.now()));
    scope.defer(systemd.startWatchdog(clock));
    const parts = await main({ ...setting, clock, scope, systemd, native });
    report.add = parts.status;
    await runTasks([...parts.tasks, idleTask], signal, { onReady, onStopping });
  });
}

/** What the status socket answers. */
class Report {
  ready = false;
  add: Parts['status'];
  readonly #about: Readonly<Record<string, string | number>>;
  readonly #clock: Clock;
  readonly #born: Millis;

  constructor({ name, version }: { readonly name: string; readonly version: string }, clock: Clock) {
    this.#about = { name, version, pid: process.pid };
    this.#clock = clock;
    this.#born = clock.now();
  }

  now(): object {
    const uptimeSec = Math.floor((this.#clock.now() - this.#born) / 1000);
    return { ...this.#about, uptimeSec, ready: this.ready, ...this.add?.() };
  }
}

/** Makes a value at the first call and keeps it. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Closes the scope after `work`, however that ended, and reports all that went wrong. */
async function closingAfter(clock: Clock, log: Logger, work: (scope: Scope) => Promise<void>): Promise<void> {
  const scope = new Scope();
  const faults: unknown[] = [];
  const note = (fault: unknown): void => void faults.push(fault);
  await work(scope).catch(note);
  exitAfter(STOP_DEADLINE, clock, log);
  await scope.close().catch(note);
  if (faults.length === 1) throw faults[0];
  if (faults.length > 1) throw new AggregateError(faults, 'stopping after a fault');
}

function exitAfter(deadline: Millis, clock: Clock, log: Logger): void {
  clock.after('stop deadline', deadline, () => {
    log.error('stop.overdue', { seconds: deadline / 1000 });
    process.exit(ExitCode.failed);
  });
}
