import { accessSync, closeSync, constants, readFileSync } from 'node:fs';
import type { FrameBatch } from './api/batch';
import type { TunHandle, TunOptions } from './api/tun';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';
import { awaitCarrier, ifindex, inNetns, ip } from './testing/ip';

const TUN_F_CSUM = 1;

/** `testInNetns` where TAPs may be made, else a skip that says so. */
const testTun = mayOpenTun()
  ? testInNetns
  : (name: string): void => {
      test.skip(`${name} (skipped: no access to /dev/net/tun)`, () => undefined);
    };

function mayOpenTun(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false; // absent, or another's
  }
}

let netns = -1;
const opened: TunHandle[] = [];

checkLeaks(() => {
  for (const tun of opened.splice(0)) tun.close();
  closeSync(netns);
});
beforeEach(() => {
  netns = native.createNetns();
});

function open(more: Partial<TunOptions> = {}, inside = netns): TunHandle {
  const tun = native.runInNetns(inside, () => native.openTun({ mode: 'tap', name: 'vmtap%d', ...more }));
  opened.push(tun);
  return tun;
}

const details = (name: string): string => inNetns(netns, ['ip', '-d', 'link', 'show', 'dev', name]);
const exists = (name: string): boolean => inNetns(netns, ['ip', '-br', 'link']).includes(`${name} `);

testTun('a template is filled in, and the interface goes with the fd', () => {
  expect([open().name, open().name]).toEqual(['vmtap0', 'vmtap1']);
  expect(opened.map(({ name, ifindex }) => details(name).startsWith(`${ifindex}: `))).toEqual([true, true]);
  expect(details('vmtap0')).toMatch(/tun type tap pi off vnet_hdr off persist off/);
  for (const tun of opened.splice(0)) {
    tun.close();
    tun.close();
  }
  expect(exists('vmtap0')).toBe(false);
});

testTun('owner, MAC, vnet header and mode', () => {
  // A user namespace may have but one uid.
  const owner = readFileSync('/proc/self/uid_map', 'utf8').includes('4294967295') ? 12345 : 0;
  open({ name: 'owned', owner, mac: new Uint8Array([2, 0, 0, 0, 0, 9]), vnetHeader: true }).offload(
    TUN_F_CSUM,
  );
  expect(details('owned')).toMatch(/link\/ether 02:00:00:00:00:09/);
  expect(details('owned')).toMatch(/vnet_hdr on persist off user (12345|root)/);
  open({ name: 'layer3', mode: 'tun' });
  expect(details('layer3')).toMatch(/tun type tun/);
});

testTun('persistent: outlives its fd, and can be attached to', () => {
  const tun = open({ name: 'kept' });
  tun.persist(true);
  tun.close();
  expect(exists('kept')).toBe(true);
  const index = ifindex(netns, 'kept');
  const again = open({ name: 'kept', attach: true });
  expect(ifindex(netns, 'kept')).toBe(index);
  expect(codeOf(() => open({ name: 'kept', attach: true }))).toBe('EBUSY');
  again.persist(false);
  again.close();
  expect(exists('kept')).toBe(false);
});

