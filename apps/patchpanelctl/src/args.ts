import { accept, given, refuse, type Checked } from '@pp/base';
import {
  checkedStateDir,
  DEFAULT_STATE_DIR,
  ExitCode,
  exitCodesLine,
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

/** What every command takes. */
interface Common {
  readonly json: boolean;
  /** Where the manager's status socket lies. */
  readonly stateDir: string;
}

export interface ShowCommand extends Common {
  readonly do: 'status' | 'devices' | 'events' | 'doctor';
}

export interface ConnectCommand extends Common {
  readonly do: 'connect';
  readonly request: ConnectRequest;
  /** Program and arguments to run inside; empty: hold the namespace. */
  readonly run: readonly string[];
}

export interface GuestCommand extends Common {
  readonly do: 'guest';
  readonly call: GuestCall;
}

export interface PortCommand extends Common {
  readonly do: 'port';
  readonly action: PortAction;
}

export interface VpnCommand extends Common {
  readonly do: 'vpn';
  readonly action: VpnAction;
}

export interface TrafficCommand extends Common {
  readonly do: 'traffic';
  readonly wish: TrafficWish;
}

export type Asked =
  ShowCommand | ConnectCommand | GuestCommand | PortCommand | VpnCommand | TrafficCommand | Answer;

const COMMANDS = 'status, devices, events, connect, vm, arc, port, vpn, traffic or doctor';

const EXIT_CODES = exitCodesLine({
  done: 'done',
  failed: 'failed',
  usage: 'usage',
  notFound: 'no such object',
  conflict: 'conflict',
  denied: 'denied',
  unreachable: 'manager unreachable',
  degraded: 'done but degraded',
});

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
  ${NAME} doctor

${EXIT_CODES}
DBUS_SYSTEM_BUS_ADDRESS chooses the bus.`;

/** Reads the command line. Nothing is printed and nothing is done. */
export function readCommand(argv: readonly string[]): Asked {
  let asked: Asked = unclear(NAME, 'no command');
  const program = emptyProgram().action(([word]: string[]) => {
    const which = word === undefined ? 'no command' : `'${word}' is no command`;
    asked = unclear(NAME, `${which}; write ${COMMANDS}`);
  });
  const taking = (check: Check) =>
    function (this: Command): void {
      const checked = check(new RawArgs({ ...program.opts(), ...this.opts() }, this.args));
      asked = checked.ok ? checked.value : usageFault(checked.sentence);
    };
  showOptions(program.command('status'), {
    text: 'show uplinks, namespaces, guests, helpers and warnings',
    json: 'as JSON, as the manager tells it',
  }).action(taking(showing('status')));
  showOptions(program.command('devices'), {
    text: "show guests' devices, as the API tells them",
    json: 'as JSON',
  }).action(taking(showing('devices')));
  showOptions(program.command('events'), {
    text: 'tell what happens to guests and neighbours, one line each, until Ctrl-C',
    json: 'one JSON object a line; "v" is the version of their keys',
  }).action(taking(showing('events')));
  connectOptions(program.command('connect')).action(taking(connect));
  vmOptions(program.command('vm')).action(taking(vm));
  arcOptions(program.command('arc')).action(taking(arc));
  portOptions(program.command('port')).action(taking(port));
  vpnOptions(program.command('vpn')).action(taking(vpn));
  trafficOptions(program.command('traffic')).action(taking(traffic));
  showOptions(program.command('doctor'), {
    text: `look for what on this host keeps guests from the network: each check's line says what to do; exit code ${ExitCode.failed} if there is a problem`,
    json: 'as one JSON object; "v" is the version of its keys',
  }).action(taking(showing('doctor')));
  return parseOr(program, argv, () => asked);
}

type Check = (raw: RawArgs) => Checked<Asked>;

const emptyProgram = (): Command =>
  new Command(NAME)
    .description('Asks the Patchpanel manager of this host.')
    .version(VERSION, '--version', 'print the version and exit')
    .helpOption('-h, --help', 'print this and exit')
    .helpCommand(false)
    .usage('[options] COMMAND')
    .option('--state-dir <DIR>', "where the manager's status socket lies", DEFAULT_STATE_DIR)
    .argument('[command...]')
    .addHelpText('after', EXAMPLES);

/** A command without arguments; those that are written all the same are refused by `showing`, in our words. */
const showOptions = (
  command: Command,
  { text, json }: { readonly text: string; readonly json: string },
): Command => command.description(text).option('--json', json).allowExcessArguments();

/** `own`, and what every command takes. */
function withCommon<T>(raw: RawArgs, own: Checked<T>): Checked<T & Common> {
  const stateDir = checkedStateDir(raw.one('state-dir') ?? '');
  if (!stateDir.ok) return stateDir;
  return own.ok ? accept({ ...own.value, json: raw.has('json'), stateDir: stateDir.value }) : own;
}

const showing =
  (what: ShowCommand['do']) =>
  (raw: RawArgs): Checked<ShowCommand> => {
    const [stray] = raw.operands;
    return withCommon(
      raw,
      stray === undefined
        ? accept({ do: what })
        : refuse('InvalidArgument', `${what} takes no argument '${stray}'; see ${NAME} --help`),
    );
  };

const connect = (raw: RawArgs): Checked<ConnectCommand> =>
  withCommon(
    raw,
    given(connectRequest(raw), (request) => ({ do: 'connect', request, run: raw.operands })),
  );

const vm = (raw: RawArgs): Checked<GuestCommand> =>
  withCommon(
    raw,
    given(vmCall(raw), (call) => ({ do: 'guest', call })),
  );

const arc = (raw: RawArgs): Checked<GuestCommand> =>
  withCommon(
    raw,
    given(arcCall(raw), (call) => ({ do: 'guest', call })),
  );

const port = (raw: RawArgs): Checked<PortCommand> =>
  withCommon(
    raw,
    given(portAction(raw), (action) => ({ do: 'port', action })),
  );

const vpn = (raw: RawArgs): Checked<VpnCommand> =>
  withCommon(
    raw,
    given(vpnAction(raw), (action) => ({ do: 'vpn', action })),
  );

const traffic = (raw: RawArgs): Checked<TrafficCommand> =>
  withCommon(
    raw,
    given(trafficWish(raw), (wish) => ({ do: 'traffic', wish })),
  );
