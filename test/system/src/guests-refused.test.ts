import { labTest, until } from '@pp/lab';
import { GuestRig } from './guest-rig';

/** Bad requests for guests: each gets its error, one sentence, and leaves nothing behind. */

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

type Ask = () => Promise<unknown>;
const termina = (cid: number): Promise<unknown> => rig.client.ask('TerminaVmStartup', { cid });
const plugin = (id: bigint, subnetIndex = 0): Promise<unknown> =>
  rig.client.ask('PluginVmStartup', { id, subnetIndex });
const stopTermina = (cid: number): Promise<unknown> => rig.client.ask('TerminaVmShutdown', { cid });
const stopPlugin = (id: bigint): Promise<unknown> => rig.client.ask('PluginVmShutdown', { id });

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const each = (numbers: readonly number[], ask: (n: number) => Promise<unknown>): Promise<unknown> =>
  Promise.all(numbers.map(ask));

interface Row {
  readonly name: string;
  /** What runs already, and how it ends. */
  readonly before?: Ask;
  readonly ask: Ask;
  readonly after?: Ask;
  readonly want: readonly [reason: string, sentence: RegExp];
}

const ROWS: readonly Row[] = [
  { name: 'Termina cid 0', ask: () => termina(0), want: ['InvalidArgument', /cid is missing/] },
  { name: 'Plugin id 0', ask: () => plugin(0n), want: ['InvalidArgument', /id is missing/] },
  {
    name: 'ARC VM cid 0',
    ask: () => rig.client.ask('ArcVmStartup', { cid: 0 }),
    want: ['InvalidArgument', /cid is missing/],
  },
  {
    name: 'a Termina VM that runs',
    before: () => termina(4),
    ask: () => termina(4),
    after: () => stopTermina(4),
    want: ['AlreadyExists', /termina VM 4 runs already/],
  },
  {
    name: 'a plugin VM that runs',
    before: () => plugin(4n),
    ask: () => plugin(4n, 7),
    after: () => stopPlugin(4n),
    want: ['AlreadyExists', /plugin VM 4 runs already/],
  },
  {
    name: 'a subnet index that is taken',
    before: () => plugin(4n, 7),
    ask: () => plugin(5n, 7),
    after: () => stopPlugin(4n),
    want: ['AlreadyExists', /subnet 7 \(100\.115\.93\.48\/29\) is in use/],
  },
  {
    name: 'a subnet index beyond the pool',
    ask: () => plugin(5n, 33),
    want: ['InvalidArgument', /subnet index 33 .*1 to 32/],
  },
  {
    name: 'a negative subnet index',
    ask: () => plugin(5n, -1),
    want: ['InvalidArgument', /subnet_index -1 is negative/],
  },
  {
    name: 'a fifth Termina VM: container subnets',
    before: () => each(range(4), termina),
    ask: () => termina(5),
    after: () => each(range(4), stopTermina),
    want: ['ResourceExhausted', /containers of Termina VMs.*--pool lxd=CIDR/],
  },
  {
    name: 'a 33rd plugin VM',
    before: () => each(range(32), (n) => plugin(BigInt(n))),
    ask: () => plugin(33n),
    after: () => each(range(32), (n) => stopPlugin(BigInt(n))),
    want: ['ResourceExhausted', /all plugin subnets are in use; --pool plugin=CIDR/],
  },
  { name: 'stop of an unknown Termina VM', ask: () => stopTermina(44), want: ['NotFound', /termina VM 44/] },
  { name: 'stop of an unknown plugin VM', ask: () => stopPlugin(44n), want: ['NotFound', /plugin VM 44/] },
  {
    name: 'stop of the ARC VM by another cid',
    before: () => rig.client.ask('ArcVmStartup', { cid: 4 }),
    ask: () => rig.client.ask('ArcVmShutdown', { cid: 5 }),
    after: () => rig.client.ask('ArcVmShutdown', { cid: 4 }),
    want: ['NotFound', /no ARC VM with cid 5/],
  },
  {
    name: 'stop of an ARC container where none runs',
    ask: () => rig.client.ask('ArcShutdown', { pid: 7 }),
    want: ['NotFound', /no ARC container/],
  },
  {
    name: 'an ARC container without pid',
    ask: () => rig.client.ask('ArcStartup', {}),
    want: ['InvalidArgument', /pid is missing/],
  },
  {
    name: 'an ARC container with pid -1',
    ask: () => rig.client.ask('ArcStartup', { pid: -1 }),
    want: ['InvalidArgument', /pid -1/],
  },
  {
    name: 'an ARC container that does not exist',
    ask: () => rig.client.ask('ArcStartup', { pid: 2 ** 30 }),
    want: ['NotFound', /1073741824/],
  },
  {
    name: "an ARC container in the host's namespace",
    ask: () => rig.client.ask('ArcStartup', { pid: rig.lab.host.pid }),
    want: ['InvalidArgument', /namespace of the host/],
  },
];

/** What is no request is refused by each method, whatever its size. */
const METHODS = [
  ...['TerminaVmStartup', 'TerminaVmShutdown', 'PluginVmStartup', 'PluginVmShutdown'],
  ...['ArcVmStartup', 'ArcVmShutdown', 'ArcStartup', 'ArcShutdown', 'GetDevices'],
];
const NOISE = [
  { name: 'bytes that are no protobuf', body: Uint8Array.of(0xff, 0xff, 0xff) },
  { name: '100 kB of noise', body: new Uint8Array(100_000).fill(0xee) },
];

for (const { name, body } of NOISE) {
  labTest(`${name}, to each method`, async () => {
    for (const method of METHODS) {
      await expectRefused(
        () => rig.client.raw(method, body),
        ['InvalidArgument', new RegExp(`is not a ${method}Request`)],
      );
    }
    await rig.expectIdle();
  });
}

