import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { accept, causeChain, refuse } from '@pp/base';
import { DBUS_ERROR, type Bus } from './index';
import { whyNoPrivateBus } from './testing';
import { BusLab, CALL, NAME, PATH } from './testing/bus-lab';
import { until } from './testing/until';

jest.setTimeout(60_000);

const run = promisify(execFile);
const why = whyNoPrivateBus();
const describeOnBus = why === undefined ? describe : describe.skip;

describeOnBus(`a client of a dbus-daemon${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: BusLab;
  let service: Bus;
  let client: Bus;

  beforeAll(async () => {
    ({ lab, service, client } = await BusLab.start());
  });

  afterAll(async () => {
    await lab.stop();
  });

  test('credentials are those of the process that called, until it has left', async () => {
    const to = [`--bus=${lab.daemon.address}`, `--dest=${NAME}`, '--print-reply=literal', PATH];
    const running = run('dbus-send', [...to, `${NAME}.WhoAmI`]);
    const { stdout } = await running;
    const [, pid, sender = ''] = /uint32 (\d+)\s+(\S+)/.exec(stdout) ?? [];
    expect(pid).toBe(String(running.child.pid));
    const gone = refuse('NotFound', `the caller ${sender} has left the bus`);
    await until('the caller to have left', async () => !(await service.credentials(sender)).ok);
    expect(await service.credentials(sender)).toEqual(gone);
    const ours = accept({ uid: process.geteuid?.(), pid: process.pid });
    expect(await service.credentials(client.uniqueName)).toEqual(ours);
  });

  test('a name has one owner', async () => {
    expect(await client.requestName(NAME)).toBe('taken');
    expect(await client.requestName('org.free.Name')).toBe('primary');
    expect(await service.requestName('org.free.Name')).toBe('taken');
    await client.releaseName('org.free.Name');
    expect(await service.requestName('org.free.Name')).toBe('primary');
    await service.releaseName('org.free.Name');
  });

  test('a name that the policy denies', async () => {
    await expect(client.requestName('org.denied.Name')).rejects.toMatchObject({
      name: DBUS_ERROR.accessDenied,
    });
  });

  test('a watched name comes and goes', async () => {
    const owners: (string | undefined)[] = [];
    const unwatch = await client.watchName('org.short.Lived', (owner) => owners.push(owner));
    const other = await lab.connect();
    await other.requestName('org.short.Lived');
    await until('the owner to be told', () => owners.length === 2);
    other.close();
    await until('the end to be told', () => owners.length === 3);
    unwatch();
    expect(owners).toEqual([undefined, other.uniqueName, undefined]);
  });

  test('signals by the name of their sender, and not those of an impostor', async () => {
    const seen: unknown[] = [];
    const rule = { sender: NAME, path: PATH, interface: NAME, member: 'Changed' };
    const unsubscribe = await client.subscribe(rule, ({ sender, body }) => seen.push([sender, ...body]));
    const signal = { path: PATH, interface: NAME, member: 'Changed', signature: 'ay' };
    const impostor = await lab.connect();
    impostor.emitSignal({ ...signal, body: [Uint8Array.of(6)], destination: client.uniqueName });
    await impostor.call({ ...CALL, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
    service.emitSignal({ ...signal, body: [Uint8Array.of(1)] });
    await until('the signal', () => seen.length > 0);
    expect(seen).toEqual([[service.uniqueName, Uint8Array.of(1)]]);
    unsubscribe();
  });

  test('an address list: the first that answers', async () => {
    const bus = await lab.connect(`unix:path=/nonexistent/bus;${lab.daemon.address}`);
    expect(bus.uniqueName).toMatch(/^:1\.\d+$/);
  });

  test.each([
    {
      name: 'nobody listens',
      address: () => 'unix:path=/nonexistent/bus',
      want: /^cannot connect to the D-Bus system bus at unix:path=\/nonexistent\/bus: .*ENOENT/,
    },
    {
      name: 'none of them can be used',
      address: () => 'unix:path=/nonexistent/a;unix:abstract=/nonexistent/b',
      want: /^no address of the D-Bus system bus can be used: \[.*ENOENT; .*ECONNREFUSED\]$/,
    },
    {
      name: 'it is another bus',
      address: () => `${lab.daemon.address},guid=00`,
      want: /: its guid is [0-9a-f]{32}, not 00$/,
    },
  ])('the sentence when $name', async ({ address, want }) => {
    expect(await lab.connect(address()).then(() => 'connected', causeChain)).toMatch(want);
  });

  test('the bus going away ends every connection with a sentence, and calls in flight', async () => {
    const other = await lab.startAnother();
    const [left, right] = [await lab.connect(other.address), await lab.connect(other.address)];
    const spec = { name: 'a.b', methods: [{ name: 'Never', in: [], out: [] }] } as const;
    left.serve('/a', spec, { Never: () => new Promise(() => undefined) });
    const call = right.call({ destination: left.uniqueName, path: '/a', interface: 'a.b', member: 'Never' });
    const failed = expect(call).rejects.toMatchObject({ name: DBUS_ERROR.disconnected });
    await other.crash();
    const sentence = `the D-Bus system bus at ${other.address} closed the connection`;
    expect([(await left.closed)?.message, (await right.closed)?.message]).toEqual([sentence, sentence]);
    await failed;
  });
});
