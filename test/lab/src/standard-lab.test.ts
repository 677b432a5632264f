import { createConnection } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { labTest } from './lab-test';
import { reaches } from './services/probes';
import { seenAs, UNWANTED } from './services/peer-echo';
import { STANDARD, standardLab, type StandardLab } from './standard-lab';

const { internet, router, lanhost, host } = STANDARD;

async function withStandardLab(
  use: (lab: StandardLab) => Promise<void>,
  secondUplink = false,
): Promise<void> {
  const lab = await standardLab({ secondUplink });
  try {
    await use(lab);
  } finally {
    await lab.close();
  }
}

labTest(
  'host and neighbour reach the Internet by the router in both families, and are seen as themselves',
  () =>
    withStandardLab(async (lab) => {
      expect(await reaches(lab.host, internet.v4)).toBe(true);
      expect(await reaches(lab.host, internet.v6)).toBe(true);
      expect(await seenAs(lab.host, internet.v4)).toBe(host.v4);
      expect(await seenAs(lab.host, internet.v6)).toBe(host.v6);
      expect(await seenAs(lab.lanhost, internet.v4)).toBe(lanhost.v4);
      expect(await reaches(lab.lanhost, host.v4)).toBe(true);
    }),
);

labTest('what is not translated gets no answer: neither router nor Internet knows the guests', () =>
  withStandardLab(async (lab) => {
    const asGuest = `ip addr add 100.115.92.130/32 dev lo; ip route add ${internet.v4} via ${router.v4} src`;
    await lab.host.shell(`${asGuest} 100.115.92.130`);
    expect(await seenAs(lab.host, internet.v4, 7, UNWANTED)).toBeUndefined();
    await lab.host.shell(`ip route del ${internet.v4}`);
    expect(await seenAs(lab.host, internet.v4)).toBe(host.v4);
  }),
);

labTest('the peer echo tells UDP and HTTP clients how it sees them', () =>
  withStandardLab(async (lab) => {
    const udp = `const s = require('dgram').createSocket('udp4');
      s.on('message', (m) => { console.log(String(m)); s.close(); }); s.send('hello', 7, '${internet.v4}')`;
    expect(await lab.lanhost.ok(process.execPath, ['-e', udp])).toMatch(
      /^peer 192\.168\.77\.20 \d+\nhello\n$/,
    );
    const http = `fetch('http://${internet.v4}/').then((r) => r.text()).then(console.log)`;
    expect(await lab.host.ok(process.execPath, ['-e', http])).toMatch(/^peer 192\.168\.77\.2 \d+\n/);
  }),
);

labTest('the router answers DHCP and DNS', () =>
  withStandardLab(async (lab) => {
    const tsx = pathToFileURL(require.resolve('tsx')).href;
    const discover = ['--import', tsx, join(__dirname, 'testing', 'dhcp-discover.ts')];
    await lab.lanhost.shell('ip route add 255.255.255.255 dev eth0');
    const offer = await lab.lanhost.ok(process.execPath, discover);
    expect(offer).toMatch(/^offered 192\.168\.77\.1\d\d router 192\.168\.77\.1\n$/);
    const lookup = `const r = new (require('dns').promises.Resolver)(); r.setServers(['${router.v4}']);
      r.resolve4('internet.lab').then((a) => console.log(a.join()))`;
    expect(await lab.host.ok(process.execPath, ['-e', lookup])).toBe(`${internet.v4}\n`);
  }),
);

labTest('the second uplink has a router of its own and is not preferred', () =>
  withStandardLab(async (lab) => {
    expect(await seenAs(lab.host, internet.v4)).toBe(host.v4);
    expect(
      await lab.host.ok('ip', ['route', 'get', internet.v4, 'from', host.eth1, 'oif', 'eth1']),
    ).toContain('via 192.168.88.1');
    expect(await lab.host.ok('ping', ['-n', '-c1', '-W20', '-I', 'eth1', internet.v4])).toContain(
      'from 192.168.88.2 eth1',
    );
    expect(await lab.host.ok('ip', ['-6', 'route', 'show', 'default', 'dev', 'eth1'])).toContain('pref low');
  }, true),
);

labTest("the host's bus is its system bus and can be reached from outside", () =>
  withStandardLab(async (lab) => {
    const list = [
      '--system',
      '--print-reply',
      '--dest=org.freedesktop.DBus',
      '/',
      'org.freedesktop.DBus.ListNames',
    ];
    expect(await lab.host.ok('dbus-send', list)).toContain('org.freedesktop.DBus');
    expect(
      await lab.host.ok('dbus-send', list, { env: { DBUS_SYSTEM_BUS_ADDRESS: lab.bus.inside } }),
    ).toContain(':1.');

    const socket = createConnection(lab.bus.outside.replace('unix:path=', ''));
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.())).toString('hex')}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^OK /);
    socket.destroy();
  }),
);
