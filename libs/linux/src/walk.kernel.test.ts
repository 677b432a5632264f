/** A walk from state to state on Linux, beside the same walk on the fake kernel. WALK_SEED and WALK_STEPS choose another, longer one. */
import { seconds, SharedMap } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import { applyAll, applyMost, NOTHING, plan, repair } from '@pp/datapath';
import type { Desired, Kernel, Observed } from '@pp/datapath';
import { FakeKernel, neighbourOf, RANDOM_HOST, RANDOM_UPLINKS, randomDesired } from '@pp/datapath/testing';
import { describeOnKernel } from '@pp/netlink/testing';
import { TestHost } from './testing';

const SEED = Number(process.env['WALK_SEED'] ?? 4711);
const STEPS = Number(process.env['WALK_STEPS'] ?? 30);

function states(random: SeededRandom): readonly Desired[] {
  const fresh = Array.from({ length: 10 }, () => randomDesired(random, { fixed: true }));
  return [NOTHING, ...fresh, ...fresh.map((state) => neighbourOf(state, random))].map(ownNetns);
}

/** With namespaces of our own only: those of processes are not there. */
function ownNetns(desired: Desired): Desired {
  const parts = [...desired.parts].map(
    ([owner, part]) =>
      [owner, { ...part, netns: part.netns.map(({ name }) => ({ name, from: null })) }] as const,
  );
  return { ...desired, parts: SharedMap.of(parts) };
}

const namesOf = (all: readonly Desired[]): readonly string[] => [
  ...new Set(
    all.flatMap(({ parts }) => [...parts.values()].flatMap(({ netns }) => netns.map(({ name }) => name))),
  ),
];

/** What both kernels show; ifindexes, and MAC addresses that nobody chose, are the kernel's own. */
function shown(observed: Observed, wanted: Desired): unknown {
  const chosen = new Map(
    [...wanted.parts.values()].flatMap(({ links }) => links.map((link) => [link.ifname, link] as const)),
  );
  const text = (value: unknown): string =>
    JSON.stringify(value, (_key, inner: unknown) => (inner === undefined ? null : inner));
  return {
    links: observed.links
      .map((link) =>
        text({
          ...link,
          ifindex: 0,
          mac: (chosen.get(link.ifname)?.mac ?? null) === null ? '' : link.mac,
          mtu: (chosen.get(link.ifname)?.mtu ?? null) === null ? 0 : link.mtu,
        }),
      )
      .sort(),
    addresses: observed.addresses
      .filter(({ cidr }) => !cidr.startsWith('fe80:'))
      .map(({ ifname, cidr }) => `${cidr} ${ifname}`)
      .sort(),
    routes: observed.routes
      .map(({ kind, dst, via, dev, src, table, metric, onlink }) =>
        text([kind, dst, via, dev, src, table, metric, onlink]),
      )
      .sort(),
    rules: observed.rules
      .map(({ family, priority, fwmark, iif, oif, from, to, table, suppressPrefixLength }) =>
        text([family, priority, fwmark, iif, oif, from, to, table, suppressPrefixLength]),
      )
      .sort(),
    table: observed.table,
    chains: [...(observed.chains ?? [])].sort(),
    netns: [...observed.netns].sort(),
    sysctls: [...observed.sysctls].sort(),
  };
}

describeOnKernel('Linux', (native) => {
  let host: TestHost;

  beforeEach(() => {
    host = new TestHost(native);
    for (const { ifname, ifindex, addresses } of RANDOM_UPLINKS) {
      host.ip(
        `link add ${ifname} index ${ifindex} type veth peer name ${ifname.slice(0, 10)}peer index ${100 + ifindex}`,
      );
      host.ip(`link set ${ifname.slice(0, 10)}peer up`);
      host.ip(`link set ${ifname} up`);
      for (const address of addresses) host.ip(`address add ${address} dev ${ifname}`);
    }
  });

  afterEach(() => {
    host.close();
  });

  /** As other programs see it; a link's operational state comes late by itself. */
  const listing = (): readonly unknown[] => [
    (JSON.parse(host.ip('-j link show')) as readonly Record<string, unknown>[]).map(
      ({ ifindex, ifname, mtu, address, group, ifalias, master }) => ({
        ifindex,
        ifname,
        mtu,
        address,
        group,
        ifalias,
        master,
      }),
    ),
    host.ip('rule show'),
    host.ip('route show table all proto 80'),
    host.run('nft', ['list', 'ruleset']),
  ];

  test(
    `a walk of ${STEPS} steps, seed ${SEED}`,
    async () => {
      const random = new SeededRandom(SEED);
      const all = states(random);
      const fake = new FakeKernel(RANDOM_HOST);
      const ask = { netns: namesOf(all), sysctls: [...RANDOM_HOST.sysctls.keys()] };
      const before = listing();
      let now = NOTHING;
      const goTo = async (next: Desired): Promise<void> => {
        const ops = plan(now, next, RANDOM_HOST.sysctls);
        for (const kernel of [fake, host.kernel] as readonly Kernel[]) await applyAll(kernel, ops);
        expect(shown(await host.kernel.observe(ask), next)).toEqual(shown(await fake.observe(ask), next));
        now = next;
      };
      for (let step = 0; step < STEPS; step += 1) await goTo(random.pick(all));
      await goTo(NOTHING);
      expect(listing()).toEqual(before);
    },
    seconds(60 + STEPS),
  );

  test(`after a restart nothing is to be repaired, seed ${SEED}`, async () => {
    const random = new SeededRandom(SEED);
    const want = ownNetns(randomDesired(random, { fixed: true }));
    await applyAll(host.kernel, plan(NOTHING, want, RANDOM_HOST.sysctls));
    const before = listing();
    const restarted = host.newKernel();
    try {
      const observed = await restarted.observe({
        netns: namesOf([want]),
        sysctls: [...RANDOM_HOST.sysctls.keys()],
      });
      const ops = repair({ observed, want, originals: RANDOM_HOST.sysctls, written: want.sysctls });
      // The table, and sysctls of links, are written anew: what they hold is not looked at.
      expect(ops.filter((op) => op.do !== 'nft.load' && op.do !== 'sysctl.set')).toEqual([]);
      await applyMost(restarted, ops);
    } finally {
      restarted.close();
    }
    expect(listing()).toEqual(before);
  });
});
