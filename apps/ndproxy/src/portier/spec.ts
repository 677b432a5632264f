import type { InterfaceSpec, MethodSpec } from '@pp/dbus';

export const SERVICE = 'org.chromium.Portier';
export const PATH = '/org/chromium/Portier';

/** Every method takes and returns one serialized protobuf. */
const method = <const Name extends string>(name: Name): MethodSpec & { readonly name: Name } => ({
  name,
  in: [{ name: 'request', type: 'ay' }],
  out: [{ name: 'response', type: 'ay' }],
});

export const API = {
  name: SERVICE,
  methods: [
    method('BindInterface'),
    method('ReleaseInterface'),
    method('CreateProxyGroup'),
    method('ReleaseProxyGroup'),
    method('AddToGroup'),
    method('RemoveFromGroup'),
    method('SetUpstreamInterface'),
    method('UnsetUpstreamInterface'),
    /** Ours: what `ndproxy status --json` says. */
    { name: 'GetState', in: [], out: [{ name: 'json', type: 's' }] },
  ],
} as const satisfies InterfaceSpec;

export type PortierMethod = Exclude<(typeof API)['methods'][number]['name'], 'GetState'>;
