import {
  ApiClient,
  labTest,
  pings,
  STANDARD,
  standardLab,
  startManager,
  stateDirectory,
  until,
} from '@pp/lab';
import { askStatus } from '@pp/daemon';
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
    expect(await pings(guest, STANDARD.internet.v4)).toBe(true);

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
