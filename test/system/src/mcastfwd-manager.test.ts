import { seconds } from '@pp/base';
import {
  ApiClient,
  Avahi,
  labTest,
  program,
  seenAs,
  standardLab,
  STANDARD,
  startManager,
  startPeerEcho,
  startTermina,
} from '@pp/lab';
import { UPLINK_ARGS } from './guest-rig';
import { AVAHI_MISSING, finds, found, startForwarder } from './mcastfwd-rig';

labTest(
  'what the manager says is done: a VM’s service is found and answers at the port that was led to it',
  async () => {
    const lab = await standardLab();
    try {
      const manager = await startManager(lab.host);
      const client = await ApiClient.open(lab.bus.outside);
      await startForwarder(lab.host, []);
      const { guest, address } = await startTermina({ lab, client }, 5);
      const server = await startPeerEcho(guest, ['tcp:80']);
      const [onLan, inGuest] = await Promise.all([
        Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
        Avahi.start(guest, { hostName: 'vmbox' }),
      ]);
      await inGuest.publish('VM Web', '_http._tcp', 80);
      await finds(onLan, '_http._tcp', `VM Web ${STANDARD.host.v4}:80`);
      await lab.host.ok(program('patchpanelctl'), [
        'port',
        'forward',
        '8080',
        '--on',
        'eth0',
        '--to',
        `${address}:80`,
      ]);
      await inGuest.publish('VM Web Again', '_http._tcp', 80);
      await finds(onLan, '_http._tcp', `VM Web Again ${STANDARD.host.v4}:8080`);
      expect(await seenAs(lab.lanhost, STANDARD.host.v4, 8080)).toBe(STANDARD.lanhost.v4);
      await server.stop();
      client.close();
      await manager.stop();
    } finally {
      await lab.close();
    }
  },
  AVAHI_MISSING,
  seconds(150),
);

labTest(
  'a VM is found on the uplink that it follows and on no other, at the port that was led to it there',
  async () => {
    const lab = await standardLab({ secondUplink: true });
    try {
      const { host } = lab;
      const manager = await startManager(host, { args: UPLINK_ARGS });
      const client = await ApiClient.open(lab.bus.outside);
      await startForwarder(host, []);
      const { guest, address } = await startTermina({ lab, client }, 5);
      for (const [port, uplink] of [
        ['8080', 'eth0'],
        ['8081', 'eth1'],
      ] as const)
        await host.ok(program('patchpanelctl'), [
          'port',
          'forward',
          port,
          '--on',
          uplink,
          '--to',
          `${address}:80`,
        ]);
      const lan2host = await lab.lab.host('lan2host');
      const mac = '02:50:50:00:88:20';
      await lab.lab.plug(lan2host, 'lan2', { ifname: 'eth0', mac, addresses: ['192.168.88.20/24'] });
      const [onLan, onLan2, inGuest] = await Promise.all([
        Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
        Avahi.start(lan2host, { hostName: 'lan2box' }),
        Avahi.start(guest, { hostName: 'vmbox' }),
      ]);
      await onLan2.publish('Other Web', '_http._tcp', 88);
      await inGuest.publish('VM Web', '_http._tcp', 80);
      await finds(onLan, '_http._tcp', `VM Web ${STANDARD.host.v4}:8080`);
      expect((await found(onLan2, '_http._tcp')).join()).not.toContain('VM');
      expect((await found(inGuest, '_http._tcp')).join()).not.toContain('Other');
      await host.shell('ip route add default via 192.168.88.1 dev eth1 metric 50');
      await finds(inGuest, '_http._tcp', 'Other Web 192.168.88.20:88');
      await inGuest.publish('VM Web Moved', '_http._tcp', 80);
      await finds(onLan2, '_http._tcp', `VM Web Moved ${STANDARD.host.eth1}:8081`);
      expect((await found(onLan, '_http._tcp')).join()).not.toContain('Moved');
      client.close();
      await manager.stop();
    } finally {
      await lab.close();
    }
  },
  AVAHI_MISSING,
  seconds(180),
);
