import type { ArgSpec, InterfaceSpec } from '@pp/dbus';

export const SERVICE = 'org.chromium.PatchPanel.Counters';
export const PATH = '/org/chromium/PatchPanel/Counters';
export const ERROR_PREFIX = 'org.chromium.PatchPanel.Error';

const REQUEST: readonly ArgSpec[] = [{ name: 'request', type: 'ay' }];
const RESPONSE: readonly ArgSpec[] = [{ name: 'response', type: 'ay' }];

/** Messages in proto/patchpanel_service.proto and proto/counters.proto. */
export const COUNTERS = {
  name: 'org.chromium.PatchPanel.Counters1',
  methods: [
    { name: 'GetTrafficCounters', in: REQUEST, out: RESPONSE },
    { name: 'GetTraffic', in: REQUEST, out: RESPONSE },
  ],
  signals: [],
} as const satisfies InterfaceSpec;
