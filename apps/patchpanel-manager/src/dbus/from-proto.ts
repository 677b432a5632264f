import { accept, refuse, type Checked } from '@pp/base';
import { isIfname, sourceFromProto, type TrafficSource } from '@pp/datapath';
import { decodeStrict } from '@pp/proto';

/** The one reader of request messages: what leaves here has checked values. */

export interface ConnectNamespaceBody {
  /** null: a new namespace. */
  readonly pid: number | null;
  readonly outboundDevice: string;
  readonly allowUserTraffic: boolean;
  readonly routeOnVpn: boolean;
  readonly source: TrafficSource;
}

/** `ownPid`: the manager's, which nobody may name. */
export function connectNamespaceFromProto(bytes: Uint8Array, ownPid: number): Checked<ConnectNamespaceBody> {
  const decoded = decodeStrict('ConnectNamespaceRequest', bytes);
  if (!decoded.ok) return decoded;
  const {
    pid,
    outboundPhysicalDevice: outboundDevice,
    trafficSource,
    allowUserTraffic,
    routeOnVpn,
  } = decoded.value;
  const fault = pidFault(pid, ownPid) ?? outboundFault(outboundDevice);
  if (fault !== null) return refuse('InvalidArgument', fault);
  const source = sourceFromProto(trafficSource);
  if (source === null)
    return refuse('InvalidArgument', `traffic_source ${trafficSource} is unknown: use 0 to 8`);
  return accept({ pid: pid === -1 ? null : pid, outboundDevice, allowUserTraffic, routeOnVpn, source });
}

function pidFault(pid: number, ownPid: number): string | null {
  if (pid === 0) return 'pid is missing: name a process, or -1 for a new namespace';
  if (pid < -1) return `pid ${pid} is negative: name a process, or -1 for a new namespace`;
  if (pid === 1)
    return 'pid 1 lives in the namespace of the host: name a process with a network namespace of its own';
  if (pid === ownPid)
    return `pid ${pid} is the manager itself: name a process with a network namespace of its own`;
  return null;
}

function outboundFault(ifname: string): string | null {
  if (ifname === '') return null;
  if (ifname === 'lo')
    return 'outbound_physical_device "lo" leads nowhere: name an uplink, or leave it empty';
  if (isIfname(ifname)) return null;
  return `outbound_physical_device ${JSON.stringify(ifname)} is no interface name: 1 to 15 characters, no blanks or slashes`;
}
