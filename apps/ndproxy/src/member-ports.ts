import type { KernelError } from '@pp/base';
import type { FrameFacts, PacketPort, PacketPorts } from '@pp/ports';
import { withEthernet, withoutEthernet } from './core/bare-frame';
import { BRIDGE_FILTER } from './core/bridge-filter';
import { BARE_ND_FILTER, ND_FILTER } from './core/filter';
import type { Mode } from './core/limits';
import type { MemberLink } from './core/member';

/** The ports of a member. */
export interface MemberPorts {
  /** Neighbour discovery. */
  readonly nd: PacketPort;
  /** All other IPv6, in bridge mode. */
  readonly data: PacketPort | null;
}

export interface MemberPortsOptions {
  readonly packets: PacketPorts;
  readonly link: MemberLink;
  readonly mode: Mode;
  readonly onFrame: (frame: Uint8Array, facts: FrameFacts) => void;
  /** Of `data`. */
  readonly onData: (frame: Uint8Array, facts: FrameFacts) => void;
  readonly onBatchEnd: () => void;
  readonly onFault: (fault: KernelError) => void;
}

/** Throws KernelError, as PacketPorts. */
export function openMemberPorts(options: MemberPortsOptions): MemberPorts {
  const { packets, link, mode, onData, onBatchEnd, onFault } = options;
  const nd = link.isPointToPoint === true ? openBare(options) : openEthernet(options);
  if (mode === 'route') return { nd, data: null };
  const { ifindex } = link;
  try {
    const filter = BRIDGE_FILTER;
    return {
      nd,
      data: packets.open({ ifindex, frames: 'ipv6', filter, onFrame: onData, onBatchEnd, onFault }),
    };
  } catch (fault) {
    nd.close();
    throw fault;
  }
}

function openEthernet({ packets, link, onFrame, onBatchEnd, onFault }: MemberPortsOptions): PacketPort {
  return packets.open({ ifindex: link.ifindex, filter: ND_FILTER, onFrame, onBatchEnd, onFault });
}

/** A port whose frames are given an Ethernet header here, and lose it again. */
function openBare({ packets, link, onFrame, onBatchEnd, onFault }: MemberPortsOptions): PacketPort {
  const port = packets.open({
    ifindex: link.ifindex,
    filter: BARE_ND_FILTER,
    onFrame: (packet, facts) => {
      onFrame(withEthernet(packet, facts.outgoing), facts);
    },
    onBatchEnd,
    onFault,
  });
  return {
    send: (frames) => port.send(frames.map(withoutEthernet)),
    missed: () => port.missed(),
    close: () => {
      port.close();
    },
  };
}
