import { seconds } from '@pp/base';
import { Avahi, labTest, resolvedMissing, Resolved, secondUidMissing, STANDARD } from '@pp/lab';
import { type McastRig, missingFor, rigForEach } from './mcastfwd-rig';

/** systemd-resolved is another mDNS responder, on all of the host's addresses at port 5353. */

const MISSING = missingFor('avahi-daemon', 'avahi-resolve', 'dig') ?? secondUidMissing() ?? resolvedMissing();

let rig: McastRig;

rigForEach(MISSING, (opened) => {
  rig = opened;
});

const LINKS = ['eth0', 'vg1', 'vg2'];

for (const first of ['systemd-resolved', 'mcastfwd'] as const) {
  labTest(
    `with systemd-resolved on the host and in a guest, ${first} first, names are found both ways`,
    async () => {
      const { host, lab, g1, g2 } = rig;
      if (first === 'mcastfwd') await rig.forward();
      const onHost = await Resolved.start(host, { hostName: 'hostbox', links: LINKS });
      if (first !== 'mcastfwd') await rig.forward();
      const inGuest = await Resolved.start(g2, { hostName: 'guesttwo', links: ['eth0'] });
      const onLan = await Avahi.start(lab.lanhost, { hostName: 'lanbox' });
      const inOther = await Avahi.start(g1, { hostName: 'guestbox' });

      expect(await inGuest.resolve('lanbox.local')).toEqual([STANDARD.lanhost.v4]);
      expect(await inGuest.resolve('guestbox.local')).toEqual(['100.64.1.2']);
      expect(await inGuest.resolve('hostbox.local')).toEqual(['100.64.2.1']);
      expect(await onHost.resolve('lanbox.local')).toEqual([STANDARD.lanhost.v4]);
      expect(await onHost.resolve('guestbox.local')).toEqual(['100.64.1.2']);
      expect(await onLan.resolve('guesttwo.local', '-4')).toBe(STANDARD.host.v4);
      expect(await onLan.resolve('hostbox.local', '-4')).toBe(STANDARD.host.v4);
      expect(await inOther.resolve('guesttwo.local', '-4')).toBe('100.64.2.2');
      expect(await inOther.resolve('hostbox.local', '-4')).toBe('100.64.1.1');
    },
    MISSING,
    seconds(120),
  );
}
