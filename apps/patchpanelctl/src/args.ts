import { accept, refuse, type Checked } from '@pp/base';
import {
  checkedStateDir,
  DEFAULT_STATE_DIR,
  parseOr,
  RawArgs,
  unclear,
  usageFault,
  VERSION,
  type Answer,
} from '@pp/daemon';
import { Command } from 'commander';
import { connectOptions, connectRequest, type ConnectRequest } from './connect-args';
import { arcCall, arcOptions, vmCall, vmOptions, type GuestCall } from './guest-args';
import { vpnAction, vpnOptions, type VpnAction } from './vpn-args';
import { portAction, portOptions, type PortAction } from './port-args';
import { trafficOptions, trafficWish, type TrafficWish } from './traffic-args';

export const NAME = 'patchpanelctl';

export interface StatusCommand {
  readonly do: 'status';
  readonly json: boolean;
  readonly stateDir: string;
}

export interface ConnectCommand {
  readonly do: 'connect';
  readonly request: ConnectRequest;
  readonly json: boolean;
  readonly stateDir: string;
  /** Program and arguments to run inside; empty: hold the namespace. */
  readonly run: readonly string[];
}

export interface DevicesCommand {
  readonly do: 'devices';
  readonly json: boolean;
  readonly stateDir: string;
}

export interface GuestCommand {
  readonly do: 'guest';
  readonly call: GuestCall;
  readonly json: boolean;
  readonly stateDir: string;
}

export interface PortCommand {
  readonly do: 'port';
  readonly action: PortAction;
  readonly json: boolean;
  readonly stateDir: string;
}

export interface VpnCommand {
  readonly do: 'vpn';
  readonly action: VpnAction;
  readonly json: boolean;
  readonly stateDir: string;
}

export interface EventsCommand {
  readonly do: 'events';
  readonly json: boolean;
  readonly stateDir: string;
}

export interface TrafficCommand {
  readonly do: 'traffic';
  readonly wish: TrafficWish;
  readonly stateDir: string;
}

export type Asked =
  | TrafficCommand
  | VpnCommand
  | PortCommand
  | EventsCommand
  | StatusCommand
  | DevicesCommand
  | GuestCommand
  | ConnectCommand
  | Answer;

const COMMANDS = 'status, devices, events, connect, vm, arc, port, vpn or traffic';

const EXAMPLES = `
Examples:
  ${NAME} status
  ${NAME} devices --json
  ${NAME} vm start termina --id 33
  ${NAME} arc start --pid 4242
  ${NAME} connect --new -- ping -c 1 192.0.2.1
  ${NAME} connect --new --outbound eth0 --json
  ${NAME} connect --pid 4242
  ${NAME} port forward 8080 --on eth0 --to 100.115.92.26:80
  ${NAME} vpn lockdown on
  ${NAME} events --json
  ${NAME} traffic report --month 2026-11 --by guest,uplink

Exit codes: 0 done, 1 failed, 2 usage, 3 no such object, 4 conflict, 5 denied, 6 manager unreachable, 7 done but degraded.
DBUS_SYSTEM_BUS_ADDRESS chooses the bus.`;

/** Reads the command line. Nothing is printed and nothing is done. */
export function readCommand(argv: readonly string[]): Asked {
  let asked: Asked = unclear(NAME, 'no command');
  const take = (check: (raw: RawArgs) => Checked<Asked>, options: object, words: readonly string[]): void => {
    asked = orMistake(check(new RawArgs({ ...program.opts(), ...options }, words)));
  };
  const taking = (check: (raw: RawArgs) => Checked<Asked>) => (words: string[], options: object) => {
    take(check, options, words);
  };
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
        word === undefined ? `no command; write ${COMMANDS}` : `'${word}' is no command; write ${COMMANDS}`,
      );
    })
    .addHelpText('after', EXAMPLES);
  program
    .command('status')
    .description('show uplinks, namespaces, guests, helpers and warnings')
    .option('--json', 'as JSON, as the manager tells it')
    .allowExcessArguments()
    .action((options: object, { args }: Command) => {
      take(showing('status'), options, args);
    });
  program
    .command('devices')
    .description("show guests' devices, as the API tells them")
    .option('--json', 'as JSON')
    .allowExcessArguments()
    .action((options: object, { args }: Command) => {
      take(showing('devices'), options, args);
    });
  program
    .command('events')
    .description('tell what happens to guests and neighbours, one line each, until Ctrl-C')
    .option('--json', 'one JSON object a line; "v" is the version of their keys')
    .allowExcessArguments()
    .action((options: object, { args }: Command) => {
      take(showing('events'), options, args);
    });
  connectOptions(program.command('connect')).action(taking(connect));
  vmOptions(program.command('vm')).action(taking(guestCommand(vmCall)));
  arcOptions(program.command('arc')).action(taking(guestCommand(arcCall)));
  portOptions(program.command('port')).action(taking(portCommand));
  vpnOptions(program.command('vpn')).action(taking(vpnCommand));
  trafficOptions(program.command('traffic')).action(taking(trafficCommand));
  return parseOr(program, argv, () => asked);
}

const orMistake = (checked: Checked<Asked>): Asked =>
  checked.ok ? checked.value : usageFault(checked.sentence);

const showing =
  (what: 'status' | 'devices' | 'events') =>
  (raw: RawArgs): Checked<StatusCommand | DevicesCommand | EventsCommand> => {
    const [stray] = raw.operands;
    if (stray !== undefined)
      return refuse('InvalidArgument', `${what} takes no argument '${stray}'; see ${NAME} --help`);
    const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
    return stateDir.ok ? accept({ do: what, json: raw.has('json'), stateDir: stateDir.value }) : stateDir;
  };

const guestCommand =
  (check: (raw: RawArgs) => Checked<GuestCall>) =>
  (raw: RawArgs): Checked<GuestCommand> => {
    const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
    if (!stateDir.ok) return stateDir;
    const call = check(raw);
    return call.ok
      ? accept({ do: 'guest', call: call.value, json: raw.has('json'), stateDir: stateDir.value })
      : call;
  };

function portCommand(raw: RawArgs): Checked<PortCommand> {
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  if (!stateDir.ok) return stateDir;
  const action = portAction(raw);
  return action.ok
    ? accept({ do: 'port', action: action.value, json: raw.has('json'), stateDir: stateDir.value })
    : action;
}

function vpnCommand(raw: RawArgs): Checked<VpnCommand> {
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  if (!stateDir.ok) return stateDir;
  const action = vpnAction(raw);
  return action.ok
    ? accept({ do: 'vpn', action: action.value, json: raw.has('json'), stateDir: stateDir.value })
    : action;
}

function trafficCommand(raw: RawArgs): Checked<TrafficCommand> {
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  if (!stateDir.ok) return stateDir;
  const wish = trafficWish(raw);
  return wish.ok ? accept({ do: 'traffic', wish: wish.value, stateDir: stateDir.value }) : wish;
}

function connect(raw: RawArgs): Checked<ConnectCommand> {
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  if (!stateDir.ok) return stateDir;
  const request = connectRequest(raw);
  if (!request.ok) return request;
  const common = { json: raw.has('json'), stateDir: stateDir.value };
  return accept({ do: 'connect', request: request.value, ...common, run: raw.operands });
}
