import {
  labMissing,
  labTest,
  program,
  secondUidMissing,
  seenAs,
  STANDARD,
  until,
  type Guest,
  type HeldNamespace,
} from '@pp/lab';
import { encode } from '@pp/proto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GuestRig } from './guest-rig';

/** ConnectNamespace where something is in the way: names of others, clients that die, callers that may not. */

let rig: GuestRig;
let guest: Guest;

beforeAll(async () => {
  rig = await GuestRig.open();
  guest = await rig.lab.guest('guest');
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

const refusal = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => new Error('accepted'),
    (fault: unknown) => fault as Error,
  );

/** N of the namespace that comes next. */
async function nextNumber(): Promise<number> {
  const { reply, release } = await rig.client.connect({ pid: -1 });
  release();
  await rig.expectIdle();
  return 1 + Number(reply.hostIfname.replace('arc_ns', ''));
}

interface Foreign {
  readonly name: string;
  readonly make: (n: number) => Promise<unknown>;
  readonly isThere: (n: number) => Promise<unknown>;
  readonly remove: (n: number) => Promise<unknown>;
}

const FOREIGN: readonly Foreign[] = [
  {
    name: 'an interface arc_nsN of the host',
    make: (n) => rig.lab.host.ok('ip', ['link', 'add', `arc_ns${n}`, 'type', 'bridge']),
    isThere: (n) => rig.lab.host.ok('ip', ['link', 'show', `arc_ns${n}`, 'type', 'bridge']),
    remove: (n) => rig.lab.host.ok('ip', ['link', 'del', `arc_ns${n}`]),
  },
  {
    name: 'an interface vethN inside',
    make: (n) => guest.ok('ip', ['link', 'add', `veth${n}`, 'type', 'bridge']),
    isThere: (n) => guest.ok('ip', ['link', 'show', `veth${n}`, 'type', 'bridge']),
    remove: (n) => guest.ok('ip', ['link', 'del', `veth${n}`]),
  },
  {
    name: 'a named namespace connected_netns_N',
    make: (n) => rig.lab.host.ok('ip', ['netns', 'add', `connected_netns_${n}`]),
    isThere: (n) => rig.lab.host.ok('ip', ['-n', `connected_netns_${n}`, 'link', 'show']),
    remove: (n) => rig.lab.host.ok('ip', ['netns', 'del', `connected_netns_${n}`]),
  },
];

for (const { name, make, isThere, remove } of FOREIGN) {
  labTest(`${name} of somebody else is passed over, and stays`, async () => {
    const n = await nextNumber();
    await make(n);
    const { reply, release } = await rig.client.connect({ pid: guest.pid });
    expect(reply.hostIfname).toBe(`arc_ns${n + 1}`);
    expect(await seenAs(guest, STANDARD.internet.v4)).toBe(STANDARD.host.v4);
    release();
    await isThere(n);
    await remove(n);
    await rig.expectIdle();
  });
}

labTest('a namespace that has a default route already keeps it, and the refusal says so', async () => {
  await guest.shell('ip link add br0 up type bridge; ip route add default dev br0');
  const before = await nextNumber();
  expect((await refusal(rig.client.connect({ pid: guest.pid }))).message).toBe(
    `the network namespace of process ${guest.pid} has a default route already: take that away first (ip route del default)`,
  );
  expect(await guest.ok('ip', ['route', 'show', 'default'])).toContain('dev br0');
  expect(await nextNumber()).toBe(before + 1);
  await guest.shell('ip link del br0');
  await rig.expectIdle();
});

labTest('a client that dies while it is connected leaves nothing behind', async () => {
  for (let round = 0; round < 8; round++) {
    const dying = await rig.lab.guest('dying');
    const held: HeldNamespace[] = [];
    const call = refusal(rig.client.connect({ pid: dying.pid }).then((one) => held.push(one)));
    if (round % 2 === 1) await new Promise(setImmediate);
    await dying.end();
    const { name, message } = await call;
    expect(message === 'accepted' || name.startsWith('org.chromium.PatchPanel.Error.')).toBe(true);
    for (const { release } of held) release();
    await rig.expectIdle();
  }
});

labTest('a device that tells nothing is no lifeline', async () => {
  const fd = openSync('/dev/null', 'r+');
  const { name, message } = await refusal(
    rig.client.raw('ConnectNamespace', encode('ConnectNamespaceRequest', { pid: -1 }), [fd]),
  );
  rig.client.native.closeFd(fd);
  expect([name, message]).toEqual([
    'org.chromium.PatchPanel.Error.InvalidArgument',
    expect.stringMatching(/lifeline/),
  ]);
  await rig.expectIdle();
});

/** open(2); node does not know it. */
const O_PATH = 0o10000000;

labTest('a pipe that is only named, not opened, is no lifeline', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pp-fifo-'));
  execFileSync('mkfifo', [join(directory, 'fifo')]);
  const fd = openSync(join(directory, 'fifo'), O_PATH);
  rmSync(directory, { recursive: true });
  const { name, message } = await refusal(
    rig.client.raw('ConnectNamespace', encode('ConnectNamespaceRequest', { pid: -1 }), [fd]),
  );
  rig.client.native.closeFd(fd);
  expect([name, message]).toEqual([
    'org.chromium.PatchPanel.Error.InvalidArgument',
    'the lifeline cannot be watched: pass one end of a pipe or socket',
  ]);
  await rig.expectIdle();
});

