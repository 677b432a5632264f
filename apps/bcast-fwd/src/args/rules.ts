import { accept, refuse, type Checked } from '@pp/base';
import { beyondLength } from '@pp/daemon';
import { isIfnamePattern } from '@pp/datapath';
import {
  formatCidr,
  hostCidr,
  ipv4ToNumber,
  isNetwork,
  networkOf,
  parseCidr,
  parseIpv4,
  type Cidr,
} from '@pp/wire';
import { maskOf } from '../core/link';
import type { Rule } from '../core/policy';
import { portRange } from './ports';

/** Each is looked at for each datagram. */
const MAX_RULES = 256;

/** "[IF:]CIDR[:PORTS]" each. `option`: for the sentence. */
export function checkedRules(option: 'allow' | 'block', texts: readonly string[]): Checked<readonly Rule[]> {
  if (texts.length > MAX_RULES)
    return refuse(
      'InvalidArgument',
      `--${option} is there more than ${MAX_RULES} times; write larger prefixes`,
    );
  const rules: Rule[] = []; // BOUNDED: MAX_RULES
  for (const text of texts) {
    const rule = ruleOf(text);
    if (rule === null) return refuse('InvalidArgument', faultOf(option, text));
    rules.push(rule);
  }
  return accept(rules);
}

function faultOf(option: string, text: string): string {
  const network = text.split(':').map(asNetwork).join(':');
  return network !== text && ruleOf(network) !== null
    ? beyondLength(option, text, network)
    : `--${option} '${text}' is not [IF:]CIDR[:PORTS]; write for example --${option} eth0:192.168.1.0/24:27036`;
}

function asNetwork(text: string): string {
  const cidr = parseCidr(text);
  return cidr === null ? text : formatCidr(networkOf(cidr));
}

function ruleOf(text: string): Rule | null {
  const parts = text.split(':');
  const at = parts.findIndex((part) => cidrOf(part) !== null);
  const cidr = cidrOf(parts[at] ?? '');
  if (cidr?.family !== 'ipv4' || at > 1 || parts.length > at + 2) return null;
  const ifname = at === 1 ? (parts[0] ?? '') : null;
  if (ifname !== null && !isIfnamePattern(ifname)) return null;
  const portText = parts[at + 1];
  const ports = portText === undefined ? null : portRange(portText);
  if (portText !== undefined && ports === null) return null;
  return { ifname, network: ipv4ToNumber(cidr.address), mask: maskOf(cidr.length), ports };
}

/** A prefix without host bits, or one address. */
function cidrOf(text: string): Cidr | null {
  const address = parseIpv4(text);
  const cidr = address === null ? parseCidr(text) : hostCidr(address);
  return cidr !== null && isNetwork(cidr) ? cidr : null;
}
