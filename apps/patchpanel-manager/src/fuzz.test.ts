import { accept, refuse, type Checked } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import { applyAll, NOTHING, plan } from '@pp/datapath';
import type { FakeKernel } from '@pp/datapath/testing';
import type { MessageName } from '@pp/proto';
import type { ApiMethod, ViewMethod } from './dbus/api';
import { forwardingMethods } from './dbus/forwarding-methods';
import { deviceMethods } from './dbus/device-methods';
import { guestMethods } from './dbus/guest-methods';
import { portMethods } from './dbus/port-methods';
import { API, FORWARDING } from './dbus/spec';
import { trafficMethods } from './dbus/traffic-methods';
import { vpnMethods } from './dbus/vpn-methods';
import { DesiredState } from './desired';
import { devicesOf } from './domain/devices';
import type { World } from './domain/world';
import type { Manager } from './manager';
import { FakeHost } from './testing/fake-host';
import { randomBody } from './testing/random-body';
import { freshDump, settled } from './testing/story';

/*
 * Every body of every method, and the plan between the worlds that they make. PP_FUZZ_ROUNDS for longer runs by hand; PP_FUZZ_SEED to
 * repeat one.
 */
const ROUNDS = Number(process.env['PP_FUZZ_ROUNDS'] ?? 2_000);
const SEED = Number(process.env['PP_FUZZ_SEED'] ?? 20261121);

const REASONS = [
  'InvalidArgument',
  'NotFound',
  'AlreadyExists',
  'ResourceExhausted',
  'PermissionDenied',
  'Failed',
];

/** What goes must go: a refusal is logged, and what is left is for the next repair. */
const GOES_ON = /^Arc|Shutdown$/;

/** All that can be called on the manager's bus name, with the name of its request. */
function methodsOf(
  host: FakeHost,
  manager: Manager,
): ReadonlyMap<string, readonly [MessageName, ApiMethod | ViewMethod]> {
  const { reconciler, holdDns } = manager;
  const { descriptors, processNetns, randomBytes } = host;
  const api = {
    ...guestMethods({
      reconciler,
      processNetns,
      randomBytes,
      ownPid: 99,
      tapOwner: null,
      defer: queueMicrotask,
    }),
    ...deviceMethods(() => devicesOf(manager.world)),
    ...portMethods({ reconciler, descriptors, holdDns }),
    ...vpnMethods({ reconciler, descriptors, sockets: { mark: () => accept(null) } }),
    ...trafficMethods({
      call: () => Promise.resolve({ signature: 'ay', body: [new Uint8Array()], fds: [] }),
    }),
    ConnectNamespace: host.connectMethod(manager),
  };
  const forwarding = forwardingMethods(reconciler, () => new Uint8Array());
  const requests: Readonly<Record<string, MessageName>> = {
    GetTrafficCounters: 'TrafficCountersRequest',
    NeighborDetected: 'NeighborEvent',
    NeighborLost: 'NeighborEvent',
    GetCounted: 'CountedRequest',
  };
  return new Map(
    Object.entries({ ...api, ...forwarding }).map(([name, method]) => [
      name,
      [requests[name] ?? (`${name}Request` as MessageName), method],
    ]),
  );
}

const LEFT = refuse('NotFound', 'the caller :1.7 has left the bus');

/** A caller's descriptor: a living lifeline, mostly. */
function descriptorFor(host: FakeHost, random: SeededRandom): number | null {
  const dice = random.below(10);
  if (dice === 0) return null;
  const fd = host.descriptors.open();
  if (dice === 1) host.descriptors.signal(fd);
  return fd;
}

/** A link that has no MTU of its own any more keeps the one it had (libs/datapath, Link). */
const withoutMtu = (dump: string): string => dump.replaceAll(/ mtu \d+/g, '');

const clear = (answer: Checked<unknown>): boolean =>
  answer.ok || (REASONS.includes(answer.reason) && /^\S.{8,400}$/u.test(answer.sentence));

