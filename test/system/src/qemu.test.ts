import { seconds } from '@pp/base';
import { guestMac, labMissing, labTest, qemuMissing, runInVm, STANDARD } from '@pp/lab';
import { GuestRig } from './guest-rig';

/** Slow: a whole VM is booted without hardware virtualization. */

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

labTest(
  'a VM in QEMU boots on its TAP, pings out and talks TCP to the Internet through NAT',
  async () => {
    const { device } = await rig.client.ask('TerminaVmStartup', { cid: 42 });
    const said = await runInVm(
      rig.lab.host,
      device?.ifname ?? '',
      guestMac(42),
      `ip addr add 100.115.92.26/30 dev eth0
       ip link set eth0 up
       ip route add default via 100.115.92.25
       ping -c 3 -W 5 ${STANDARD.internet.v4} > /dev/null && echo pinged
       echo hello | timeout 20 nc ${STANDARD.internet.v4} 7 | head -n 1`,
    );
    expect(said).toMatch(/^pinged\r?$/m);
    expect(said).toMatch(new RegExp(`^peer ${STANDARD.host.v4.replaceAll('.', '[.]')} \\d+\\r?$`, 'm'));
    await rig.client.ask('TerminaVmShutdown', { cid: 42 });
    await rig.expectIdle();
  },
  labMissing() ?? qemuMissing(),
  seconds(180),
);
