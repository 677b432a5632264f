/** `patchpanelctl connect`: asks for the namespace, then holds it, with or without a command inside. */
import { Scope } from '@pp/base';
import { errnoOf, ExitCode, Refused } from '@pp/daemon';
import type { Bus } from '@pp/dbus';
import type { Native } from '@pp/native';
import type { ConnectCommand } from './args';
import { withBus } from './call-manager';
import type { ConnectRequest } from './connect-args';
import { connectedText, type Connected } from './connected';
import { openConnection, type Connection } from './connection';
import { jsonLine } from './json';
import { exitOf, spawnInside } from './run-inside';

/** What it takes of the outside. */
export interface ConnectDoors {
  readonly native: Native;
  readonly connectBus: () => Promise<Pick<Bus, 'call' | 'close'>>;
  /** To standard output. */
  readonly print: (text: string) => void;
  /** One line to standard error. */
  readonly warn: (sentence: string) => void;
  /** Calls back for each SIGINT, SIGTERM and SIGHUP until the returned function is called; without one they end the process. */
  readonly onSignal: (handler: (signal: NodeJS.Signals) => void) => () => void;
  /** Standard input is a terminal: its Ctrl-C reaches the command without our help. */
  readonly terminal: boolean;
}

/** Returns the exit code: the command's, or 0 after a signal while holding. */
export async function connect(asked: ConnectCommand, doors: ConnectDoors): Promise<number> {
  const scope = new Scope();
  try {
    const connection = await ask(scope, asked.request, doors);
    return asked.run.length === 0
      ? await hold(scope, asked.json, connection, doors)
      : await run(scope, asked, connection, doors);
  } finally {
    await scope.close();
  }
}

/** The bus is let go: only the lifeline counts. */
const ask = (
  scope: Scope,
  request: ConnectRequest,
  { connectBus, native }: ConnectDoors,
): Promise<Connection> =>
  withBus(connectBus, async (bus) => scope.use(await openConnection(bus, native, request)));

async function hold(
  scope: Scope,
  json: boolean,
  { facts, lost }: Connection,
  doors: ConnectDoors,
): Promise<number> {
  const released = new Promise<'released'>((resolve) => {
    scope.defer(
      doors.onSignal(() => {
        resolve('released');
      }),
    );
  });
  doors.print(json ? jsonLine(facts) : connectedText(facts));
  const end = await Promise.race([released, lost]);
  if (end === 'released') return ExitCode.done;
  throw new Refused(ExitCode.unreachable, `the manager let go of ${facts.netns_name}`, {
    advice: 'see patchpanelctl status, and connect again',
  });
}

async function run(
  scope: Scope,
  { run: command, json, request }: ConnectCommand,
  { facts, lifeline, lost }: Connection,
  { native, print, warn, onSignal, terminal }: ConnectDoors,
): Promise<number> {
  const netns = openNamespace(native, request, facts);
  scope.defer(() => {
    native.closeFd(netns);
  });
  if (json) print(jsonLine(facts));
  const child = spawnInside(native, netns, command, lifeline);
  scope.defer(
    onSignal((signal) => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal);
    }),
  );
  void lost.then(() => {
    warn(`the manager let go of ${facts.netns_name}; the command runs on without network`);
  });
  return exitOf(child);
}

/** By the process where one was named: only the manager's mount namespace has to have the name. */
function openNamespace(native: Native, { pid }: ConnectRequest, { netns_name: name }: Connected): number {
  try {
    return native.openNetns(pid === undefined ? { path: `/run/netns/${name}` } : { pid });
  } catch (fault) {
    const code = errnoOf(fault);
    if (code === undefined) throw fault;
    const denied = code === 'EPERM' || code === 'EACCES';
    const place = pid === undefined ? name : `of process ${pid}`;
    throw new Refused(
      denied ? ExitCode.denied : ExitCode.notFound,
      `the namespace ${place} cannot be entered (${code})`,
      {
        advice: denied
          ? 'run this as root, or without a command'
          : 'run this where the manager runs, or without a command',
        cause: fault,
      },
    );
  }
}