testTun('errors by name, and nothing is left', () => {
  open({ name: 'taken' }).persist(true);
  opened[0]?.close();
  expect(codeOf(() => open({ name: 'taken' }))).toBe('EBUSY');
  expect(codeOf(() => open({ name: 'lo' }))).toBe('EBUSY');
  expect(codeOf(() => open({ name: 'absent', attach: true }))).toBe('ENODEV');
  expect(codeOf(() => open({ name: 'lo', attach: true }))).toBe('EINVAL');
  expect(codeOf(() => open({ name: '' }))).toBe('EINVAL');
  expect(codeOf(() => open({ name: 'sixteen-letters-' }))).toBe('EINVAL');
  expect(codeOf(() => open({ name: '\0hidden' }))).toBe('EINVAL');
  expect(codeOf(() => open({ name: 'a/b' }))).toBe('EINVAL');
  expect(codeOf(() => open({ device: '/nonexistent/tun' }))).toBe('ENOENT');
  expect(codeOf(() => open({ device: '/dev/null' }))).toBe('ENOTTY');
  expect(codeOf(() => open({ name: 'bad-mac', mac: new Uint8Array([1, 0, 0, 0, 0, 9]) }))).toBe(
    'EADDRNOTAVAIL',
  );
  expect(() => open({ mac: new Uint8Array(5) })).toThrow('mac: must be 6 bytes');
  expect(() => open({ name: 'bad-batch', batch: 65, onFrames: () => undefined })).toThrow('1 to 64 frames');
  const tun = open({ name: 'fine' });
  expect(
    codeOf(() => {
      tun.offload(0x8000);
    }),
  ).toBe('EINVAL');
  expect(codeOf(() => tun.send([new Uint8Array(5)]))).toBe('EINVAL');
  expect(codeOf(() => tun.send([new Uint8Array(60)]))).toBe('EIO'); // down
  expect(inNetns(netns, ['ip', '-br', 'link']).match(/^\S+/gm)).toEqual(['lo', 'taken', 'fine']);
});

testTun('a TAP pumped into a TAP of another namespace is a wire', () => {
  const far = native.createNetns();
  const errors: string[] = [];
  const sizes: number[] = [];
  const pump =
    (to: () => TunHandle | undefined) =>
    (frames: FrameBatch): void => {
      sizes.push(frames.count);
      to()?.send(Array.from({ length: frames.count }, (_, i) => frames.frame(i)));
    };
  const onError = ({ code }: { code: string }): number => errors.push(code);
  let guest: TunHandle | undefined = undefined;
  const host: TunHandle = open({ name: 'host', vnetHeader: true, onFrames: pump(() => guest), onError });
  guest = open({ name: 'guest', vnetHeader: true, onFrames: pump(() => host), onError }, far);
  ip(netns, 'addr add 10.9.3.1/24 dev host', 'link set host up');
  ip(far, 'addr add 10.9.3.2/24 dev guest', 'link set guest up');
  awaitCarrier(netns, 'host');
  awaitCarrier(far, 'guest');
  const near = udpEcho(netns, '10.9.3.1');
  const there = udpEcho(far, '10.9.3.2');
  return (async () => {
    const largest = new Uint8Array(1400).fill(9);
    for (let i = 0; i < 20; i++) near.socket.send(largest, '10.9.3.2', there.socket.port);
    await until('through', () => there.received.length === 20);
    expect(there.received.every((data) => Buffer.compare(data, largest) === 0)).toBe(true);
    expect(errors).toEqual([]);
    near.socket.close();
    there.socket.close();
    closeSync(far);
  })();
});

function udpEcho(inside: number, address: string) {
  const received: Uint8Array[] = [];
  const socket = native.runInNetns(inside, () =>
    native.openUdp({
      family: 'ipv4',
      address,
      port: 0,
      onDatagrams: (batch) => received.push(...batch.map(({ data }) => data)),
      onError: (error) => {
        throw error;
      },
    }),
  );
  return { received, socket };
}

testTun('an interface that is deleted is told once, as EBADFD', async () => {
  const errors: string[] = [];
  open({
    name: 'gone',
    onFrames: () => undefined,
    onError: ({ code, call }) => errors.push(`${code} ${call}`),
  });
  ip(netns, 'link set gone up', 'link del gone');
  await until('told', () => errors.length > 0);
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(errors).toEqual(['EBADFD read TUN']);
});

testTun('frames without a reader stay for whoever reads the fd', async () => {
  const tun = open({ name: 'quiet', mode: 'tun' });
  ip(netns, 'addr add 10.9.4.1/24 dev quiet', 'link set quiet up');
  const sender = udpEcho(netns, '10.9.4.1');
  sender.socket.send(new Uint8Array(3), '10.9.4.2', 9);
  await until('readable', () => native.pollFd(tun.fd).readable);
  sender.socket.close();
});
