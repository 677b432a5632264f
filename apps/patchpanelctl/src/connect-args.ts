import { accept, refuse, type Checked } from '@pp/base';
import { checkedIfname, type RawArgs } from '@pp/daemon';
import { TrafficCounterSource } from '@pp/proto';
import type { Command } from 'commander';
import { checkedPid } from './pid';

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

const SOURCES = Object.keys(TrafficCounterSource).map((name) => name.toLowerCase().replaceAll('_', '-'));

const CONNECT_NOTES = `
The namespace is connected for as long as this program or the command holds its lifeline. With a command the exit code is the command's,
128 + N when signal N ended it. Without one the addresses are printed and the namespace is held until Ctrl-C.`;

export function connectOptions(command: Command): Command {
  return command
    .description('connect a network namespace and hold it, or run a command in it')
    .usage('--pid N | --new [options] [-- CMD...]')
    .option('--pid <N>', 'the namespace of this process')
    .option('--new', 'a new namespace')
    .option('--outbound <IF>', 'uplink that all traffic must leave by')
    .option('--allow-user-traffic', "let the user's guests and the namespace reach each other")
    .option('--route-on-vpn', 'follow the VPN while there is one')
    .option('--source <NAME>', `count the traffic as: ${SOURCES.join(', ')}`)
    .option('--json', 'print the addresses as one JSON object, before the command runs')
    .argument('[cmd...]')
    .addHelpText('after', CONNECT_NOTES);
}

/** `connect --new --outbound eth0` */
export function connectRequest(raw: RawArgs): Checked<ConnectRequest> {
  const pid = checkedNamespace(raw);
  if (!pid.ok) return pid;
  const outbound = checkedOutbound(raw.one('outbound'));
  if (!outbound.ok) return outbound;
  const source = checkedSource(raw.one('source') ?? 'unknown');
  if (!source.ok) return source;
  return accept({
    pid: pid.value,
    outbound: outbound.value,
    allowUserTraffic: raw.has('allow-user-traffic'),
    routeOnVpn: raw.has('route-on-vpn'),
    source: source.value,
  });
}

function checkedNamespace(raw: RawArgs): Checked<number | undefined> {
  const text = raw.one('pid');
  if (text === undefined && !raw.has('new'))
    return refuse('InvalidArgument', 'no namespace; write --pid N or --new');
  if (text === undefined) return accept(undefined);
  if (raw.has('new'))
    return refuse('InvalidArgument', `--pid '${text}' and --new exclude each other; write one of them`);
  return checkedPid('pid', text, ', or --new for a new namespace');
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
