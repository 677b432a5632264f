import { labTest, program, standardLab, startManager, type Finished, type StandardLab } from '@pp/lab';

/** patchpanelctl on a host with a manager, as an operator uses it. */
let lab: StandardLab;

beforeAll(async () => {
  lab = await standardLab();
  await startManager(lab.host);
}, 60_000);

afterAll(async () => {
  await lab.close();
}, 60_000);

const ctl = (line: string): Promise<Finished> => lab.host.run(program('patchpanelctl'), line.split(' '));

labTest('VMs are started, listed and stopped', async () => {
  const started = await ctl('vm start termina --id 33 --json');
  const device = {
    ifname: 'vmtap0',
    phys_ifname: 'vmtap0',
    guest_type: 'TERMINA_VM',
    ipv4_addr: '100.115.92.26',
    host_ipv4_addr: '100.115.92.25',
    ipv4_subnet: '100.115.92.24/30',
  };
  expect([started.code, JSON.parse(started.stdout)]).toEqual([
    0,
    { devices: [device], container_subnet: '100.115.92.192/28' },
  ]);
  expect(JSON.parse((await ctl('devices --json')).stdout)).toEqual({ devices: [device] });
  expect((await ctl('vm start plugin --id 7 --subnet-index 2')).stdout).toMatch(/^plugin VM 7 started\n/);
  expect((await ctl('vm start arcvm --id 3')).stdout.split('\n')).toHaveLength(1 + 1 + 6 + 1);
  const status = await ctl('--state-dir /run/lab/state status');
  expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(/^termina\/33 +termina +vmtap0 /m)]);
  for (const guest of ['termina --id 33', 'plugin --id 7', 'arcvm --id 3'])
    expect([guest, (await ctl(`vm stop ${guest}`)).code]).toEqual([guest, 0]);
  expect((await ctl('devices')).stdout).toBe('no guest has a device\n');
});

labTest('a container is started by its init, and stopped', async () => {
  const container = await lab.guest('container');
  expect(await ctl(`arc start --pid ${container.pid}`)).toMatchObject({
    code: 0,
    stdout: 'the ARC container started\n',
  });
  expect((await ctl('devices')).stdout).toMatch(/^arc_eth0 +ARC +eth0 /m);
  expect((await ctl('arc stop')).code).toBe(0);
  await container.end();
});

labTest('what cannot be done has its exit code', async () => {
  await ctl('vm start termina --id 5');
  for (const [line, want] of [
    [
      'vm start termina --id 5',
      { code: 4, stderr: expect.stringMatching(/termina VM 5 runs already/) as string },
    ],
    ['vm stop termina --id 6', { code: 3, stderr: expect.stringMatching(/is not running/) as string }],
    ['arc stop', { code: 3, stderr: expect.stringMatching(/no ARC container is running/) as string }],
    ['arc start --pid 1', { code: 1 }],
    ['vm start plugin --id 8 --subnet-index 33', { code: 1 }],
    ['vm start qemu --id 1', { code: 2 }],
  ] as const)
    expect({ line, ...(await ctl(line)) }).toMatchObject({ line, ...want });
  await ctl('vm stop termina --id 5');
});
