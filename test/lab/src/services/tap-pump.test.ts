import { Lab } from '../lab';
import { labTest } from '../lab-test';
import { reaches } from './probes';
import { plugTap } from './tap-pump';

labTest('a guest behind a TAP is a Linux of its own on the wire, until the TAP is deleted', async () => {
  const lab = await Lab.open();
  try {
    const host = await lab.host('host');
    await host.shell(
      'ip tuntap add dev vmtap0 mode tap; ip addr add 10.0.0.1/30 dev vmtap0; ip link set vmtap0 up',
    );
    const guest = await lab.guest(host, 'vm');
    const mac = '52:54:00:00:00:02';
    const pump = await plugTap(host, guest, {
      tap: 'vmtap0',
      mac,
      address: '10.0.0.2/30',
      gateway: '10.0.0.1',
    });
    expect([await reaches(guest, '10.0.0.1'), await reaches(host, '10.0.0.2')]).toEqual([true, true]);
    expect(await host.ok('ip', ['neigh', 'show', '10.0.0.2'])).toContain(mac);
    await host.ok('ip', ['link', 'del', 'vmtap0']);
    expect(await pump.exited).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('unplugged') as string,
    });
  } finally {
    await lab.close();
  }
});
