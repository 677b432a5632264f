import { accept, refuse, type Checked } from '@pp/base';
import { isIfname, sourceFromProto, type TrafficSource } from '@pp/datapath';
import { decodeStrict } from '@pp/proto';
import { quoted } from '../domain/quoted';

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
  return `outbound_physical_device ${quoted(ifname)} is no interface name: 1 to 15 characters, no blanks or slashes`;
}

export interface VmBody {
  readonly kind: 'termina' | 'plugin';
  /** Decimal. */
  readonly id: string;
  /** 0: any. */
  readonly subnetIndex: number;
}

export function terminaStartFromProto(bytes: Uint8Array): Checked<VmBody> {
  const decoded = decodeStrict('TerminaVmStartupRequest', bytes);
  if (!decoded.ok) return decoded;
  const id = vmId('cid', decoded.value.cid);
  return id.ok ? accept({ kind: 'termina', id: id.value, subnetIndex: 0 }) : id;
}

export function pluginStartFromProto(bytes: Uint8Array): Checked<VmBody> {
  const decoded = decodeStrict('PluginVmStartupRequest', bytes);
  if (!decoded.ok) return decoded;
  const { subnetIndex } = decoded.value;
  const id = vmId('id', decoded.value.id);
  if (!id.ok) return id;
  if (subnetIndex >= 0) return accept({ kind: 'plugin', id: id.value, subnetIndex });
  return refuse('InvalidArgument', `subnet_index ${subnetIndex} is negative: use 1 to 32, or 0 for any`);
}

export function terminaStopFromProto(bytes: Uint8Array): Checked<string> {
  const decoded = decodeStrict('TerminaVmShutdownRequest', bytes);
  return decoded.ok ? vmId('cid', decoded.value.cid) : decoded;
}

export function pluginStopFromProto(bytes: Uint8Array): Checked<string> {
  const decoded = decodeStrict('PluginVmShutdownRequest', bytes);
  return decoded.ok ? vmId('id', decoded.value.id) : decoded;
}

const vmId = (field: string, id: number | bigint): Checked<string> =>
  Number(id) === 0
    ? refuse('InvalidArgument', `${field} is missing: name the VM by a number above 0`)
    : accept(String(id));

/** The cid of an ARC VM. */
export function arcVmFromProto(
  name: 'ArcVmStartupRequest' | 'ArcVmShutdownRequest',
  bytes: Uint8Array,
): Checked<number> {
  const decoded = decodeStrict(name, bytes);
  if (!decoded.ok) return decoded;
  const id = vmId('cid', decoded.value.cid);
  return id.ok ? accept(decoded.value.cid) : id;
}

/** The pid of an ARC container's init. */
export function arcStartFromProto(bytes: Uint8Array, ownPid: number): Checked<number> {
  const decoded = decodeStrict('ArcStartupRequest', bytes);
  if (!decoded.ok) return decoded;
  const { pid } = decoded.value;
  const fault = pid === -1 ? `pid -1 is no process: name the init of the container` : pidFault(pid, ownPid);
  return fault === null ? accept(pid) : refuse('InvalidArgument', fault);
}