labTest('a descriptor that no method asked for is closed', async () => {
  const [keep, send] = rig.client.native.pipe();
  for (const method of METHODS) {
    const { name } = await refusal(() => rig.client.raw(method, Uint8Array.of(), [send]));
    expect([method, name]).toEqual([method, expect.stringMatching(/\.InvalidArgs$/)]);
  }
  rig.client.native.closeFd(send);
  await until('nobody else holds it', () => rig.client.native.pollFd(keep).hangup);
  rig.client.native.closeFd(keep);
  await rig.expectIdle();
});

async function refusal(ask: Ask): Promise<Error> {
  return ask().then(
    () => new Error('accepted'),
    (fault: unknown) => fault as Error,
  );
}

async function expectRefused(ask: Ask, [reason, sentence]: Row['want']): Promise<void> {
  const { name, message } = await refusal(ask);
  expect([name, message]).toEqual([
    `org.chromium.PatchPanel.Error.${reason}`,
    expect.stringMatching(sentence),
  ]);
  expect(message).not.toContain('\n');
}

/** Refused, and all is as before the request; then as without guests. */
async function expectNothing({ before, ask, after, want }: Omit<Row, 'name'>): Promise<void> {
  await before?.();
  try {
    const there = await rig.lastingDifference();
    await expectRefused(ask, want);
    expect(await rig.lastingDifference()).toEqual(there);
  } finally {
    await after?.();
  }
  await rig.expectIdle();
}

for (const { name, ...row } of ROWS) labTest(name, () => expectNothing(row));

/** Links of somebody else, made by hand. */
const FOREIGN = [
  { link: 'arcbr0', ask: (pid: number) => rig.client.ask('ArcStartup', { pid }) },
  { link: 'arc_eth1', ask: (pid: number) => rig.client.ask('ArcStartup', { pid }) },
  { link: 'vetheth0', ask: (pid: number) => rig.client.ask('ArcStartup', { pid }) },
  { link: 'arcbr0', ask: () => rig.client.ask('ArcVmStartup', { cid: 3 }) },
] as const;

for (const { link, ask } of FOREIGN) {
  labTest(`an interface ${link} of somebody else is in the way, and stays`, async () => {
    const android = await rig.lab.guest('android');
    await expectNothing({
      before: () => rig.lab.host.ok('ip', ['link', 'add', link, 'type', 'bridge']),
      ask: () => ask(android.pid),
      after: () => rig.lab.host.ok('ip', ['link', 'del', link]),
      want: ['AlreadyExists', new RegExp(`${link}.*nothing was changed`)],
    });
    expect(await android.json('ip', '-j', 'link', 'show')).toHaveLength(1); // lo
    await android.end();
  });
}

labTest('a container with an interface of that name already is refused, and keeps it', async () => {
  const android = await rig.lab.guest('android');
  await android.ok('ip', ['link', 'add', 'eth1', 'type', 'bridge']);
  const { name } = await refusal(() => rig.client.ask('ArcStartup', { pid: android.pid }));
  expect(name).toBe('org.chromium.PatchPanel.Error.AlreadyExists');
  expect(await android.json('ip', '-j', 'link', 'show')).toHaveLength(2);
  await android.end();
  await rig.expectIdle();
});

labTest('names vmtapN of somebody else are passed over', async () => {
  await rig.lab.host.ok('ip', ['tuntap', 'add', 'dev', 'vmtap0', 'mode', 'tap']);
  const started = await until('the manager has seen it', async () => {
    const { device } = await rig.client
      .ask('TerminaVmStartup', { cid: 6 })
      .catch(() => ({ device: undefined }));
    return device;
  });
  expect(started.ifname).toBe('vmtap1');
  await stopTermina(6);
  await rig.lab.host.ok('ip', ['tuntap', 'del', 'dev', 'vmtap0', 'mode', 'tap']);
  await rig.expectIdle();
});

/** The start and the death race: the reply is a success or an error, and nothing is there after the stop in either case. */
labTest('a container that dies while it is started leaves nothing behind', async () => {
  for (let round = 0; round < 8; round++) {
    const android = await rig.lab.guest('android');
    const start = refusal(() => rig.client.ask('ArcStartup', { pid: android.pid }));
    const dead = round % 2 === 0 ? android.end() : new Promise(setImmediate).then(() => android.end());
    const { name, message } = await start;
    await dead;
    expect(message === 'accepted' || name.startsWith('org.chromium.PatchPanel.Error.')).toBe(true);
    if (message === 'accepted') await rig.client.ask('ArcShutdown', { pid: android.pid });
    await rig.expectIdle();
  }
});

labTest('a container that died is stopped like any other', async () => {
  const android = await rig.lab.guest('android');
  await rig.client.ask('ArcStartup', { pid: android.pid });
  await android.end();
  await rig.client.ask('ArcShutdown', { pid: android.pid });
  await rig.expectIdle();
});

labTest('where no TAP can be opened the error says so, and all is undone', async () => {
  const device = '/dev/net/tun';
  const noTap = {
    before: () => rig.lab.host.ok('mount', ['--bind', '/dev/null', device]),
    after: () => rig.lab.host.ok('umount', [device]),
    want: ['Failed', /vmtap0.*nothing was changed/],
  } as const;
  await expectNothing({ ...noTap, ask: () => termina(3) });
  await expectNothing({ ...noTap, ask: () => rig.client.ask('ArcVmStartup', { cid: 3 }) });
  await termina(3);
  await stopTermina(3);
  await rig.expectIdle();
});
