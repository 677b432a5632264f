import {
  labTest,
  program,
  seenAs,
  STANDARD,
  standardLab,
  startManager,
  startPeerEcho,
  UNWANTED,
  until,
  type Child,
  type Finished,
  type Manager,
  type Place,
  type StandardLab,
} from '@pp/lab';

/** patchpanelctl port and events on a host with a manager, as an operator uses them. */
let lab: StandardLab;
let manager: Manager;

const { host: uplink, lanhost } = STANDARD;

beforeAll(async () => {
  lab = await standardLab();
  manager = await startManager(lab.host);
}, 60_000);

afterAll(async () => {
  await lab.close();
}, 60_000);

const words = (line: string): readonly string[] => ['--state-dir', '/run/lab/state', ...line.split(' ')];
const ctl = (line: string): Promise<Finished> => lab.host.run(program('patchpanelctl'), words(line));
const start = (line: string): Child => lab.host.spawn(program('patchpanelctl'), words(line));

const rules = async (): Promise<readonly object[]> =>
  (JSON.parse((await ctl('port list --json')).stdout) as { readonly ports: readonly object[] }).ports;

labTest('ports are opened, locked, forwarded, listed and closed', async () => {
  expect((await ctl('port list')).stdout).toBe('no port is open, locked or forwarded\n');
  expect(await ctl('port open 8080 --on eth0')).toMatchObject({
    code: 0,
    stdout: 'tcp port 8080 on eth0 open\n',
    stderr: '',
  });
  const forward = 'port forward 8080 --on eth0 --to 100.115.92.130:80 --json';
  expect(JSON.parse((await ctl(forward)).stdout)).toMatchObject({ type: 'forwarding', toPort: 80 });
  expect((await ctl(forward)).code).toBe(0); // again: nothing changes
  expect((await ctl('port lock 5353/udp')).stdout).toBe('udp port 5353 locked\n');
  expect((await ctl('port list')).stdout).toMatch(/^8080\/tcp +forwarding +eth0 +- +100\.115\.92\.130:80$/m);
  expect(await rules()).toHaveLength(3);
  expect(await ctl('port forward 8080 --on eth0 --to 100.115.92.130:81')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('is forwarded to 100.115.92.130:80 already') as string,
  });
  expect((await ctl('port close 5353')).code).toBe(3); // that would be TCP
  expect((await ctl('port close 5353/udp')).code).toBe(0);
  expect((await ctl('port close 8080')).stdout.split('\n')).toHaveLength(2 + 1);
  expect(await rules()).toEqual([]);
});

labTest('a port is forwarded for a time, for as long as a process, or until Ctrl-C', async () => {
  const server = await startPeerEcho(lab.host, ['tcp:7000']);
  const ask = (): Promise<string | undefined> => seenAs(lab.lanhost, uplink.v4, 8080);
  const forward = `port forward 8080 --on eth0 --to ${uplink.v4}:7000`;
  const isOpen = (line: string): true | undefined => (line.includes('forwarded') ? true : undefined);
  const process = lab.host.spawn('sleep', ['60']);
  for (const [hold, end] of [
    [`--while-pid ${process.pid}`, () => process.stop()],
    ['--for 15', () => Promise.resolve()],
    [
      '--for 600',
      (child: Child) => {
        child.kill('SIGINT');
      },
    ],
  ] as const) {
    const child = start(`${forward} ${hold}`);
    await child.line('the rule', isOpen);
    expect([hold, await ask()]).toEqual([hold, lanhost.v4]);
    await end(child);
    expect([hold, (await child.exited).code]).toEqual([hold, 0]);
    expect([hold, await rules()]).toEqual([hold, []]);
  }
  expect(await seenAs(lab.lanhost, uplink.v4, 8080, UNWANTED)).toBeUndefined();
  expect((await ctl(`${forward} --while-pid ${process.pid}`)).code).toBe(3);
  expect(await rules()).toEqual([]);
  await server.stop();
});

labTest('a rule about an interface that is not there waits for it, and that is said', async () => {
  const server = await startPeerEcho(lab.host, ['tcp:7000']);
  const sentence = (number: number): string =>
    `there is no interface late0 now: the rule waits until there is one; if the name is wrong, take the rule back with patchpanelctl port close ${number}/tcp --on late0`;
  expect(await ctl(`port forward 8080 --on late0 --to ${uplink.v4}:7000`)).toMatchObject({
    code: 7,
    stdout: `tcp port 8080 on late0 forwarded to ${uplink.v4}:7000\n`,
    stderr: `patchpanelctl: ${sentence(8080)}\n`,
  });
  const open = await ctl('port open 8081 --on late0 --json');
  expect([open.code, JSON.parse(open.stdout)]).toEqual([
    7,
    expect.objectContaining({ ifname: 'late0', warnings: [sentence(8081)] }),
  ]);
  const plug = (place: Place, mac: string, address: string): Promise<void> =>
    lab.lab.plug(place, 'late', { ifname: 'late0', mac, addresses: [`${address}/24`] });
  await plug(lab.host, '02:00:00:00:99:01', '192.0.2.1');
  await plug(lab.lanhost, '02:00:00:00:99:02', '192.0.2.2');
  expect(await seenAs(lab.lanhost, '192.0.2.1', 8080)).toBe('192.0.2.2');
  expect(await ctl('port open 8081 --on late0')).toMatchObject({ code: 0, stderr: '' }); // neither uplink nor guest, but there
  for (const place of [lab.host, lab.lanhost]) await place.ok('ip', ['link', 'del', 'late0']);
  for (const number of [8080, 8081]) expect((await ctl(`port close ${number}/tcp --on late0`)).code).toBe(0);
  expect(await rules()).toEqual([]);
  await server.stop();
});

labTest('events tell of guests, and of the manager', async () => {
  const events = start('events --json');
  const told = (): readonly unknown[] =>
    events.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  await events.line('first line', (line) => (line.includes('manager.up') ? true : undefined));
  await ctl('vm start termina --id 9');
  await ctl('vm stop termina --id 9');
  await manager.stop();
  await events.line('last line', (line) => (line.includes('manager.down') ? true : undefined));
  manager = await startManager(lab.host);
  await until('the manager is seen', () => told().length === 5);
  const device = expect.objectContaining({ ifname: 'vmtap0', guest_type: 'TERMINA_VM' }) as object;
  expect(told()).toEqual([
    { v: 1, event: 'manager.up' },
    { v: 1, event: 'device.added', device },
    { v: 1, event: 'device.removed', device },
    { v: 1, event: 'manager.down' },
    { v: 1, event: 'manager.up' },
  ]);
  events.kill('SIGTERM');
  expect((await events.exited).code).toBe(0);
});
