import { labForEach, labTest, program, type Child, type StandardLab } from '@pp/lab';

/*
 * Two relays of one kind in a network namespace: what both relay would arrive twice.
 */

let lab: StandardLab;

labForEach((opened) => (lab = opened));

const GROUP = '239.255.255.250:3702';
const APPS = [
  { app: 'mcastfwd', what: 'mdns', other: ['--protocol', 'none', '--group', GROUP], otherWhat: GROUP },
  { app: 'bcast-fwd', what: 'ports 1024-65535', other: ['--ports', '9'], otherWhat: 'ports 9-9' },
] as const;

const stateOf = (app: string, name: string): readonly string[] => ['--state-dir', `/run/lab/${app}-${name}`];

async function start(app: string, name: string, args: readonly string[]): Promise<Child> {
  const relay = lab.host.spawn(program(app), [...args, ...stateOf(app, name)]);
  await relay.line('log line "ready"', (line) => line.includes('ready') || undefined);
  return relay;
}

const ADVICE = 'what two relay arrives twice: stop it, or name interfaces that it does not serve';

labTest('bcast-fwd: a second one with ports of the first among its own is refused', async () => {
  const first = await start('bcast-fwd', 'first', ['--ports', '9,1024-65535', 'eth0', 'vg1']);
  const args = ['--ports', '137-138,6969', 'eth0', 'vg1', ...stateOf('bcast-fwd', 'refused')];
  const { code, stderr } = await lab.host.run(program('bcast-fwd'), args);
  const inUse = `another bcast-fwd, pid ${first.pid}, relays ports 1024-65535 between eth0 and vg1`;
  expect([code, stderr]).toEqual([1, `bcast-fwd: ${inUse}; ${ADVICE}\n`]);
});

labTest('mcastfwd: a group that another one has for the pair is refused at run time, and free again later', async () => {
  const first = await start('mcastfwd', 'first', ['--protocol', 'none', '--group', GROUP, 'eth0', 'vg1']);
  await start('mcastfwd', 'second', ['--protocol', 'mdns', 'eth0', 'vg0', 'vg*']);
  const group = async (verb: string, name: string): Promise<string> => {
    const args = ['group', verb, GROUP, ...stateOf('mcastfwd', name)];
    return (await lab.host.run(program('mcastfwd'), args)).stderr;
  };
  const inUse = `another mcastfwd, pid ${first.pid}, relays ${GROUP} between eth0 and vg1; ${ADVICE}`;
  expect(await group('add', 'second')).toContain(inUse);
  expect(await group('del', 'first')).toBe('');
  expect(await group('add', 'second')).toBe('');
  expect(await group('add', 'first')).toContain('between eth0 and vg*');
  expect(await group('del', 'second')).toBe('');
  expect(await group('add', 'first')).toBe('');
});

for (const { app, what, other, otherWhat } of APPS) {
  labTest(`${app}: a second one for the same pair is refused in one line, and no other`, async () => {
    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await lab.host.run(program(app), [...args, ...stateOf(app, 'refused')]);
      expect(code).toBe(1);
      return stderr;
    };
    const first = await start(app, 'first', ['eth0', 'vg1', 'vmtap*']);
    const inUse = (guest: string, by = first, whose: string = what): string =>
      `${app}: another ${app}, pid ${by.pid}, relays ${whose} between eth0 and ${guest}; ${ADVICE}\n`;
    expect(await refused('eth0', 'vg0', 'vg1')).toBe(inUse('vg1'));
    expect(await refused('eth0', 'vg*')).toBe(inUse('vg1'));
    expect(await refused('eth0', 'vmtap7')).toBe(inUse('vmtap*'));
    expect(await refused('vg1', 'eth0')).toBe(inUse('vg1'));

    const elsewhere = await start(app, 'what', [...other, 'eth0', 'vg1']);
    expect(await refused(...other, 'eth0', 'vg1')).toBe(inUse('vg1', elsewhere, otherWhat));
    const others = [
      await start(app, 'guest', ['eth0', 'vg2']),
      await start(app, 'lan', ['eth1', 'vg1']),
      elsewhere,
    ];
    expect(others.map(({ stderr }) => /^warn/m.test(stderr))).toEqual([false, false, false]);
    first.kill('SIGKILL');
    await first.exited;
    await start(app, 'again', ['eth0', 'vg1', 'vmtap*']);
  });

  labTest(`${app}: a second one that follows the manager is refused, one beside it is warned`, async () => {
    const first = await start(app, 'first', []);
    const { code, stderr } = await lab.host.run(program(app), stateOf(app, 'second'));
    expect([code, stderr]).toEqual([
      1,
      `${app}: another ${app}, pid ${first.pid}, follows the manager; what two relay arrives twice: stop it, or let it do this one’s work\n`,
    ]);
    const warning = (pid: number, relays: string): string =>
      `warn relay.another pid=${pid} relays="${relays}" note="what both relay arrives twice"`;
    const beside = await start(app, 'beside', ['eth0', 'vg1']);
    expect(beside.stderr).toContain(warning(first.pid, 'what the manager says'));
    await first.stop();
    const again = await start(app, 'again', []);
    expect(again.stderr).toContain(warning(beside.pid, 'interfaces of its own'));
  });

  labTest(`${app}: who claims its pair without the rights of one keeps nobody out`, async () => {
    const name = `patchpanel_${app}/${what.replace(' ', '+')}/eth0/vg1`;
    const socat = ['socat', '-d', '-d', `ABSTRACT-LISTEN:${name},fork`, 'PIPE'];
    const squatter = lab.host.spawn('setpriv', ['--bounding-set=-all', '--inh-caps=-all', '--', ...socat]);
    await squatter.line('sign of listening', (line) => line.includes('listening on') || undefined);
    const relay = await start(app, 'first', ['eth0', 'vg1']);
    expect(relay.stderr).toMatch(/^warn name\.taken /m);
    await relay.stop();
    await start(app, 'pattern', ['eth0', 'vg*']);
  });
}
