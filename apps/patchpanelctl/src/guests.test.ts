import { DBusError, type CallRequest } from '@pp/dbus';
import { decodeStrict, encode, type MessageName } from '@pp/proto';
import type { GuestCall } from './guest-args';
import { devices, guest } from './guests';

const net = (text: string): number =>
  text.split('.').reduce((sum, byte, place) => sum + Number(byte) * 256 ** place, 0);

/** A bus with a manager that answers `reply` to every call; `asked` shows the calls, the bodies as messages of `M`Request. */
function answering(reply: Uint8Array | DBusError) {
  const asked: unknown[] = [];
  let open = 0;
  const call = ({ member, body = [], destination, signature }: CallRequest) => {
    const request = decodeStrict(`${member}Request` as MessageName, body[0] as Uint8Array);
    asked.push([destination, member, signature, request.ok ? request.value : request.sentence]);
    if (reply instanceof DBusError) return Promise.reject(reply);
    return Promise.resolve({ signature: 'ay', body: [reply], fds: [] });
  };
  const connectBus = () => {
    open++;
    return Promise.resolve({ call, close: () => open-- });
  };
  return { doors: { connectBus }, asked, openBuses: () => open };
}

const TERMINA = {
  ifname: 'vmtap0',
  physIfname: 'vmtap0',
  guestType: 3,
  ipv4Addr: net('100.115.92.26'),
  hostIpv4Addr: net('100.115.92.25'),
  ipv4Subnet: { baseAddr: net('100.115.92.24'), prefixLen: 30 },
};
const TERMINA_FACTS = {
  ifname: 'vmtap0',
  phys_ifname: 'vmtap0',
  guest_type: 'TERMINA_VM',
  ipv4_addr: '100.115.92.26',
  host_ipv4_addr: '100.115.92.25',
  ipv4_subnet: '100.115.92.24/30',
};
const LXD = { baseAddr: net('100.115.92.192'), prefixLen: 28 };
const ARC_TAP = { ifname: 'vmtap1', ipv4Addr: net('100.115.92.2'), guestType: 2 };

const rows: {
  name: string;
  call: Omit<GuestCall, 'subnetIndex'> & { subnetIndex?: number };
  reply: Uint8Array;
  asked: [string, object];
  json: object;
}[] = [
  {
    name: 'Termina',
    call: { what: 'start', guest: 'termina', id: 33n },
    reply: encode('TerminaVmStartupResponse', { device: TERMINA, containerSubnet: LXD }),
    asked: ['TerminaVmStartup', { cid: 33 }],
    json: { devices: [TERMINA_FACTS], container_subnet: '100.115.92.192/28' },
  },
  {
    name: 'plugin VM',
    call: { what: 'start', guest: 'plugin', id: 2n ** 64n - 1n, subnetIndex: 2 },
    reply: encode('PluginVmStartupResponse', { device: { ...TERMINA, guestType: 4 } }),
    asked: ['PluginVmStartup', { id: 2n ** 64n - 1n, subnetIndex: 2 }],
    json: { devices: [{ ...TERMINA_FACTS, guest_type: 'PLUGIN_VM' }] },
  },
  {
    name: 'ARC VM, of which the API says less',
    call: { what: 'start', guest: 'arcvm', id: 3n },
    reply: encode('ArcVmStartupResponse', { devices: [ARC_TAP] }),
    asked: ['ArcVmStartup', { cid: 3 }],
    json: { devices: [{ ifname: 'vmtap1', guest_type: 'ARCVM', ipv4_addr: '100.115.92.2' }] },
  },
  {
    name: 'container',
    call: { what: 'start', guest: 'arc', id: 4242n },
    reply: new Uint8Array(),
    asked: ['ArcStartup', { pid: 4242 }],
    json: { devices: [] },
  },
  ...(
    [
      ['termina', 'TerminaVmShutdown', { cid: 5 }],
      ['plugin', 'PluginVmShutdown', { id: 5n }],
      ['arcvm', 'ArcVmShutdown', { cid: 5 }],
      ['arc', 'ArcShutdown', { pid: 5 }],
    ] as const
  ).map(([kind, member, request]) => ({
    name: `stop of ${kind}`,
    call: { what: 'stop' as const, guest: kind, id: 5n },
    reply: new Uint8Array(),
    asked: [member, request] as [string, object],
    json: { devices: [] },
  })),
];

test.each(rows)('$name', async ({ call, reply, asked: [member, request], json }) => {
  const { doors, asked, openBuses } = answering(reply);
  const text = await guest({ subnetIndex: 0, ...call }, true, doors);
  expect(asked).toEqual([['org.chromium.PatchPanel', member, 'ay', request]]);
  expect(JSON.parse(text)).toEqual(json);
  expect(openBuses()).toBe(0);
});

test('for people', async () => {
  const termina = answering(encode('TerminaVmStartupResponse', { device: TERMINA, containerSubnet: LXD }));
  const call = { what: 'start', guest: 'termina', id: 33n, subnetIndex: 0 } as const;
  expect(await guest(call, false, termina.doors)).toBe(
    [
      'termina VM 33 started',
      'ifname  kind        physical  guest          host           subnet',
      'vmtap0  TERMINA_VM  vmtap0    100.115.92.26  100.115.92.25  100.115.92.24/30',
      'containers 100.115.92.192/28',
      '',
    ].join('\n'),
  );
  const arcvm = answering(encode('ArcVmStartupResponse', { devices: [ARC_TAP] }));
  expect(await guest({ ...call, guest: 'arcvm', id: 3n }, false, arcvm.doors)).toBe(
    ['arcvm VM 3 started', 'ifname  kind   guest', 'vmtap1  ARCVM  100.115.92.2', ''].join('\n'),
  );
  const stopped = answering(new Uint8Array());
  expect(await guest({ ...call, what: 'stop', guest: 'arc' }, false, stopped.doors)).toBe(
    'the ARC container stopped\n',
  );
});

test('devices', async () => {
  const { doors } = answering(encode('GetDevicesResponse', { devices: [TERMINA] }));
  expect(JSON.parse(await devices(true, doors))).toEqual({ devices: [TERMINA_FACTS] });
  expect((await devices(false, doors)).split('\n')[1]).toMatch(/^vmtap0 +TERMINA_VM/);
  expect(await devices(false, answering(new Uint8Array()).doors)).toBe('no guest has a device\n');
});

test.each([
  {
    name: 'in use',
    reply: new DBusError('org.chromium.PatchPanel.Error.AlreadyExists', 'termina VM 5 runs already'),
    want: { exitCode: 4, sentence: 'termina VM 5 runs already' },
  },
  {
    name: 'no manager',
    reply: new DBusError('org.freedesktop.DBus.Error.ServiceUnknown', ''),
    want: { exitCode: 6, sentence: 'no manager runs on this bus' },
  },
  {
    name: 'an empty answer',
    reply: new Uint8Array(),
    want: { exitCode: 1, sentence: 'the manager did not start the guest and gave no reason' },
  },
  {
    name: 'noise',
    reply: Uint8Array.of(0xff),
    want: { exitCode: 1, sentence: expect.stringMatching(/answer is not understood/) as string },
  },
])('refused: $name', async ({ reply, want }) => {
  const { doors, openBuses } = answering(reply);
  const call = { what: 'start', guest: 'termina', id: 5n, subnetIndex: 0 } as const;
  await expect(guest(call, true, doors)).rejects.toMatchObject(want);
  expect(openBuses()).toBe(0);
});