/** Calls at random; ends with the worlds that came to be. */
async function fuzz(rounds: number, seed: number): Promise<readonly World[]> {
  const random = new SeededRandom(seed);
  const host = new FakeHost();
  const manager = host.manager();
  await manager.start();
  const methods = methodsOf(host, manager);
  expect([...methods.keys()].sort()).toEqual(
    [...API.methods, ...FORWARDING.methods].map(({ name }) => name as string).sort(),
  );
  const worlds: World[] = [manager.world];
  const accepted = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const [name, [request, method]] = random.pick([...methods]);
    const body = randomBody(random, request);
    const fd =
      name === 'ConnectNamespace' || name === 'SetDnsRedirectionRule' ? descriptorFor(host, random) : null;
    let isTaken = false as boolean;
    const takeFd = (): number | null => {
      isTaken = true;
      return fd;
    };
    const fails = !GOES_ON.test(name) && random.below(10) === 0;
    host.kernel.failAt(fails ? 1 + random.below(8) : 1e9, 'EBUSY');
    const hasLeft = random.below(20) === 0;
    const caller = hasLeft ? LEFT : accept({ uid: random.pick([0, 1000, 1001]), pid: 5 });
    const answer = await method({ caller, body, takeFd });
    if (fd !== null && !isTaken) host.descriptors.close(fd); // as the bus does
    const where = { seed, round, name, body: Buffer.from(body).toString('hex') };
    if (!clear(answer)) throw new Error(`${JSON.stringify(where)}: ${JSON.stringify(answer)}`);
    if (answer.ok) accepted.add(name);
    if (random.below(40) === 0) {
      host.kernel.failAt(1e9, 'EBUSY'); // an uplink that is gone is gone, whatever the kernel refuses
      host.tell(random.pick([['eth0'], ['eth1'], ['eth0', 'eth1'], []]));
      await settled(manager);
    }
    if (round % 25 > 0) continue;
    host.kernel.failAt(1e9, 'EBUSY');
    await settled(manager);
    expect({ ...where, dump: host.kernel.dump() }).toEqual({
      ...where,
      dump: await freshDump(manager),
    });
    worlds.push(manager.world);
  }
  expect(accepted.size).toBeGreaterThan(methods.size / 2); // else it would be the door alone that is tried
  await manager.stop('clean');
  expect(host.descriptors.openCount()).toBe(0);
  expect(host.kernel.dump()).toBe(new FakeHost().kernel.dump());
  return worlds;
}

test(`no body does harm: each is done or refused with a sentence (seed ${SEED})`, async () => {
  await fuzz(ROUNDS, SEED);
}, 120_000);

test(`from any world to any other, what is planned leads there, and back when the kernel refuses (seed ${SEED})`, async () => {
  const worlds = await fuzz(500, SEED + 1);
  const random = new SeededRandom(SEED);
  const kernel: FakeKernel = new FakeHost().kernel;
  const desired = new DesiredState();
  let from: World | null = null;
  for (let round = 0; round < ROUNDS / 20; round++) {
    const to = random.pick(worlds);
    const originals = new Map([...(from?.originals ?? []), ...to.originals]);
    const before = withoutMtu(kernel.dump());
    const ops = plan(from === null ? NOTHING : desired.of(from), desired.of(to), originals);
    if (ops.length > 0) {
      kernel.failAt(1 + random.below(ops.length), 'ENOMEM');
      await expect(applyAll(kernel, ops)).rejects.toThrow(/other steps undone/);
      expect({ seed: SEED, round, dump: withoutMtu(kernel.dump()) }).toEqual({
        seed: SEED,
        round,
        dump: before,
      });
    }
    await applyAll(kernel, ops);
    const [is, want] = [withoutMtu(kernel.dump()), withoutMtu(await freshDump({ world: to }))];
    expect({ seed: SEED, round, dump: is }).toEqual({ seed: SEED, round, dump: want });
    from = to;
  }
}, 120_000);

test('a refusal that says nothing would be seen', () => {
  expect(clear(refuse('Failed', ''))).toBe(false);
});
