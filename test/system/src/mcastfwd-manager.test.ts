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
import { AVAHI_MISSING, finds, startForwarder } from './mcastfwd-rig';

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
