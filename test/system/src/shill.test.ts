import {
  ApiClient,
  decoded,
  labTest,
  pings,
  reaches,
  STANDARD,
  standardLab,
  startManager,
  stateDirectory,
  until,
} from '@pp/lab';
import { askStatus } from '@pp/daemon';
import { encode, type Messages } from '@pp/proto';
import { join } from 'node:path';
import { SmallShill } from './small-shill';

/** What the manager says of an uplink. */
interface UplinkStatus {
  readonly ifname: string;
  readonly kind: string;
  readonly default: boolean;
}

const ETH0 = { ifname: 'eth0', type: 'ethernet', gateway: null };
const ETH1 = { ifname: 'eth1', type: 'wifi', gateway: '192.168.88.1' };

labTest('with --network shill, its devices are the uplinks and its services rank them', async () => {
  const lab = await standardLab({ secondUplink: true });
  const shill = await SmallShill.open(lab.bus.outside);
  try {
    const manager = await startManager(lab.host, { args: ['--network', 'shill', '--helpers', 'none'] });
    const client = await ApiClient.open(lab.bus.outside);
    const socket = join(stateDirectory(lab.host), 'patchpanel-manager.sock');
    const uplinks = async (): Promise<string> => {
      const status = JSON.parse(await askStatus('patchpanel-manager', socket)) as {
        readonly uplinks: readonly UplinkStatus[];
      };
      return status.uplinks.map((each) => `${each.ifname}=${each.kind}${each.default ? '*' : ''}`).join(' ');
    };
    const expectUplinks = (want: string): Promise<unknown> =>
      until(`the uplinks are ${want}`, async () => (await uplinks()) === want).catch(async () => {
        expect(await uplinks()).toBe(want);
      });
    expect(await uplinks()).toBe(''); // shill is awaited

    await shill.start();
    shill.set([ETH0, ETH1], [{ device: 'eth0', type: 'ethernet', connected: true }]);
    await expectUplinks('eth0=ethernet* eth1=wifi');
    const guest = await lab.guest('guest');
    await client.connect({ pid: guest.pid });
    expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);

    shill.set(
      [ETH0, ETH1],
      [
        { device: 'eth1', type: 'wifi', connected: true },
        { device: 'eth0', type: 'ethernet', connected: true },
      ],
    );
    await expectUplinks('eth1=wifi* eth0=ethernet');
    await until('guests follow', async () => {
      await pings(guest, STANDARD.internet.v4);
      return (await lab.host.ok('conntrack', ['-L', '-p', 'icmp'])).includes('dst=192.168.88.2 ');
    });

    await manager.kill();
    const again = await startManager(lab.host, { args: ['--network', 'shill', '--helpers', 'none'] });
    expect(await uplinks()).toBe('eth1=wifi* eth0=ethernet'); // computed at the start

    shill.set([ETH0], [{ device: 'eth0', type: 'ethernet', connected: true }]);
    await expectUplinks('eth0=ethernet*');
    client.close();
    await again.stop();
  } finally {
    shill.close();
    await lab.close();
  }
});

const ARGS = ['--network', 'shill', '--helpers', 'none'];
// NeighborReachabilityEventSignal: Role and EventType
const DNS_SERVER = 2;
const REACHABLE = 2;
const MANAGER = { destination: 'org.chromium.PatchPanel', path: '/org/chromium/PatchPanel' };

labTest(
  'where its best service is not connected no network is a default; who is pinned goes on',
  async () => {
    const lab = await standardLab({ secondUplink: true });
    const shill = await SmallShill.open(lab.bus.outside);
    try {
      await shill.start();
      const ethernet = { device: 'eth0', type: 'ethernet', connected: true };
      shill.set([ETH0, ETH1], [ethernet]);
      const manager = await startManager(lab.host, { args: ARGS });
      const client = await ApiClient.open(lab.bus.outside);
      await client.ask('TerminaVmStartup', { cid: 7 });
      const guest = await lab.guest('pinned');
      await client.connect({ pid: guest.pid, outboundPhysicalDevice: 'eth0' });
      const upstreams = async (): Promise<string> => {
        const { body } = await client.bus.call({
          ...MANAGER,
          interface: 'org.chromium.PatchPanel.Forwarding1',
          member: 'GetForwarding',
          signature: 'ay',
          body: [encode('GetForwardingRequest', {})],
        });
        const { pairs } = decoded('ForwardingState', body[0] as Uint8Array);
        return pairs.map(({ upstream, downstream }) => `${upstream}-${downstream}`).join(' ');
      };
      const become = (want: string): Promise<unknown> =>
        until(`pairs are ${want}`, async () => (await upstreams()) === want);
      await become('eth0-vmtap0 eth0-arc_ns0');
      shill.set([ETH0, ETH1], [{ device: 'eth1', type: 'wifi', connected: false }, ethernet]);
      await become('eth0-arc_ns0');
      const socket = join(stateDirectory(lab.host), 'patchpanel-manager.sock');
      await until('the status says why', async () =>
        (await askStatus('patchpanel-manager', socket)).includes(
          'shill names no default network: its best service is not connected',
        ),
      );
      expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);
      shill.set([ETH0, ETH1], [{ device: 'eth1', type: 'wifi', connected: true }, ethernet]);
      await become('eth1-vmtap0 eth0-arc_ns0');
      client.close();
      await manager.stop();
    } finally {
      shill.close();
      await lab.close();
    }
  },
);

labTest('name servers of an IPConfig are watched, whatever resolv.conf says', async () => {
  const lab = await standardLab();
  const shill = await SmallShill.open(lab.bus.outside);
  const server = STANDARD.lanhost.v4;
  try {
    await shill.start();
    const wifi = { ifname: 'eth0', type: 'wifi', gateway: STANDARD.router.v4, nameservers: [server] };
    shill.set([wifi], [{ device: 'eth0', type: 'wifi', connected: true }]);
    const client = await ApiClient.open(lab.bus.outside);
    const heard: Messages['NeighborReachabilityEventSignal'][] = [];
    await client.bus.subscribe(
      { path: MANAGER.path, interface: 'org.chromium.PatchPanel', member: 'NeighborReachabilityEvent' },
      ({ body }) => heard.push(decoded('NeighborReachabilityEventSignal', body[0] as Uint8Array)),
    );
    const isHeard = (): boolean =>
      heard.some(({ ipAddr, role, type }) => ipAddr === server && role === DNS_SERVER && type === REACHABLE);
    const manager = await startManager(lab.host, { args: ARGS });
    await lab.host.run('ip', ['neigh', 'del', server, 'dev', 'eth0']);
    expect(await reaches(lab.host, server)).toBe(true); // which finds it anew
    await until('it is told as a name server', isHeard);
    client.close();
    await manager.stop();
  } finally {
    shill.close();
    await lab.close();
  }
});
