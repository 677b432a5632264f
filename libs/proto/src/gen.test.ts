import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as messages from './gen/messages';

const ROOT = resolve(__dirname, '../../..');
const read = (dir: string): Map<string, string> =>
  new Map(readdirSync(dir).map((file) => [file, readFileSync(join(dir, file), 'utf8')]));

test('src/gen is what tools/gen-proto.ts makes of the .proto files', () => {
  const fresh = mkdtempSync(join(tmpdir(), 'gen-proto-'));
  try {
    execFileSync(join(ROOT, 'node_modules/.bin/tsx'), [join(ROOT, 'tools/gen-proto.ts'), '--out', fresh]);
    expect(read(join(__dirname, 'gen'))).toEqual(read(fresh));
  } finally {
    rmSync(fresh, { recursive: true });
  }
});

/** The published API: these numbers are in other people's binaries. */
const ENUMS = {
  NetworkDeviceGuestType: { UNKNOWN: 0, ARC: 1, ARCVM: 2, TERMINA_VM: 3, PLUGIN_VM: 4 },
  SetVpnIntentRequestVpnRoutingPolicy: { DEFAULT_ROUTING: 0, ROUTE_ON_VPN: 1, BYPASS_VPN: 2 },
  TrafficCounterSource: {
    UNKNOWN: 0,
    CHROME: 1,
    USER: 2,
    ARC: 3,
    CROSVM: 4,
    PLUGINVM: 5,
    UPDATE_ENGINE: 6,
    VPN: 7,
    SYSTEM: 8,
  },
  TrafficCounterIpFamily: { NONE: 0, IPV4: 1, IPV6: 2 },
  ModifyPortRuleRequestOperation: { INVALID_OPERATION: 0, CREATE: 1, DELETE: 2 },
  ModifyPortRuleRequestRuleType: { INVALID_RULE_TYPE: 0, ACCESS: 1, LOCKDOWN: 2, FORWARDING: 3 },
  ModifyPortRuleRequestProtocol: { INVALID_PROTOCOL: 0, TCP: 1, UDP: 2 },
  SetDnsRedirectionRuleRequestRuleType: { INVALID_RULE_TYPE: 0, DEFAULT: 1, ARC: 2, USER: 3 },
  NetworkDeviceChangedSignalEvent: { UNKNOWN_CHANGE: 0, DEVICE_ADDED: 1, DEVICE_REMOVED: 2 },
  NeighborReachabilityEventSignalRole: {
    INVALID_ROLE: 0,
    GATEWAY: 1,
    DNS_SERVER: 2,
    GATEWAY_AND_DNS_SERVER: 3,
  },
  NeighborReachabilityEventSignalEventType: { INVALID_EVENT_TYPE: 0, FAILED: 1, REACHABLE: 2 },
};

test('enum values are the published ones', () => {
  const { FIELDS, ...enums } = messages;
  expect(Object.keys(FIELDS)).toHaveLength(35 + 8 + 8); // the published API and our inner interfaces
  expect(enums).toEqual(ENUMS);
});
