import { millis, seconds } from '@pp/base';
import { Avahi, labTest, STANDARD, until, type Host } from '@pp/lab';
import {
  AVAHI_MISSING,
  finds,
  found,
  type McastRig,
  rigForEach,
  startForwarder,
  watchGroup,
} from './mcastfwd-rig';

/*
 * Two segments, "lan" and "far", and hosts that are on both of them.
 */

let rig: McastRig;

rigForEach(AVAHI_MISSING, async (opened) => {
  rig = opened;
  await onFar(rig.host, 'far0', 2);
});

const mac = (segment: number, host: number): string => `02:50:50:00:${segment}:0${host}`;

async function onFar(host: Host, ifname: string, number: number): Promise<void> {
  await rig.lab.lab.plug(host, 'far', {
    ifname,
    mac: mac(99, number),
    addresses: [`192.168.99.${number}/24`, `2001:db8:99::${number}/64`],
  });
}

/** A host on both segments, or on the far one alone. */
async function hostOn(name: string, number: number, isOnLan: boolean): Promise<Host> {
  const host = await rig.lab.lab.host(name);
  if (isOnLan)
    await rig.lab.lab.plug(host, 'lan', {
      ifname: 'eth0',
      mac: mac(77, number),
      addresses: [`192.168.77.${number}/24`, `2001:db8:77::${number}/64`],
    });
  await onFar(host, 'far0', number);
  return host;
}

/** Nothing but a few packets in some seconds: whatever was said has come to rest. */
async function comesToRest(host: Host): Promise<void> {
  const watch = await watchGroup(host, 'far0');
  let [before, calm] = [0, 0];
  await until(
    'the segment is calm for three seconds',
    async () => {
      await host.shell('sleep 1');
      calm = watch.count() - before < 20 ? calm + 1 : 0;
      before = watch.count();
      return calm >= 3;
    },
    { deadline: seconds(40) },
  );
  await watch.stop();
}

/** What avahi says of itself when nobody disputes its names. */
const keepsItsName: unknown = expect.not.stringMatching(/conflict|bothbox-2|withdraw/i);

/** At addresses of the finder's own segment, and at no other. */
const findsOnly = (avahi: Avahi, wanted: RegExp): Promise<unknown> =>
  until(
    `${avahi.place.name} finds only ${wanted.source}`,
    async () => {
      const seen = await found(avahi, '_ipp._tcp');
      return seen.length > 0 && seen.every((each) => wanted.test(each));
    },
    { deadline: seconds(40) },
  );

const finishing = seconds(180);

/** How long a name is watched: MINUTES=5 by hand, since renaming takes its time where it happens. */
const WATCHED = seconds(Number(process.env['MINUTES'] ?? 40 / 60) * 60);

labTest(
  'a host on both segments keeps its name, and its service too, while others browse',
  async () => {
    const both = await hostOn('both', 5, true);
    const far = await hostOn('far', 6, false);
    await startForwarder(rig.host, ['--nat', 'none', 'eth0', 'far0']);
    const [onBoth, onFarHost, onLan] = await Promise.all([
      Avahi.start(both, { hostName: 'bothbox' }),
      Avahi.start(far, { hostName: 'farbox' }),
      Avahi.start(rig.lab.lanhost, { hostName: 'lanbox' }),
    ]);
    await onBoth.publish('Both', '_ipp._tcp', 631);
    let rounds = 0;
    for (const end = performance.now() + WATCHED; rounds < 3 || performance.now() < end; rounds++) {
      await findsOnly(onFarHost, /^Both (192\.168\.99\.5|2001:db8:99::5):631$/);
      await findsOnly(onLan, /^Both (192\.168\.77\.5|2001:db8:77:\S+):631$/);
      expect([await onBoth.hostName(), onBoth.daemon.output()]).toEqual(['bothbox', keepsItsName]);
    }
    expect(await onFarHost.resolve('bothbox.local', '-4')).toBe('192.168.99.5');
    expect(await onLan.resolve('bothbox.local', '-4')).toBe('192.168.77.5');
  },
  AVAHI_MISSING,
  millis(finishing + WATCHED),
);

labTest(
  'two of ours in parallel settle',
  async () => {
    const second = await hostOn('second', 7, true);
    const far = await hostOn('far', 6, false);
    await startForwarder(rig.host, ['--nat', 'none', 'eth0', 'far0']);
    await startForwarder(second, ['--nat', 'none', 'eth0', 'far0']);
    const [onFarHost, onLan] = await Promise.all([
      Avahi.start(far, { hostName: 'farbox' }),
      Avahi.start(rig.lab.lanhost, { hostName: 'lanbox' }),
    ]);
    await onLan.publish('Printer', '_ipp._tcp', 631);
    await finds(onFarHost, '_ipp._tcp', `Printer ${STANDARD.lanhost.v4}:631`);
    await comesToRest(far);
    expect([await onFarHost.hostName(), await onLan.hostName()]).toEqual(['farbox', 'lanbox']);
  },
  AVAHI_MISSING,
  finishing,
);

labTest(
  'ours and avahi’s reflector settle, on two hosts and on one',
  async () => {
    const second = await hostOn('second', 7, true);
    const far = await hostOn('far', 6, false);
    await startForwarder(rig.host, ['--nat', 'none', 'eth0', 'far0']);
    const [onFarHost, onLan, reflector] = await Promise.all([
      Avahi.start(far, { hostName: 'farbox' }),
      Avahi.start(rig.lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(second, { hostName: 'reflector', reflector: true }),
    ]);
    await onLan.publish('Printer', '_ipp._tcp', 631);
    await finds(onFarHost, '_ipp._tcp', `Printer ${STANDARD.lanhost.v4}:631`);
    await comesToRest(far);
    await reflector.stop();
    await Avahi.start(rig.host, { hostName: 'reflector2', reflector: true, interfaces: ['eth0', 'far0'] });
    await onLan.publish('Scanner', '_scan._tcp', 99);
    await finds(onFarHost, '_scan._tcp', `Scanner ${STANDARD.lanhost.v4}:99`);
    await comesToRest(far);
    expect([await onFarHost.hostName(), await onLan.hostName()]).toEqual(['farbox', 'lanbox']);
  },
  AVAHI_MISSING,
  finishing,
);
