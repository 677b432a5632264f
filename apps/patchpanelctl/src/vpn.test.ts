import { ExitCode, RawArgs, Refused } from '@pp/daemon';
import { decodeStrict, encode } from '@pp/proto';
import { vpn, type VpnDoors } from './vpn';
import { vpnAction, type VpnAction } from './vpn-args';

const actions: readonly { readonly in: string; readonly want: VpnAction | string }[] = [
  { in: 'status', want: { what: 'status' } },
  { in: 'lockdown on', want: { what: 'lockdown', on: true } },
  { in: 'lockdown off', want: { what: 'lockdown', on: false } },
  { in: '', want: 'vpn what? write vpn status or vpn lockdown on|off; see patchpanelctl vpn --help' },
  { in: 'start', want: "vpn 'start'? write vpn status or vpn lockdown on|off; see patchpanelctl vpn --help" },
  { in: 'lockdown', want: 'vpn lockdown what? write on or off' },
  { in: 'lockdown yes', want: "vpn lockdown 'yes'? write on or off" },
  { in: 'status now', want: "vpn status takes no argument 'now'; leave it out" },
  { in: 'lockdown on now', want: "vpn lockdown on takes no argument 'now'; leave it out" },
];

test.each(actions)('vpn $in', ({ in: line, want }) => {
  const read = vpnAction(new RawArgs({}, line === '' ? [] : line.split(' ')));
  expect(read.ok ? read.value : read.sentence).toEqual(want);
});

/** A manager that says `status`; calls are noted. */
function outside(status: string): { readonly doors: VpnDoors; readonly calls: unknown[] } {
  const calls: unknown[] = [];
  const doors: VpnDoors = {
    connectBus: () =>
      Promise.resolve({
        call: ({ member, body }) => {
          const request = decodeStrict('SetVpnLockdownRequest', body?.[0] as Uint8Array);
          calls.push([member, request.ok && request.value.enableVpnLockdown]);
          return Promise.resolve({ signature: 'ay', body: [encode('SetVpnLockdownResponse', {})], fds: [] });
        },
        close: () => undefined,
      }),
    status: () => Promise.resolve(status),
  };
  return { doors, calls };
}

const texts = [
  {
    name: 'a VPN',
    vpn: { ifname: 'tun0', lockdown: true, sessionUser: 1000 },
    want: "the user's traffic (guests', and that of uid 1000) leaves by tun0\nlockdown on\n",
  },
  {
    name: 'none',
    vpn: { ifname: '', lockdown: false, sessionUser: null },
    want: "the user's traffic (guests', and nobody's of this host) leaves by the uplinks: no VPN is up\nlockdown off\n",
  },
  {
    name: 'none under lockdown',
    vpn: { ifname: '', lockdown: true, sessionUser: 1000 },
    want: "the user's traffic (guests', and that of uid 1000) leaves nowhere: no VPN is up\nlockdown on\n",
  },
];

test.each(texts)('vpn status: $name', async ({ vpn: now, want }) => {
  const { doors, calls } = outside(JSON.stringify({ vpn: now }));
  expect(await vpn({ what: 'status' }, false, doors)).toBe(want);
  expect(await vpn({ what: 'status' }, true, doors)).toBe(`${JSON.stringify(now)}\n`);
  expect(calls).toEqual([]);
});

test('lockdown is asked for, and what holds then is told', async () => {
  const { doors, calls } = outside(JSON.stringify({ vpn: { ifname: '', lockdown: true } }));
  expect(await vpn({ what: 'lockdown', on: true }, false, doors)).toContain('lockdown on');
  expect(calls).toEqual([['SetVpnLockdown', true]]);
});

test.each([
  '{}',
  '{"vpn":{}}',
  '{"vpn":{"ifname":1,"lockdown":true}}',
  '{"vpn":{"ifname":"","lockdown":true,"sessionUser":"ann"}}',
])('a status that says nothing of VPNs: %s', async (status) => {
  await expect(vpn({ what: 'status' }, false, outside(status).doors)).rejects.toThrow(/says nothing of VPNs/);
});

test.each(['', 'no JSON', '7'])('a status that is no object: %s', async (status) => {
  await expect(vpn({ what: 'status' }, false, outside(status).doors)).rejects.toThrow(
    "the manager's status is not a JSON object",
  );
});

test('lockdown is left alone for whoever may not be told what holds', async () => {
  const { doors, calls } = outside('');
  const status = () => Promise.reject(new Refused(ExitCode.denied, 'may not be opened'));
  await expect(vpn({ what: 'lockdown', on: true }, false, { ...doors, status })).rejects.toThrow(
    'may not be opened',
  );
  expect(calls).toEqual([]);
});
