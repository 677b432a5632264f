import { labTest, standardLab, startManager, ApiClient, until, decoded } from '@pp/lab';
import type { Messages } from '@pp/proto';

/** A gateway that goes and comes back, as clients hear of it. */

const HEARD = { path: '/org/chromium/PatchPanel', interface: 'org.chromium.PatchPanel' };

for (const [args, isHeard] of [
  [['--uplink', 'eth0=wifi'], true],
  [['--uplink', 'eth0=ethernet', '--monitor', 'all'], true],
  [['--uplink', 'eth0=ethernet'], false],
] as const) {
  labTest(
    `a gateway that can be reached, or not, is ${isHeard ? '' : 'not '}told with ${args.join(' ')}`,
    async () => {
      const lab = await standardLab();
      try {
        const client = await ApiClient.open(lab.bus.outside);
        const heard: Messages['NeighborReachabilityEventSignal'][] = [];
        await client.bus.subscribe({ ...HEARD, member: 'NeighborReachabilityEvent' }, ({ body }) => {
          heard.push(decoded('NeighborReachabilityEventSignal', body[0] as Uint8Array));
        });
        const manager = await startManager(lab.host, { args: [...args, '--helpers', 'none'] });
        const gateway = (type: number): boolean =>
          heard.some((event) => event.ipAddr === '192.168.77.1' && event.role === 1 && event.type === type);
        await lab.host.shell(
          'for i in all default eth0; do sysctl -qw net.ipv4.neigh.$i.retrans_time_ms=100; done || true',
        );
        await lab.host.run('ping', ['-n', '-c', '1', '-W', '2', '192.168.77.1']);
        await lab.host.shell('ip neigh replace 192.168.77.1 dev eth0 lladdr 02:50:50:00:77:01 nud probe');
        if (isHeard) await until('it is told to be reachable', () => gateway(2));
        await lab.router.shell('ip link set lan arp off; ip addr del 192.168.77.1/24 dev lan');
        await lab.host.shell('ip neigh replace 192.168.77.1 dev eth0 lladdr 02:50:50:00:77:01 nud probe');
        await until('the kernel gives it up', async () =>
          (await lab.host.ok('ip', ['neigh', 'show', '192.168.77.1'])).includes('FAILED'),
        );
        if (isHeard) await until('it is told to have failed', () => gateway(1));
        expect(gateway(1)).toBe(isHeard);
        client.close();
        await manager.stop();
      } finally {
        await lab.close();
      }
    },
  );
}
