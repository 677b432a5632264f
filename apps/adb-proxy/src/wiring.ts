import { readFileSync } from 'node:fs';
import { KernelError, type Task } from '@pp/base';
import { ExitCode, noBus, Refused, type DaemonContext, type Parts } from '@pp/daemon';
import { connectBus, type Bus } from '@pp/dbus';
import { LinuxStreamRelay } from '@pp/linux';
import type { Config } from './config';
import { Follower } from './manager/follower';
import { ownGates } from './manager/desired';
import { RelayService } from './relay-service';
import { statusOf } from './status';

/** Joins the parts. */
export async function wire(context: DaemonContext<Config>): Promise<Parts> {
  const { config, clock, log, scope, native } = context;
  const relay = scope.use(new LinuxStreamRelay(native));
  const service = new RelayService({ relay, clock, log, limits: config.limits });
  const drain = drainTask(service);
  const status = (): object => statusOf(service, clock.now());
  if (config.connect.length > 0) {
    serveAlone(service, config);
    return { tasks: [drain], status: () => ({ follows: 'nobody', ...status() }) };
  }
  const { bus, follower } = await follow(context, service);
  return {
    tasks: [drain, busTask(bus)],
    status: () => ({ follows: 'manager', ...follower.status, ...status() }),
  };
}

/** What the command line says; a place that cannot be listened at is told at once. */
function serveAlone(service: RelayService, config: Config): void {
  service.set({ gates: [], targets: config.connect });
  for (const gate of ownGates(config)) {
    try {
      service.openGates([gate]);
    } catch (fault) {
      if (fault instanceof KernelError) throw refused(fault);
      throw fault;
    }
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there: stop it or write another port',
  EADDRNOTAVAIL: 'no interface of this host has that address: write one that "ip addr" shows',
  EACCES: 'a port below 1024 needs more rights: write another one',
};

function refused(fault: KernelError): Refused {
  const advice = ADVICE[fault.code];
  return new Refused(ExitCode.failed, `cannot ${fault.request} (${fault.code})`, {
    ...(advice === undefined ? {} : { advice }),
    cause: fault,
  });
}

async function follow(
  { config, clock, log, scope, native }: DaemonContext<Config>,
  service: RelayService,
): Promise<{ readonly bus: Bus; readonly follower: Follower }> {
  const bus = scope.use(
    await connectBus({ native, clock, log }).catch(
      noBus('write --listen 127.0.0.1:5555 and where to --connect'),
    ),
  );
  const follower = new Follower({
    bus,
    clock,
    log,
    config,
    isDeveloperMode: isDeveloperMode(),
    onDesired: (desired) => {
      service.set(desired);
    },
  });
  scope.use(follower);
  await follower.start();
  return { bus, follower };
}

/** As `crossystem cros_debug` finds out. */
function isDeveloperMode(): boolean {
  return readFileSync('/proc/cmdline', 'latin1').split(/\s+/).includes('cros_debug');
}

/** Callers come and go by themselves; what is left to do is to let them finish at the end. */
const drainTask = (service: RelayService): Task => ({
  name: 'relay',
  ready: Promise.resolve(),
  run: async (signal) => {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    await service.drain();
  },
});

/** Without the bus nobody can say what to relay: the service ends, and whoever started it decides. */
const busTask = (bus: Bus): Task => ({
  name: 'bus',
  ready: Promise.resolve(),
  run: (signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
      void bus.closed.then(reject);
    }),
});
