import { SharedMap } from '@pp/base';
import { namespacePart, NOTHING, plan, type Desired, type Op } from '@pp/datapath';
import { FakeKernel } from '@pp/datapath/testing';
import type { Damage } from './domain/losses';
import { mend } from './mending';

const want: Desired = {
  shape: { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: ['100.115.92.0/23'] },
  sysctls: new Map(),
  parts: SharedMap.of([
    [
      'namespace/0',
      namespacePart({
        number: 0,
        subnet: '100.115.92.128/30',
        hostMac: '02:00:00:00:00:01',
        peerMac: '02:00:00:00:00:02',
        client: null,
        egress: { kind: 'uplink', ifname: 'eth0' },
        source: 'SYSTEM',
        allowUserTraffic: false,
        forceForwarding: false,
      }),
    ],
  ]),
};

const none: ReadonlyMap<string, string | null> = new Map();
const load = (text: string): Op => ({ do: 'nft.load', text, was: null });

async function built(): Promise<FakeKernel> {
  const kernel = new FakeKernel({ links: [{ ifname: 'eth0', addresses: ['192.0.2.10/24'] }] });
  expect(new Set(await kernel.apply(plan(NOTHING, want, none)))).toEqual(new Set(['done']));
  return kernel;
}

const EDITS: readonly { readonly name: string; readonly op: Op; readonly damage: Damage }[] = [
  { name: 'a chain is flushed', op: load('flush chain inet patchpanel guard\n'), damage: 'table' },
  {
    name: 'a rule is added',
    op: load('add rule inet patchpanel guard iifname "eth0" accept\n'),
    damage: 'table',
  },
  {
    name: 'an element is deleted',
    op: { do: 'nft.elements', add: [], del: [{ set: 'guests', key: ['arc_ns0'] }] },
    damage: 'table',
  },
  {
    name: 'an element is added',
    op: { do: 'nft.elements', add: [{ set: 'guests', key: ['evil0'] }], del: [] },
    damage: 'table',
  },
  {
    name: 'a chain is added, and a rule that leads there',
    op: load('add chain inet patchpanel evil\nadd rule inet patchpanel guard jump evil\n'),
    damage: 'new table',
  },
  { name: 'the table is deleted', op: { do: 'nft.load', text: null, was: null }, damage: 'table' },
];

test.each(EDITS)('undone without a look at the kernel: $name', async ({ op, damage }) => {
  const kernel = await built();
  const before = kernel.dump();
  expect(await kernel.apply([op])).toEqual(['done']);
  expect(kernel.dump()).not.toBe(before);
  kernel.observe = () => Promise.reject(new Error('it was looked at'));
  expect(await mend(kernel, want, none, damage)).toMatchObject({ fault: null, steps: [{ do: 'nft.load' }] });
  expect(kernel.dump()).toBe(before);
});

test('a table that cannot be loaded over is loaded in its place; what is refused then, too, is told', async () => {
  const kernel = await built();
  const before = kernel.dump();
  kernel.failAt(1, 'EEXIST');
  const { steps, fault } = await mend(kernel, want, none, 'table');
  expect(fault).toBeNull();
  expect(steps).toMatchObject([{ text: expect.stringContaining('delete table inet patchpanel') as string }]);
  expect(kernel.dump()).toBe(before);
  kernel.failAt(1, 'EEXIST');
  expect((await mend(kernel, want, none, 'new table')).fault).toBeInstanceOf(Error);
});
