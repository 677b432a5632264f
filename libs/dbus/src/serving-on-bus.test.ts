import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DBUS_ERROR, type Bus } from './index';
import { whyNoPrivateBus } from './testing';
import { BusLab, CALL, identity, NAME, native, openFds, PATH } from './testing/bus-lab';
import { rawMessage } from './testing/raw-message';
import { sendRaw } from './testing/send-raw';
import { until } from './testing/until';

jest.setTimeout(60_000);

const run = promisify(execFile);
const why = whyNoPrivateBus();
const describeOnBus = why === undefined ? describe : describe.skip;

describeOnBus(`serving on a dbus-daemon${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: BusLab;
  let client: Bus;

  beforeAll(async () => {
    ({ lab, client } = await BusLab.start());
  });

  afterAll(async () => {
    await lab.stop();
  });

  const echo = (data: Uint8Array): ReturnType<Bus['call']> =>
    client.call({ ...CALL, member: 'Echo', signature: 'ay', body: [data] });

  test('200 calls at once, each with the end of its own pipe', async () => {
    const before = openFds();
    const pipes = Array.from({ length: 200 }, () => native.pipe());
    const calls = pipes.map(([, fd]) => ({ signature: 'ayh', body: [identity(fd), 0], fds: [fd] }));
    const replies = await Promise.all(
      calls.map((call) => client.call({ ...CALL, member: 'Connect', ...call })),
    );
    expect(replies.map(({ body }) => body)).toEqual(pipes.map(([, fd]) => [Uint8Array.from(identity(fd))]));
    for (const fd of pipes.flat()) native.closeFd(fd);
    await until('every end to be closed', () => openFds() === before);
  });

  test.each([
    { name: 'an unknown object', in: { path: '/x' }, want: DBUS_ERROR.unknownObject },
    { name: 'an unknown interface', in: { interface: 'a.b' }, want: DBUS_ERROR.unknownInterface },
    { name: 'an unknown method', in: { member: 'Other' }, want: DBUS_ERROR.unknownMethod },
    { name: 'another signature', in: { signature: 'h', body: [0] }, want: DBUS_ERROR.invalidArgs },
    {
      name: 'a handler that refuses',
      in: { member: 'Refuse', signature: '', body: [] },
      want: 'x.y.Refused',
    },
  ])('descriptors sent to $name do not stay open', async ({ in: wrong, want }) => {
    const before = openFds();
    const [readEnd, writeEnd] = native.pipe();
    const call = {
      ...CALL,
      member: 'Connect',
      signature: 'ayh',
      body: [new Uint8Array(), 0],
      fds: [writeEnd],
    };
    await expect(client.call({ ...call, ...wrong })).rejects.toMatchObject({ name: want });
    native.closeFd(writeEnd);
    await until('the last write end to be closed', () => native.pollFd(readEnd).hangup);
    native.closeFd(readEnd);
    expect(openFds()).toBe(before);
  });

  test('a descriptor in a reply', async () => {
    const { fds, body } = await client.call({ ...CALL, member: 'Pipe', acceptFds: true });
    expect([body, fds.map((fd) => native.fdKind(fd))]).toEqual([[0], ['fifo']]);
    for (const fd of fds) native.closeFd(fd);
    const before = openFds();
    await client.call({ ...CALL, member: 'Pipe' });
    await until('the unwanted one to be closed', () => openFds() === before);
  });

  test('1 MiB there and back', async () => {
    const data = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => index % 251);
    const { body } = await echo(data);
    expect(Buffer.compare(body[0] as Uint8Array, data)).toBe(0);
  });

  test('2 MiB are refused at the sender', async () => {
    await expect(echo(new Uint8Array(2 * 1024 * 1024))).rejects.toMatchObject({
      name: DBUS_ERROR.limitsExceeded,
    });
  });

  test('2 MiB of another sender are refused, their descriptor is closed, and the service goes on', async () => {
    const body = Buffer.alloc(4 + 2 * 1024 * 1024);
    body.writeUInt32LE(body.length - 4);
    const message = rawMessage({ type: 'call', ...CALL, member: 'Echo', signature: 'ay' }, 2, body, 1);
    const [readEnd, writeEnd] = native.pipe();
    const refusal = await sendRaw(native, lab.daemon.address, message, [writeEnd]);
    expect(refusal).toBe(DBUS_ERROR.limitsExceeded);
    native.closeFd(writeEnd);
    await until('the last write end to be closed', () => native.pollFd(readEnd).hangup);
    native.closeFd(readEnd);
    expect((await echo(Uint8Array.of(1))).body).toEqual([Uint8Array.of(1)]);
  });

  test('gdbus, busctl and dbus-send understand our introspection and errors', async () => {
    const at = `--address=${lab.daemon.address}`;
    const gdbus = await run('gdbus', ['introspect', at, '--dest', NAME, '--object-path', PATH]);
    const arguments_ = ['in  ay request', 'in  h lifeline', 'out ay response'].join(',\n              ');
    expect(gdbus.stdout).toContain(`Connect(${arguments_});`);
    const busctl = await run('busctl', [at, 'introspect', NAME, PATH]);
    expect(busctl.stdout).toMatch(/\.Connect +method +ayh +ay/);
    const tree = await run('busctl', [at, 'tree', '--list', NAME]);
    expect(tree.stdout.split('\n')).toContain(PATH);
    const bus = `--bus=${lab.daemon.address}`;
    const wrong = run('dbus-send', [
      bus,
      `--dest=${NAME}`,
      '--print-reply',
      PATH,
      `${NAME}.Echo`,
      'string:x',
    ]);
    const sentence = `${DBUS_ERROR.invalidArgs}: Echo takes request of type ay, not the types 's'`;
    await expect(wrong).rejects.toMatchObject({ stderr: expect.stringContaining(sentence) as string });
  });
});
