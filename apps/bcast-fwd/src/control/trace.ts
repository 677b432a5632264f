import { accept, refuse, type Checked } from '@pp/base';
import type { ControlQuestion } from '@pp/daemon';
import { ipv4FromNumber, ipv4ToNumber, parseIpv4 } from '@pp/wire';
import { DROP_REASONS } from '../core/drop-reason';
import type { Step } from '../core/relay';
import type { Traced } from '../relay-service';

/** Words that ask the running relay for something. */
export const CONTROL_COMMANDS = ['trace'] as const;

/** `bcast-fwd trace [ADDR]`, which has no end. The line is the address, or empty for all. */
export function traceQuestion([address = '', ...more]: readonly string[]): Checked<ControlQuestion> {
  const asked = traceRequest(address);
  if (asked.ok && more.length === 0) return accept({ line: address, isEndless: true });
  return refuse(
    'InvalidArgument',
    `trace takes one IPv4 address or nothing, not '${[address, ...more].join(' ')}'`,
  );
}

/** The source that is asked for as a number; null: every source. */
export function traceRequest(line: string): Checked<number | null> {
  if (line === '') return accept(null);
  const address = parseIpv4(line);
  return address === null
    ? refuse('InvalidArgument', 'the request is not understood')
    : accept(ipv4ToNumber(address));
}

/** A traced frame as a line for people; null: it is not from `source`. */
export function traceLine({ ifname, step }: Traced, source: number | null): string | null {
  if (source !== null && step.packet?.source !== source) return null;
  return `in on ${ifname}: ${subject(step)}: ${outcome(step)}`;
}

/** "192.168.77.20:5000 > 255.255.255.255:6969, 12 bytes". */
function subject({ packet, datagram }: Step): string {
  if (datagram !== null) {
    const { source, sourcePort, destination, destinationPort, payload } = datagram;
    return `${ipv4FromNumber(source)}:${sourcePort} > ${ipv4FromNumber(destination)}:${destinationPort}, ${payload.length} bytes`;
  }
  if (packet === null) return 'unreadable';
  const { source, destination, fragmentOffset, moreFragments, payload } = packet;
  const part =
    moreFragments || fragmentOffset > 0
      ? `fragment ${fragmentOffset} to ${fragmentOffset + payload.length}`
      : `${payload.length} bytes`;
  return `${ipv4FromNumber(source)} > ${ipv4FromNumber(destination)}, ${part}`;
}

function outcome({ verdict, copies }: Step): string {
  switch (verdict.is) {
    case 'dropped':
      return `dropped ${verdict.reason} (${DROP_REASONS[verdict.reason]})`;
    case 'waiting':
      return 'waits for the other fragments';
    case 'forwarded':
      return `forwarded ${copies.map(copyText).join(', ')}`;
  }
}

const copyText = ({ exit, datagram: { source, sourcePort, destination } }: Step['copies'][number]): string =>
  `to ${exit.ifname} as ${ipv4FromNumber(source)}:${sourcePort} > ${ipv4FromNumber(destination)}`;
