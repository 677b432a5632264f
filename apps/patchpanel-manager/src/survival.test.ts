import { KernelError, millis, seconds, SharedMap } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { Desired, Op } from '@pp/datapath';
import type { DatapathLoss } from '@pp/ports';
import { ScriptedLosses } from '@pp/ports/testing';
import type { Damage } from './domain/losses';
import { Survival } from './survival';
import { wanted } from './testing/wanted';

const want: Desired = {
  shape: { uplinks: [], guestPrefixes: [] },
  sysctls: new Map(),
  parts: SharedMap.of(),
};

const TABLE: DatapathLoss = { on: 'table', by: 'nft (pid 7)' };
const LOAD: Op = { do: 'nft.load', text: '', was: null };

/** A host whose repairs are noted by their time. */
async function host(fault: Error | null = null, all = want) {
  const [clock, news, log] = [new VirtualClock(), new ScriptedLosses(), new MemoryLog()];
  const repairs: { readonly at: number; readonly damage: Damage }[] = [];
  let [began, refusal]: [number, Error | null] = [0, null];
  const survival = new Survival({
    news,
    clock,
    log,
    guestPrefixes: () => ['100.115.92.0/23'],
    mend: (judge) => {
      const damage = judge(all);
      if (damage !== 'none') repairs.push({ at: clock.now() - began, damage });
      return Promise.resolve({ steps: damage === 'none' ? [] : [LOAD], fault: refusal });
    },
  });
  await survival.start();
  const pass = async (ms: number): Promise<void> => {
    clock.advance(millis(ms));
    await new Promise(setImmediate);
  };
  await pass(250); // the look at what went meanwhile
  const looks = repairs.splice(0);
  await pass(3000);
  [began, refusal] = [clock.now(), fault];
  return { news, log, looks, repairs, survival, pass };
}

test('after steps that were refused, and nobody tries again, all is looked at', async () => {
  const { repairs, survival, pass } = await host();
  survival.lookAgain();
  await pass(250);
  expect(repairs).toEqual([{ at: 250, damage: 'all' }]);
});

test.each([
  { code: 'EAGAIN', tries: 5, warns: true },
  { code: 'ENOMEM', tries: 5, warns: true },
  { code: 'EEXIST', tries: 1, warns: false },
] as const)('a repair of the network that is refused by $code', async ({ code, tries, warns }) => {
  const fault = new AggregateError([new KernelError(code, 'nft -f')], '1 of 9 steps failed');
  const { news, repairs, survival, pass } = await host(fault);
  news.tell({ on: 'uplink' });
  for (let n = 0; n < 30; n++) await pass(50);
  expect(repairs).toHaveLength(tries);
  expect(survival.warnings.some((text) => text.includes('cannot be put back yet'))).toBe(warns);
});

test('the table is loaded at once; losses of the network are gathered', async () => {
  const { news, repairs, pass } = await host();
  news.tell(TABLE, { on: 'uplink' }, { on: 'uplink' });
  await pass(0);
  await pass(250);
  expect(repairs).toEqual([
    { at: 0, damage: 'table' },
    { at: 250, damage: 'network' },
  ]);
});

test('what went while the start was at work is looked for', async () => {
  const { looks } = await host();
  expect(looks).toEqual([{ at: 250, damage: 'network' }]);
});

test('an edit of the table is repaired at once, and the log says by whom', async () => {
  const { news, repairs, log, pass } = await host();
  news.tell({ on: 'edit', by: 'firewalld (pid 812)', adds: false });
  await pass(0);
  expect(repairs).toEqual([{ at: 0, damage: 'table' }]);
  expect(log.lines.join()).toContain('firewalld (pid 812)');
});

test('what we took away ourselves is not put back', async () => {
  const { news, repairs, pass } = await host();
  news.tell({ on: 'link', ifname: 'arc_ns0' });
  await pass(500);
  expect(repairs).toEqual([]);
});

test('somebody who takes the same again and again is answered ever later, and forgiven after a minute', async () => {
  const { news, repairs, survival, pass } = await host();
  for (let n = 0; n < 6; n++) {
    news.tell(TABLE);
    await pass(0);
    for (let waited = 0; repairs.length <= n; waited += 50) await pass(50);
  }
  expect(repairs.map(({ at }) => at)).toEqual([0, 0, 100, 300, 700, 1500]);
  expect(survival.warnings.join()).toContain('6 times in a row');
  await pass(seconds(61));
  expect(survival.warnings).toEqual([]);
  news.tell(TABLE);
  await pass(0);
  expect(repairs).toHaveLength(7);
});

test('a guest that takes its link away again and again is put off, and nobody else is', async () => {
  const rule = wanted.parts.get('uplinks')?.rules[0];
  if (rule === undefined) throw new Error('an uplink has rules');
  const { news, repairs, survival, pass } = await host(null, wanted);
  for (let n = 0; n < 8; n++) {
    news.tell({ on: 'address', cidr: '100.115.92.129/30' }, { on: 'link', ifname: 'arc_ns0' });
    for (let waited = 0; repairs.length <= n; waited += 50) await pass(50);
  }
  const last = repairs.at(-1)?.at ?? 0;
  news.tell({ on: 'link', ifname: 'arc_ns0' }, { on: 'rule', family: rule.family, priority: rule.priority });
  await pass(250);
  expect(repairs.at(-1)).toEqual({ at: last + 250, damage: 'network' });
  expect(survival.warnings).toEqual([expect.stringContaining("guests' links")]);
});

test('a table that the kernel refuses is tried again', async () => {
  const { news, repairs, log, pass } = await host(new Error('no'));
  news.tell(TABLE);
  for (let n = 0; n < 20; n++) await pass(50);
  expect(repairs.length).toBeGreaterThan(3);
  expect(log.lines.some((line) => line.includes('datapath.unrepaired'))).toBe(true);
});

test('more losses than can be kept are one that says nothing', async () => {
  const { news, repairs, pass } = await host();
  for (let n = 0; n < 2000; n++) news.tell({ on: 'link', ifname: `arc_ns${n}` });
  await pass(250);
  expect(repairs).toEqual([{ at: 250, damage: 'all' }]);
});
