import { accept, refuse, type Checked } from '@pp/base';
import { DHCP_PORTS, isIn, type PortRange } from '../core/policy';

const MAX_PORT = 65_535;
/** More than anybody writes by hand. */
const MAX_RANGES = 64;

/** "1024-65535,7,9" */
export function checkedPorts(text: string): Checked<readonly PortRange[]> {
  const parts = text.split(',');
  if (parts.length > MAX_RANGES)
    return refuse('InvalidArgument', `--ports has more than ${MAX_RANGES} parts; write ranges`);
  const ranges: PortRange[] = []; // BOUNDED: MAX_RANGES
  for (const part of parts) {
    const range = portRange(part);
    if (range === null)
      return refuse('InvalidArgument', `--ports '${part}' is no port; write for example 1024-65535,7,9`);
    if (isIn(DHCP_PORTS, range.first) && isIn(DHCP_PORTS, range.last))
      return refuse('InvalidArgument', `--ports '${part}' is DHCP, which is never relayed; leave it out`);
    ranges.push(range);
  }
  return accept(ranges);
}

/** "9" or "1024-65535"; null: neither. */
export function portRange(text: string): PortRange | null {
  const [, low, high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (low === undefined) return null;
  const [first, last] = [Number(low), Number(high)];
  return first >= 1 && first <= last && last <= MAX_PORT ? { first, last } : null;
}
