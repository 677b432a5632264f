import { accept, refuse, type Checked } from '@pp/base';
import {
  checkedIfname,
  checkedStateDir,
  DEFAULT_STATE_DIR,
  parseOr,
  RawArgs,
  unclear,
  usageFault,
  VERSION,
  type Answer,
} from '@pp/daemon';
import { TrafficCounterSource } from '@pp/proto';
import { Command } from 'commander';

export const NAME = 'patchpanelctl';

export interface StatusCommand {
  readonly do: 'status';
  readonly json: boolean;
  readonly stateDir: string;
}

/** What to ask of ConnectNamespace. */
export interface ConnectRequest {
  /** A process in the namespace; undefined asks for a new namespace. */
  readonly pid: number | undefined;
  /** Empty: the default route, as it changes. */
  readonly outbound: string;
  readonly allowUserTraffic: boolean;
  readonly routeOnVpn: boolean;
  /** TrafficCounterSource. */
  readonly source: number;
}

export interface ConnectCommand {
  readonly do: 'connect';
  readonly request: ConnectRequest;
  readonly json: boolean;
  readonly stateDir: string;
  /** Program and arguments to run inside; empty: hold the namespace. */
  readonly run: readonly string[];
}

export type Asked = StatusCommand | ConnectCommand | Answer;

const SOURCES = Object.keys(TrafficCounterSource).map((name) => name.toLowerCase().replaceAll('_', '-'));
const MAX_PID = 4_194_304; // PID_MAX_LIMIT, include/linux/threads.h

const EXAMPLES = `
Examples:
  ${NAME} status
  ${NAME} connect --new -- ping -c 1 192.0.2.1
  ${NAME} connect --new --outbound eth0 --json
  ${NAME} connect --pid 4242

Exit codes: 0 done, 1 failed, 2 usage, 3 no such object, 4 conflict, 5 denied, 6 manager unreachable, 7 done but degraded.
DBUS_SYSTEM_BUS_ADDRESS chooses the bus.`;

const CONNECT_NOTES = `
The namespace is connected for as long as this program or the command holds its lifeline. With a command the exit code is the command's,
128 + N when signal N ended it. Without one the addresses are printed and the namespace is held until Ctrl-C.`;

/** Reads the command line. Nothing is printed and nothing is done. */
export function readCommand(argv: readonly string[]): Asked {
  let asked: Asked = unclear(NAME, 'no command');
  const program = new Command(NAME)
    .description('Asks the Patchpanel manager of this host.')
    .version(VERSION, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print this and exit')
    .helpCommand(false)
    .usage('[options] COMMAND')
    .option('--state-dir <DIR>', "where the manager's status socket lies", DEFAULT_STATE_DIR)
    .argument('[command...]')
    .action(([word]: string[]) => {
      asked = unclear(
        NAME,
        word === undefined
          ? 'no command; write status or connect'
          : `'${word}' is no command; write status or connect`,
      );
    })
    .addHelpText('after', EXAMPLES);
  program
    .command('status')
    .description('show uplinks, namespaces, guests and warnings')
    .option('--json', 'as JSON, as the manager tells it')
    .allowExcessArguments()
    .action((options: object, { args }: Command) => {
      asked = orMistake(status(new RawArgs({ ...program.opts(), ...options }, args)));
    });
  connectOptions(program.command('connect')).action((run: string[], options: object) => {
    asked = orMistake(connect(new RawArgs({ ...program.opts(), ...options }, run)));
  });
  return parseOr(program, argv, () => asked);
}

function connectOptions(command: Command): Command {
  return command
    .description('connect a network namespace and hold it, or run a command in it')
    .usage('--pid N | --new [options] [-- CMD...]')
    .option('--pid <N>', 'the namespace of this process')
    .option('--new', 'a new namespace')
    .option('--outbound <IF>', 'uplink that all traffic must leave by')
    .option('--allow-user-traffic', "let the user's guests and the namespace reach each other")
    .option('--route-on-vpn', 'follow the VPN while there is one')
    .option('--source <NAME>', `count the traffic as ${SOURCES.join(', ')}`)
    .option('--json', 'print the addresses as one JSON object, before the command runs')
    .argument('[cmd...]')
    .addHelpText('after', CONNECT_NOTES);
}

const orMistake = (checked: Checked<Asked>): Asked =>
  checked.ok ? checked.value : usageFault(checked.sentence);

function status(raw: RawArgs): Checked<StatusCommand> {
  const [stray] = raw.operands;
  if (stray !== undefined)
    return refuse('InvalidArgument', `status takes no argument '${stray}'; see ${NAME} --help`);
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  return stateDir.ok ? accept({ do: 'status', json: raw.has('json'), stateDir: stateDir.value }) : stateDir;
}

function connect(raw: RawArgs): Checked<ConnectCommand> {
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  if (!stateDir.ok) return stateDir;
  const pid = checkedPid(raw);
  if (!pid.ok) return pid;
  const outbound = checkedOutbound(raw.one('outbound'));
  if (!outbound.ok) return outbound;
  const source = checkedSource(raw.one('source') ?? 'unknown');
  if (!source.ok) return source;
  const request = {
    pid: pid.value,
    outbound: outbound.value,
    allowUserTraffic: raw.has('allow-user-traffic'),
    routeOnVpn: raw.has('route-on-vpn'),
    source: source.value,
  };
  return accept({
    do: 'connect',
    request,
    json: raw.has('json'),
    stateDir: stateDir.value,
    run: raw.operands,
  });
}

function checkedPid(raw: RawArgs): Checked<number | undefined> {
  const text = raw.one('pid');
  if (text === undefined && !raw.has('new'))
    return refuse('InvalidArgument', 'no namespace; write --pid N or --new');
  if (text === undefined) return accept(undefined);
  if (raw.has('new'))
    return refuse('InvalidArgument', `--pid '${text}' and --new exclude each other; write one of them`);
  const pid = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (pid >= 1 && pid <= MAX_PID) return accept(pid);
  return refuse(
    'InvalidArgument',
    `--pid '${text}' is no process id; write a number from 1 to ${MAX_PID}, or --new for a new namespace`,
  );
}

function checkedOutbound(name: string | undefined): Checked<string> {
  if (name === undefined) return accept('');
  const ifname = checkedIfname(name);
  return ifname.ok ? ifname : refuse(ifname.reason, `--outbound ${ifname.sentence}`);
}

function checkedSource(name: string): Checked<number> {
  const found = Object.entries(TrafficCounterSource).find((_, place) => SOURCES[place] === name);
  if (found !== undefined) return accept(found[1]);
  return refuse('InvalidArgument', `--source '${name}' is unknown; write one of ${SOURCES.join(', ')}`);
}
