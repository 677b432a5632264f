import { seconds } from '@pp/base';
import { labTest, pings, reaches, program, STANDARD, STATE_INSIDE } from '@pp/lab';
import { encode } from '@pp/proto';
import { closeSync, openSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { GuestRig } from './guest-rig';

/** What SetVpnIntent and SetVpnLockdown refuse, and lockdown on the command line. */

let rig: GuestRig;
beforeEach(async () => {
  rig = await GuestRig.open();
}, seconds(60));
afterEach(() => rig.close(), seconds(60));

const INTENT = encode('SetVpnIntentRequest', { policy: 1 });

/** The sentence of the refusal, with its D-Bus name. */
const refusal = (method: string, body: Uint8Array, fds: readonly number[] = []): Promise<string> =>
  rig.client.raw(method, body, fds).then(
    () => 'done',
    (fault: unknown) => `${(fault as Error).name}: ${(fault as Error).message}`,
  );

/** open(2); node does not know it. */
const O_PATH = 0o10000000;

const INVALID = 'org.chromium.PatchPanel.Error.InvalidArgument: ';

labTest('SetVpnIntent: what is no unconnected TCP or UDP socket, and what is no request', async () => {
  const { native } = rig.client;
  const file = openSync('/dev/null', 'r');
  const pipe = native.pipe();
  const pair = native.socketPair('stream');
  const udp = native.openUdp({
    family: 'ipv6',
    address: '::1',
    port: 0,
    onDatagrams: () => undefined,
    onError: () => undefined,
  });
  const named = openSync(`/proc/self/fd/${udp.fd}`, O_PATH);
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await new Promise((resolve) => peer.once('connect', resolve));
  const connected = (peer as Socket & { readonly _handle: { readonly fd: number } })._handle.fd;
  try {
    expect(await refusal('SetVpnIntent', INTENT)).toBe(
      `${INVALID}the socket is missing: pass a TCP or UDP socket after the body`,
    );
    expect(await refusal('SetVpnIntent', INTENT, [file])).toBe(
      `${INVALID}the descriptor is a character: pass a TCP or UDP socket`,
    );
    expect(await refusal('SetVpnIntent', INTENT, [pipe[0]])).toBe(
      `${INVALID}the descriptor is a fifo: pass a TCP or UDP socket`,
    );
    expect(await refusal('SetVpnIntent', INTENT, [pair[0]])).toBe(
      `${INVALID}the socket is neither TCP nor UDP: pass one of these, of IPv4 or IPv6`,
    );
    expect(await refusal('SetVpnIntent', INTENT, [named])).toBe(
      `${INVALID}the socket is not open (O_PATH): pass one that is`,
    );
    expect(await refusal('SetVpnIntent', INTENT, [connected])).toBe(
      `${INVALID}the socket is connected already: pass it before connect`,
    );
    expect(await refusal('SetVpnIntent', encode('SetVpnIntentRequest', { policy: 3 }), [udp.fd])).toBe(
      `${INVALID}policy 3 is unknown: use 0 (default), 1 (route on VPN) or 2 (bypass VPN)`,
    );
    expect(await refusal('SetVpnIntent', Uint8Array.of(0xff), [udp.fd])).toContain(INVALID);
    expect(await refusal('SetVpnLockdown', Uint8Array.of(0xff))).toContain(INVALID);
    expect(await refusal('SetVpnIntent', INTENT, [udp.fd])).toBe('done');
  } finally {
    closeSync(file);
    closeSync(named);
    for (const fd of [...pipe, ...pair]) native.closeFd(fd);
    udp.close();
    peer.destroy();
    server.close();
  }
  await rig.expectIdle(); // no descriptor was kept
});

labTest('patchpanelctl vpn: lockdown on and off, and what is said of it', async () => {
  const { host } = rig.lab;
  const user = await rig.lab.guest('user');
  await rig.client.connect({ pid: user.pid, routeOnVpn: true });
  const vpn = (...args: readonly string[]): Promise<string> =>
    host.ok(program('patchpanelctl'), ['--state-dir', STATE_INSIDE, 'vpn', ...args]);
  expect(await vpn('status')).toBe(
    "the user's traffic (guests', and nobody's of this host) leaves by the uplinks: no VPN is up\nlockdown off\n",
  );
  expect(await reaches(user, STANDARD.internet.v4)).toBe(true);
  expect(await vpn('lockdown', 'on', '--json')).toBe('{"ifname":"","lockdown":true,"sessionUser":null}\n');
  expect(await pings(user, STANDARD.internet.v4)).toBe(false);
  expect(await pings(user, STANDARD.lanhost.v4)).toBe(false);
  expect(await vpn('lockdown', 'off')).toContain('lockdown off');
  expect(await reaches(user, STANDARD.internet.v4)).toBe(true);
});
