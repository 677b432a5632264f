import { seconds } from '@pp/base';
import { readFileSync } from 'node:fs';
import { Avahi, labTest, STANDARD, until } from '@pp/lab';
import { AVAHI_MISSING, finds, type McastRig, rigForEach } from './mcastfwd-rig';

let rig: McastRig;

rigForEach(AVAHI_MISSING, (opened) => {
  rig = opened;
});

/** Sends packets of many kinds that are no mDNS and no SSDP, COUNT of them, as fast as they are taken; another for each. */
const FLOOD = `
const dgram = require('node:dgram');
const [count] = process.argv.slice(1).map(Number);
const header = (qr, counts) => Buffer.from([0, 0, qr, 0, ...counts.flatMap((n) => [n >> 8, n & 255])]);
const name = (text) => Buffer.concat([...text.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
const kinds = [
  () => header(0x84, [0, 1, 0, 0]),
  () => Buffer.concat([header(0x84, [0, 1, 0, 0]), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4])]),
  () => Buffer.concat([header(0x84, [0, 1, 0, 0]), Buffer.from([0xc0, 0xff, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4])]),
  () => Buffer.concat([header(0, [0xffff, 0, 0, 0]), Buffer.alloc(400)]),
  () => Buffer.concat([header(0, [1, 0, 0, 0]), Buffer.from([0x7f]), Buffer.alloc(200, 0x61)]),
  () => Buffer.concat([header(0, [1, 0, 0, 0]), Buffer.alloc(320, 0x01), Buffer.from([0, 0, 1, 0, 1])]),
  () => Buffer.concat([header(0, [1, 0, 0, 0]), name('x.local'), Buffer.from([0, 1, 0, 1, 0xff])]),
  () => Buffer.concat([header(0x28, [1, 0, 0, 0]), name('x.local'), Buffer.from([0, 1, 0, 1])]),
  () => Buffer.alloc(1200, 0xc0),
  () => Buffer.from('M-SEARCH * HTTP/1.1\\r\\nMAN: x\\r\\n\\r\\n'),
];
const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
socket.bind(5353, () => {
  socket.setMulticastTTL(255);
  let sent = 0;
  const burst = () => {
    for (let i = 0; i < 100 && sent < count; i++, sent++) {
      const packet = Buffer.concat([kinds[sent % kinds.length](), Buffer.from(sent % 3 === 0 ? '' : String(sent))]);
      socket.send(packet, sent % 4 === 3 ? 1900 : 5353, sent % 4 === 3 ? '239.255.255.250' : '224.0.0.251');
    }
    if (sent < count) setTimeout(burst, 8);
    else setTimeout(() => socket.close(), 200);
  };
  burst();
});
`;

labTest(
  'a flood of malformed packets from a guest: none passes, all are counted, and at once services are found again',
  async () => {
    const { lab, g1, g2 } = rig;
    const [onLan, inOther] = await Promise.all([
      Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(g2, { hostName: 'otherbox' }),
    ]);
    const forwarder = await rig.forward();
    await onLan.publish('Before', '_ipp._tcp', 631);
    await finds(inOther, '_ipp._tcp', `Before ${STANDARD.lanhost.v4}:631`);
    const before = residentMb(forwarder.pid);
    await g1.ok('node', ['-e', FLOOD, '40000'], { timeout: seconds(40) });
    await onLan.publish('After', '_ipp._tcp', 632);
    await finds(inOther, '_ipp._tcp', `After ${STANDARD.lanhost.v4}:632`);
    const { received, forwarded, dropped, drops } = await rig.status();
    expect(received).toBe(forwarded + dropped);
    expect(dropped).toBeGreaterThan(30_000); // what the kernel lost on the way is not the forwarder's to count
    expect(forwarded).toBeLessThan(2000);
    const reasons = drops.map(({ reason }) => reason);
    for (const reason of [
      'dns-slack',
      'name-label',
      'name-long',
      'name-pointer',
      'name-truncated',
      'opcode',
      'ssdp-search',
    ])
      expect(reasons).toContain(reason);
    expect(residentMb(forwarder.pid) - before).toBeLessThan(60);
    expect((await forwarder.stop()).code).toBe(0);
  },
  AVAHI_MISSING,
  seconds(150),
);

labTest(
  'a source that is not of the link is not passed on',
  async () => {
    const { host, g1 } = rig;
    await rig.forward();
    await host.shell(
      'echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/vg1/rp_filter',
    );
    await g1.shell('ip addr add 203.0.113.99/32 dev lo');
    const query = `require('node:dgram').createSocket('udp4').bind(5353, '203.0.113.99', function () {
      this.setMulticastInterface('100.64.1.2');
      this.send(Buffer.from('000000000001000000000000' + '0178056c6f63616c00' + '00010001', 'hex'), 5353, '224.0.0.251', () => this.close());
    })`;
    const { drops, forwarded } = await until('it is dropped', async () => {
      await g1.ok('node', ['-e', query]);
      const status = await rig.status();
      return status.dropped > 0 ? status : undefined;
    });
    expect([forwarded, drops.map(({ reason }) => reason)]).toEqual([0, ['off-link']]);
  },
  AVAHI_MISSING,
);

const residentMb = (pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
};
