import type { ArgSpec, InterfaceSpec, MethodSpec } from '@pp/dbus';

export const SERVICE = 'org.chromium.PatchPanel';
export const PATH = '/org/chromium/PatchPanel';
export const ERROR_PREFIX = 'org.chromium.PatchPanel.Error';

const REQUEST: ArgSpec = { name: 'request', type: 'ay' };
const RESPONSE: ArgSpec = { name: 'response', type: 'ay' };
const FD: ArgSpec = { name: 'fd', type: 'h' };

const method = <const Name extends string>(
  name: Name,
  ...more: ArgSpec[]
): MethodSpec & { readonly name: Name } => ({
  name,
  in: [REQUEST, ...more],
  out: [RESPONSE],
  ...(more.length > 0 ? { fdMayLack: true as const } : {}),
});

/** Spec 1.2: every method takes and returns one serialized protobuf; three of them take a descriptor after it. */
export const API = {
  name: SERVICE,
  methods: [
    method('ArcStartup'),
    method('ArcShutdown'),
    method('ArcVmStartup'),
    method('ArcVmShutdown'),
    method('TerminaVmStartup'),
    method('TerminaVmShutdown'),
    method('PluginVmStartup'),
    method('PluginVmShutdown'),
    method('SetVpnIntent', FD),
    method('ConnectNamespace', FD),
    method('GetTrafficCounters'),
    method('ModifyPortRule'),
    method('GetDevices'),
    method('SetVpnLockdown'),
    method('SetDnsRedirectionRule', FD),
  ],
  signals: [
    { name: 'NetworkDeviceChanged', args: [{ name: 'signal', type: 'ay' }] },
    { name: 'NeighborReachabilityEvent', args: [{ name: 'signal', type: 'ay' }] },
  ],
} as const satisfies InterfaceSpec;

export type ApiMethodName = (typeof API)['methods'][number]['name'];

/** What the manager and its helpers say to each other; messages in proto/forwarding.proto and proto/counters.proto. */
export const FORWARDING = {
  name: 'org.chromium.PatchPanel.Forwarding1',
  methods: [
    method('GetForwarding'),
    method('NeighborDetected'),
    method('NeighborLost'),
    method('GetCounted'),
  ],
  signals: [
    { name: 'ForwardingChanged', args: [{ name: 'change', type: 'ay' }] },
    { name: 'CountedChanged', args: [{ name: 'change', type: 'ay' }] },
  ],
} as const satisfies InterfaceSpec;

export type ForwardingMethodName = (typeof FORWARDING)['methods'][number]['name'];
