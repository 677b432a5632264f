import { seconds } from '@pp/base';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Avahi, labTest, STANDARD, until, type Place } from '@pp/lab';
import { type McastRig, missingFor, rigForEach } from './mcastfwd-rig';

const MISSING = missingFor('avahi-daemon', 'avahi-browse', 'minidlnad', 'socat', 'curl');

let rig: McastRig;

rigForEach(MISSING, (opened) => {
  rig = opened;
});

/**
 * A one-shot query (RFC 6762 §6.7) as dig made it until BIND 9.18, which takes answers only from the very address that it asked. Prints
 * who answered, from which port, the id and the data. Arguments: own address or '', group, interface or '', name, id.
 */
const ONE_SHOT = `
const [own, group, ifname, name, id] = process.argv.slice(1);
const type = group.includes(':') ? 28 : 1;
const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
const query = Buffer.from([id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
const socket = require('node:dgram').createSocket(group.includes(':') ? 'udp6' : 'udp4');
socket.on('message', (answer, { address, port }) => {
  const data = answer.subarray(type === 1 ? -4 : -16);
  console.log([address, port, answer.readUInt16BE(0), type === 1 ? data.join('.') : data.toString('hex')].join(' '));
  socket.close();
});
socket.bind(0, own || undefined, () => {
  if (own) socket.setMulticastInterface(own);
  socket.send(query, 5353, ifname ? group + '%' + ifname : group);
});
setTimeout(() => process.exit(1), 4000).unref();
`;

labTest(
  'one-shot queries from several clients at once: each gets its answer, at the address that is right for it',
  async () => {
    const { lab, g1, g2 } = rig;
    await Avahi.start(g1, { hostName: 'guestbox' });
    await rig.forward();
    const ask = (place: Place, own: string, group: string, ifname: string, id: number): Promise<string> =>
      until(
        `${place.name} is answered`,
        async () =>
          (await place.ok('node', ['-e', ONE_SHOT, own, group, ifname, 'guestbox.local', String(id)])).trim(),
        { deadline: seconds(40) },
      );
    const [v4, v6] = ['224.0.0.251', 'ff02::fb'];
    const answers = await Promise.all([
      ask(lab.lanhost, STANDARD.lanhost.v4, v4, '', 1001),
      ask(lab.router, STANDARD.router.v4, v4, '', 1002),
      ask(g2, '100.64.2.2', v4, '', 1003),
    ]);
    expect(answers).toEqual([
      `${STANDARD.host.v4} 5353 1001 ${STANDARD.host.v4}`,
      `${STANDARD.host.v4} 5353 1002 ${STANDARD.host.v4}`,
      '100.64.2.1 5353 1003 100.64.1.2',
    ]);
    const byIpv6 = await ask(g2, '', v6, 'eth0', 1004);
    expect(byIpv6).toMatch(/^(fe80::\S+%eth0|fd00:2::1) 5353 1004 fd000001000000000000000000000002$/);
    await until('the sessions are over', async () => (await rig.status()).sessions === 0);
  },
  MISSING,
  seconds(90),
);

labTest(
  'a UPnP device on the LAN is found by a search from a guest, and its description fetched',
  async () => {
    const { lab, g1, g2 } = rig;
    const media = join(lab.lanhost.shared, 'media');
    mkdirSync(media);
    writeFileSync(
      join(lab.lanhost.shared, 'minidlna.conf'),
      'media_dir=/run/lab/media\ndb_dir=/run/lab/dlna\nlog_dir=/run/lab\nfriendly_name=Lab Media\nport=8200\nnotify_interval=5\nnetwork_interface=eth0\n',
    );
    lab.lanhost.spawn('minidlnad', ['-S', '-f', '/run/lab/minidlna.conf', '-P', '/run/lab/minidlna.pid']);
    await rig.forward();
    const search = [
      'M-SEARCH * HTTP/1.1',
      'HOST: 239.255.255.250:1900',
      'MAN: "ssdp:discover"',
      'MX: 1',
      'ST: upnp:rootdevice',
      '',
      '',
    ].join('\r\n');
    const locations = (place: typeof g1): Promise<string> =>
      until(
        `${place.name} finds the device`,
        async () => {
          const answer = await place.run(
            'socat',
            ['-t3', '-T3', '-', 'UDP4-DATAGRAM:239.255.255.250:1900,ip-multicast-ttl=2'],
            { input: search },
          );
          return /^LOCATION: *(\S+)\r$/im.exec(answer.stdout)?.[1];
        },
        { deadline: seconds(30) },
      );
    const [one, other] = await Promise.all([locations(g1), locations(g2)]);
    expect([one, other]).toEqual(
      Array.from({ length: 2 }, () => `http://${STANDARD.lanhost.v4}:8200/rootDesc.xml`),
    );
    expect(await g1.ok('curl', ['-s', '--max-time', '20', one])).toContain(
      '<friendlyName>Lab Media</friendlyName>',
    );
    // And it announces itself.
    const listener = g2.spawn('socat', [
      '-u',
      'UDP4-RECV:1900,ip-add-membership=239.255.255.250:0.0.0.0,reuseaddr',
      '-',
    ]);
    await until(
      'a guest hears an announcement',
      () => /NOTIFY[^]*LOCATION: *http:\/\/192\.168\.77\.20:8200/i.test(listener.stdout),
      {
        deadline: seconds(40),
      },
    );
  },
  MISSING,
  seconds(120),
);

labTest(
  'another group, with answers, added while it runs',
  async () => {
    const { lab, g1 } = rig;
    await rig.forward();
    expect(await rig.command('group', 'add', '239.255.255.250:3702:reply=10')).toBe('OK\n');
    // What is asked is read first: else its end may reset the pair of sockets with the answer in it.
    lab.lanhost.spawn('socat', [
      ...['-t', '10', 'UDP4-RECVFROM:3702,ip-add-membership=239.255.255.250:eth0,reuseaddr,fork'],
      'SYSTEM:cat > /dev/null; echo here',
    ]);
    const answer = await until('an answer comes back', async () => {
      const { stdout } = await g1.run('socat', ['-t2', '-T2', '-', 'UDP4-DATAGRAM:239.255.255.250:3702'], {
        input: 'who',
      });
      return stdout.trim();
    });
    expect(answer).toBe('here');
    expect(await rig.command('group', 'del', '239.255.255.250:3702')).toBe('OK\n');
  },
  MISSING,
  seconds(60),
);
