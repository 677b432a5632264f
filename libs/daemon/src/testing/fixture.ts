/** A service for the tests of runDaemon: it behaves as --behave says. */
import type { Task } from '@pp/base';
import { choice, ExitCode, Refused, runDaemon, type ServiceSpec } from '../index';

const BEHAVIOURS = ['serve', 'refuse', 'throw', 'fail', 'crash', 'hang', 'bad-close', 'slow-start'] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

const SPEC: ServiceSpec<Behaviour> = {
  name: 'fixture',
  version: '9.8.7',
  description: 'Behaves.',
  options: [{ flags: '--behave <HOW>', text: BEHAVIOURS.join(', ') }],
  parse: (raw) => choice(raw, 'behave', BEHAVIOURS, 'serve'),
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

function task(name: string, run: (signal: AbortSignal) => Promise<void>): Task {
  return { name, ready: Promise.resolve(), run };
}

const RUNS: Partial<Record<Behaviour, (signal: AbortSignal) => Promise<void>>> = {
  fail: () => Promise.reject(new Error('the link is gone', { cause: new Error('ENODEV') })),
  crash: (signal) => {
    setImmediate(() => {
      throw new Error('out of the blue');
    });
    return aborted(signal);
  },
  hang: () => new Promise(() => undefined),
};

void runDaemon(SPEC, async ({ config, log, scope, stateDir, signal }) => {
  if (config === 'refuse') throw new Refused(ExitCode.conflict, 'somebody else owns the name');
  if (config === 'throw') throw new Error('opening the bus', { cause: new Error('ECONNREFUSED') });
  if (config === 'slow-start') {
    log.info('starting');
    await aborted(signal);
    signal.throwIfAborted();
  }
  scope.defer(() => {
    log.info('closed.first');
  });
  scope.defer(() => {
    log.info('closed.second');
    if (config === 'bad-close') throw new Error('the table is stuck');
  });
  log.info('started', { behaviour: config, stateDir });
  return {
    tasks: [task('worker', RUNS[config] ?? aborted)],
    status: () => ({ behaviour: config, guests: [{ id: 1 }] }),
  };
});
