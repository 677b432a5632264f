import { seconds } from '@pp/base';
import { Avahi, labTest, program, seenAs, STANDARD, startPeerEcho, until } from '@pp/lab';
import { AVAHI_MISSING, finds, found, type McastRig, STATE, rigForEach } from './mcastfwd-rig';

let rig: McastRig;

rigForEach(AVAHI_MISSING, (opened) => {
  rig = opened;
});

labTest(
  'services are found from guests and guests’ services from the LAN, by name and by both families',
  async () => {
    const [onLan, inGuest, inOther] = await Promise.all([
      Avahi.start(rig.lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(rig.g1, { hostName: 'guestbox' }),
      Avahi.start(rig.g2, { hostName: 'otherbox' }),
    ]);
    await rig.forward();
    await Promise.all([
      onLan.publish('Lan Printer', '_ipp._tcp', 631),
      inGuest.publish('Guest Web', '_http._tcp', 80),
    ]);
    await finds(inGuest, '_ipp._tcp', `Lan Printer ${STANDARD.lanhost.v4}:631`);
    // avahi names one of its host's addresses, which has one of its own and one by SLAAC.
    await until('the printer by IPv6', async () =>
      (await found(inGuest, '_ipp._tcp')).some((each) => each.startsWith('Lan Printer 2001:db8:77:')),
    );
    // Behind NAT the host's address stands for the guest; between guests its own does.
    await finds(onLan, '_http._tcp', `Guest Web ${STANDARD.host.v4}:80`);
    await finds(inOther, '_http._tcp', 'Guest Web 100.64.1.2:80');
    await finds(onLan, '_http._tcp', 'Guest Web fd00:1::2:80');
    expect(await inGuest.resolve('lanbox.local', '-4')).toBe(STANDARD.lanhost.v4);
    expect(await onLan.resolve('guestbox.local', '-4')).toBe(STANDARD.host.v4);
    const names = await Promise.all([onLan, inGuest, inOther].map((avahi) => avahi.hostName()));
    expect(names).toEqual(['lanbox', 'guestbox', 'otherbox']);
    const { received, forwarded, dropped } = await rig.status();
    expect(received).toBe(forwarded + dropped);
    expect(forwarded).toBeGreaterThan(10);
  },
  AVAHI_MISSING,
  seconds(120),
);

labTest(
  'a guest with an address of the LAN’s prefix, as by ndproxy, is found by IPv6 though the host has none of it there',
  async () => {
    const { lab, host, g1 } = rig;
    await host.shell('ip addr del fd00:1::1/64 dev vg1');
    await g1.shell('ip addr del fd00:1::2/64 dev eth0; ip addr add 2001:db8:77::99/64 dev eth0 nodad');
    const [onLan, inGuest] = await Promise.all([
      Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(g1, { hostName: 'guestbox' }),
    ]);
    await rig.forward();
    await inGuest.publish('Guest Web', '_http._tcp', 80);
    await finds(onLan, '_http._tcp', 'Guest Web 2001:db8:77::99:80');
  },
  AVAHI_MISSING,
  seconds(90),
);

labTest(
  'avahi on the relay’s own host goes on as before: its unicast, its name, its services on both sides',
  async () => {
    const { host, lab, g1 } = rig;
    const [onHost, onLan, inGuest] = await Promise.all([
      Avahi.start(host, { hostName: 'hostbox' }),
      Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(g1, { hostName: 'guestbox' }),
    ]);
    await rig.forward();
    await onHost.publish('Host Disk', '_smb._tcp', 445);
    await finds(onLan, '_smb._tcp', `Host Disk ${STANDARD.host.v4}:445`);
    await finds(inGuest, '_smb._tcp', 'Host Disk 100.64.1.1:445');
    // A question to the host alone, at port 5353: avahi's socket has it, not the forwarder's.
    const dig = ['+short', '+time=5', '+tries=4', '-p', '5353', `@${STANDARD.host.v4}`, 'hostbox.local'];
    expect((await lab.lanhost.ok('dig', dig)).trim()).toBe(STANDARD.host.v4);
    const before = await rig.status();
    expect(await onHost.resolve('lanbox.local', '-4')).toBe(STANDARD.lanhost.v4);
    expect(await onLan.resolve('hostbox.local', '-4')).toBe(STANDARD.host.v4);
    expect(await onHost.hostName()).toBe('hostbox');
    const { drops } = await rig.status();
    expect(before.received).toBeGreaterThan(0);
    // What the host says itself it says on every link, so the forwarder lets it be.
    expect(
      drops.every(({ reason }) => reason === 'own-source' || reason === 'no-exit' || reason === 'looped'),
    ).toBe(true);
  },
  AVAHI_MISSING,
  seconds(120),
);

labTest(
  'a guest’s service behind NAT is reached where it is found: the host’s address and the forwarded port',
  async () => {
    const { host, lab, g1 } = rig;
    await host.shell(`
      nft add chain ip nat1 pre '{ type nat hook prerouting priority -100; }'
      nft add rule ip nat1 pre iifname eth0 tcp dport 8080 dnat to 100.64.1.2:80`);
    const server = await startPeerEcho(g1, ['tcp:80']);
    const [onLan, inGuest] = await Promise.all([
      Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(g1, { hostName: 'guestbox' }),
    ]);
    await rig.forward('--forward', 'tcp:8080=100.64.1.2:80');
    await inGuest.publish('Guest Web', '_http._tcp', 80);
    await finds(onLan, '_http._tcp', `Guest Web ${STANDARD.host.v4}:8080`);
    expect(await seenAs(lab.lanhost, STANDARD.host.v4, 8080)).toBe(STANDARD.lanhost.v4);
    await server.stop();
  },
  AVAHI_MISSING,
  seconds(120),
);

labTest(
  'filters, directions and the trace, while it runs',
  async () => {
    const { lab, g1, g2 } = rig;
    const [onLan, inGuest, inOther] = await Promise.all([
      Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(g1, { hostName: 'guestbox' }),
      Avahi.start(g2, { hostName: 'otherbox' }),
    ]);
    await rig.forward();
    await rig.command('filter', 'deny', 'out:_ssh._tcp@vg1');
    await rig.command('direction', 'off', 'vg2');
    await Promise.all([onLan.publish('Shell', '_ssh._tcp', 22), onLan.publish('Printer', '_ipp._tcp', 631)]);
    const trace = rig.host.spawn('sh', ['-c', `exec "$0" trace --state-dir ${STATE}`, program('mcastfwd')]);
    await finds(inGuest, '_ipp._tcp', `Printer ${STANDARD.lanhost.v4}:631`);
    expect(await found(inGuest, '_ssh._tcp')).toEqual([]);
    expect(await found(inOther, '_ipp._tcp')).toEqual([]);
    // It may have begun to listen after all of this.
    const traces = (what: string, type: string, line: RegExp): Promise<unknown> =>
      until(
        what,
        async () => {
          await found(inGuest, type);
          return line.test(trace.stdout);
        },
        { deadline: seconds(40) },
      );
    await traces(
      'the trace tells why',
      '_ssh._tcp',
      /mdns in vg1 \S+ query _ssh\._tcp\.local PTR.*dropped, filtered|vg1 filtered/,
    );
    const outward = /mdns in eth0 .*_ipp\._tcp\.local.*: vg1 (sent|changed), vg2 direction/;
    await traces('and of what went out', '_ipp._tcp', outward);
    expect(await rig.command('direction', 'two-way', 'vg2')).toBe('OK\n');
    await rig.command('filter', 'del', 'out:_ssh._tcp@vg1');
    await finds(inOther, '_ipp._tcp', `Printer ${STANDARD.lanhost.v4}:631`);
    await finds(inGuest, '_ssh._tcp', `Shell ${STANDARD.lanhost.v4}:22`);
  },
  AVAHI_MISSING,
  seconds(180),
);