/** Calls that the API does not have, each with descriptors. */
const NO_CALLS = [
  { name: 'two lifelines', signature: 'ayhh', body: [new Uint8Array(), 0, 1], want: 'InvalidArgs' },
  { name: 'the lifeline first', signature: 'hay', body: [0, new Uint8Array()], want: 'InvalidArgs' },
  { name: 'text for a body', signature: 'sh', body: ['pid', 0], want: 'InvalidArgs' },
  { name: 'no body', signature: 'h', body: [0], want: 'InvalidArgs' },
  { name: 'an unknown method', member: 'ConnectNamespaces', want: 'UnknownMethod' },
  { name: 'an unknown interface', interface: 'org.chromium.PatchPanel.No', want: 'UnknownInterface' },
  { name: 'an unknown object', path: '/org/chromium/No', want: 'UnknownObject' },
] as const;

for (const { name, want, ...wrong } of NO_CALLS) {
  labTest(`${name}: refused by D-Bus's own error, in one sentence, and descriptors are closed`, async () => {
    const [keep, send] = rig.client.native.pipe();
    const call = {
      destination: 'org.chromium.PatchPanel',
      path: '/org/chromium/PatchPanel',
      interface: 'org.chromium.PatchPanel',
      member: 'ConnectNamespace',
      signature: 'ayh',
      body: [encode('ConnectNamespaceRequest', { pid: -1 }), 0],
      fds: [send, send],
    };
    const { name: error, message } = await refusal(rig.client.bus.call({ ...call, ...wrong }));
    expect([error, message]).toEqual([
      `org.freedesktop.DBus.Error.${want}`,
      expect.stringMatching(/^[^\n]+$/),
    ]);
    rig.client.native.closeFd(send);
    await until('nobody else holds it', () => rig.client.native.pollFd(keep).hangup);
    rig.client.native.closeFd(keep);
    await rig.expectIdle();
  });
}

labTest('a body of 1 MiB is read, and refused for what it is', async () => {
  const body = new Uint8Array(1024 * 1024).fill(0xee);
  const { name, message } = await refusal(rig.client.raw('ConnectNamespace', body));
  expect([name, message]).toEqual([
    'org.chromium.PatchPanel.Error.InvalidArgument',
    expect.stringMatching(/is not a ConnectNamespaceRequest/),
  ]);
  await rig.expectIdle();
});

labTest('a dozen names in a row that somebody else has are passed over', async () => {
  const n = await nextNumber();
  const names = Array.from({ length: 12 }, (_, i) => `connected_netns_${n + i}`); // as of a manager that was killed, with another journal
  await rig.lab.host.shell(names.map((name) => `ip netns add ${name}`).join('\n'));
  const { release } = await rig.client.connect({ pid: guest.pid });
  release();
  await rig.lab.host.shell(names.map((name) => `ip netns del ${name}`).join('\n'));
  await rig.expectIdle();
});

labTest(
  'where more names are taken than can be an accident, there is one error, and all is undone',
  async () => {
    const n = await nextNumber();
    const names = Array.from({ length: 9 }, (_, i) => `arc_ns${n + 2 ** i - 1}`);
    const all = (script: (name: string) => string): Promise<unknown> =>
      rig.lab.host.shell(names.map(script).join('\n'));
    await all((name) => `ip link add ${name} type bridge`);
    const there = await rig.lastingDifference();
    const { name: error, message } = await refusal(rig.client.connect({ pid: guest.pid }));
    expect([error, message]).toEqual([
      'org.chromium.PatchPanel.Error.AlreadyExists',
      expect.stringMatching(/^the kernel refused link.add veth arc_ns\d+: EEXIST; nothing was changed$/),
    ]);
    expect(await rig.lastingDifference()).toEqual(there);
    await all((name) => `ip link del ${name}`);
    await rig.expectIdle();
  },
);

/** The policy that we ship lets only certain users of ChromeOS call. */
async function letEverybodyCall(): Promise<void> {
  const path = join(rig.lab.host.shared, 'bus.conf');
  const allow = '<policy context="mandatory"><allow send_destination="org.chromium.PatchPanel"/></policy>';
  writeFileSync(path, readFileSync(path, 'utf8').replace('</busconfig>', `${allow}</busconfig>`));
  const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };
  await rig.client.bus.call({ ...bus, interface: 'org.freedesktop.DBus', member: 'ReloadConfig' });
}

labTest(
  'a user cannot connect the namespace of another user',
  async () => {
    await letEverybodyCall();
    const ctl = [program('patchpanelctl'), 'connect', '--json', '--pid', String(guest.pid)];
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--', ...ctl];
    const { code, stderr } = await rig.lab.host.run('setpriv', nobody);
    expect([code, stderr]).toEqual([
      5,
      expect.stringContaining(
        `patchpanelctl: process ${guest.pid} belongs to uid 0: uid 65534 may name its own processes only\n`,
      ),
    ]);
    await rig.expectIdle();
  },
  labMissing() ?? secondUidMissing(),
);
