/** What is asked of nftables is what it shows afterwards, by our own eyes and by nft's. */
import { execFileSync } from 'node:child_process';
import { KernelError } from '@pp/base';
import type { NetlinkClient } from '../client';
import { encode } from '../codec/parts';
import type { NetlinkRequest } from '../request';
import { describeOnKernel, TestNetns } from '../testing';
import { dumpCounters } from './counter';
import { addElements, delElements, dumpElements } from './elements';
import type { SetElement, SetRef } from './elements';
import { encodeKey } from './keys';
import { batch } from './nfnetlink';
import type { TableRef } from './nfnetlink';
import { delTable, dumpChains, dumpTables, getTable } from './tables';

const keyOf = (...words: Parameters<typeof encodeKey>): Uint8Array => encode(encodeKey(...words));

const TABLE: TableRef = { family: 'inet', name: 't' };
const RULESET = `
  add table inet t
  add chain inet t c1
  add chain inet t c2 { type filter hook input priority 0; }
  add map inet t vm { type ifname : verdict; }
  add set inet t pairs { type ifname . ipv4_addr; }
  add set inet t five { type ifname . ipv4_addr . mark . inet_proto . inet_service; flags interval; }
  add set inet t ranges { type ipv4_addr; flags interval; }
  add set inet t aging { type ipv4_addr; flags timeout; }
  add set inet t ports { type inet_service; }
  add set inet t counted { typeof oifname . meta mark . meta nfproto; flags dynamic; counter; }
  add element inet t counted { "eth0" . 0x2100 . ipv4 counter packets 3 bytes 4294967299 }
  add counter inet t k { packets 7 bytes 9 }
`;

describeOnKernel('nftables on Linux', (native) => {
  let netns: TestNetns;
  let client: NetlinkClient;

  /** nft as another program sees it. */
  const nft = (...words: readonly string[]): string =>
    native.runInNetns(netns.fd, () => execFileSync('nft', words, { encoding: 'utf8' }));

  beforeEach(() => {
    netns = new TestNetns(native);
    client = netns.client('netfilter');
    nft(RULESET);
  });

  afterEach(() => {
    netns.close();
  });

  const set = (name: string): SetRef => ({ table: TABLE, name });
  const pair = (ifname: string): SetElement => ({
    key: keyOf(['ifname', 'ipv4_addr'], [ifname, '10.0.0.1']),
    text: `${ifname} . 10.0.0.1`,
  });
  const transact = (...requests: readonly NetlinkRequest[]): Promise<string> =>
    client.transaction(batch(() => 'the batch', requests)).then(
      () => 'done',
      (error: unknown) => (error instanceof KernelError ? error.message : 'thrown'),
    );
  const elementsOf = (name: string): string =>
    /elements = \{([^]*?)\}/
      .exec(nft('list', 'set', 'inet', 't', name))?.[1]
      ?.replace(/\s+/g, ' ')
      .trim() ?? '';

  describe('elements', () => {
    test('of a concatenation', async () => {
      expect(await transact(...addElements(set('pairs'), [pair('eth0'), pair('wg@home')]))).toBe('done');
      expect(elementsOf('pairs').split(', ').sort()).toEqual(['"eth0" . 10.0.0.1', '"wg@home" . 10.0.0.1']);
      const shown = await client.dump(dumpElements(set('pairs')));
      expect(shown.flat().map(({ key }) => key)).toEqual(
        expect.arrayContaining([pair('eth0').key, pair('wg@home').key]),
      );
      expect(await transact(...delElements(set('pairs'), [pair('eth0')]))).toBe('done');
      expect(elementsOf('pairs')).toBe('"wg@home" . 10.0.0.1');
    });

    test('of a verdict map', async () => {
      const element = { key: keyOf(['ifname'], ['eth0']), jump: 'c1', text: 'eth0 : c1' };
      expect(await transact(...addElements(set('vm'), [element]))).toBe('done');
      expect(nft('list', 'map', 'inet', 't', 'vm')).toContain('elements = { "eth0" : jump c1 }');
      expect((await client.dump(dumpElements(set('vm')))).flat()).toEqual([
        { key: element.key, keyEnd: null, intervalEnd: false, jump: 'c1', counter: null },
      ]);
    });

    test('of a concatenation of ranges', async () => {
      const types = ['ifname', 'ipv4_addr', 'mark', 'inet_proto', 'inet_service'] as const;
      const key = keyOf(types, ['eth0', '10.0.0.0', '0x3f00', 'tcp', '80'], { intervals: true });
      const keyEnd = keyOf(types, ['eth0', '10.0.0.255', '0x3f00', 'tcp', '90'], { intervals: true });
      expect(await transact(...addElements(set('five'), [{ key, keyEnd, text: 'range' }]))).toBe('done');
      expect(elementsOf('five')).toBe('"eth0" . 10.0.0.0/24 . 0x00003f00 . tcp . 80-90');
      const shown = (await client.dump(dumpElements(set('five')))).flat();
      expect(shown).toEqual([{ key, keyEnd, intervalEnd: false, jump: null, counter: null }]);
    });

    test('of ranges, of ports, and with a timeout', async () => {
      const range = [
        { key: keyOf(['ipv4_addr'], ['10.0.0.0']), text: '10/8' },
        { key: keyOf(['ipv4_addr'], ['11.0.0.0']), intervalEnd: true, text: '10/8' },
      ];
      const port = { key: keyOf(['inet_service'], ['8080']), text: '8080' };
      const aging = { key: keyOf(['ipv4_addr'], ['10.0.0.1']), timeoutMs: 3_600_000, text: '10.0.0.1' };
      const all = [
        ...addElements(set('ranges'), range),
        ...addElements(set('ports'), [port]),
        ...addElements(set('aging'), [aging]),
      ];
      expect(await transact(...all)).toBe('done');
      expect([elementsOf('ranges'), elementsOf('ports'), elementsOf('aging')]).toEqual([
        '10.0.0.0/8',
        '8080',
        expect.stringMatching(/^10\.0\.0\.1 timeout 1h expires /),
      ]);
    });

    test('an empty set', async () => {
      expect((await client.dump(dumpElements(set('pairs')))).flat()).toEqual([]);
    });

    test('2,500 in one batch', async () => {
      const many = Array.from({ length: 2500 }, (_, index) => pair(`if${index}`));
      expect(await transact(...addElements(set('pairs'), many))).toBe('done');
      expect((await client.dump(dumpElements(set('pairs')))).flat()).toHaveLength(2500);
    });
  });

  describe('all or nothing', () => {
    const rows: readonly { name: string; make: () => readonly NetlinkRequest[]; want: string }[] = [
      {
        name: 'an element that is there already, the middle one of three',
        make: () => addElements(set('pairs'), [pair('a'), pair('there'), pair('b')]),
        want: 'element.add pairs there . 10.0.0.1: EEXIST',
      },
      {
        name: 'an element that is not there, the last of three',
        make: () => delElements(set('pairs'), [pair('there'), pair('there2'), pair('absent')]),
        want: 'element.del pairs absent . 10.0.0.1: ENOENT',
      },
      {
        name: 'a set that is not there',
        make: () => [...addElements(set('pairs'), [pair('a')]), ...addElements(set('nope'), [pair('a')])],
        want: 'element.add nope a . 10.0.0.1: ENOENT',
      },
      {
        name: 'the first of two sets is not there',
        make: () => [...addElements(set('nope'), [pair('a')]), ...addElements(set('pairs'), [pair('a')])],
        want: 'element.add nope a . 10.0.0.1: ENOENT',
      },
      {
        name: 'a chain that is not there',
        make: () => [
          ...addElements(set('pairs'), [pair('a')]),
          ...addElements(set('vm'), [{ key: keyOf(['ifname'], ['a']), jump: 'nope', text: 'a : nope' }]),
        ],
        want: 'element.add vm a : nope: ENOENT',
      },
      {
        name: 'a key of the wrong length',
        make: () => addElements(set('pairs'), [pair('a'), { key: new Uint8Array(3), text: 'short' }]),
        want: 'element.add pairs short: EINVAL',
      },
    ];

    test.each(rows)('$name', async ({ make, want }) => {
      await transact(...addElements(set('pairs'), [pair('there'), pair('there2')]));
      expect(await transact(...make())).toBe(want);
      expect(elementsOf('pairs').split(', ').sort()).toEqual(['"there" . 10.0.0.1', '"there2" . 10.0.0.1']);
      expect(nft('list', 'map', 'inet', 't', 'vm')).not.toContain('elements');
    });

    test('a delete and an add of the same key in one batch', async () => {
      const element = (jump: string): SetElement => ({
        key: keyOf(['ifname'], ['eth0']),
        jump,
        text: jump,
      });
      await transact(...addElements(set('vm'), [element('c1')]));
      nft('add chain inet t c3');
      expect(
        await transact(
          ...delElements(set('vm'), [element('c1')]),
          ...addElements(set('vm'), [element('c3')]),
        ),
      ).toBe('done');
      expect(nft('list', 'map', 'inet', 't', 'vm')).toContain('"eth0" : jump c3');
    });

    test('one after the other, and many callers at once', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          transact(...addElements(set('pairs'), [pair(`if${index % 25}`)])),
        ),
      );
      expect(results.filter((result) => result === 'done')).toHaveLength(25);
      expect(results.filter((result) => result.endsWith('EEXIST'))).toHaveLength(25);
    });
  });

  describe('reading', () => {
    test('counters of elements', async () => {
      expect((await client.dump(dumpElements(set('counted')))).flat().map(({ counter }) => counter)).toEqual([
        { bytes: 4294967299n, packets: 3n },
      ]);
    });

    test('counter objects', async () => {
      expect(await client.dump(dumpCounters(TABLE))).toEqual([{ name: 'k', bytes: 9n, packets: 7n }]);
    });

    test('tables and chains', async () => {
      nft('add table ip other');
      nft('add chain ip other c9');
      expect(await client.dump(dumpTables())).toEqual([TABLE, { family: 'ip', name: 'other' }]);
      expect(await client.get(getTable(TABLE))).toEqual(TABLE);
      expect((await client.dump(dumpChains(TABLE))).map(({ name }) => name).sort()).toEqual(['c1', 'c2']);
    });

    test('what is not there', async () => {
      const refused = (promise: Promise<unknown>): Promise<unknown> =>
        promise.catch((error: unknown) => String(error));
      expect(await refused(client.get(getTable({ ...TABLE, name: 'nope' })))).toBe(
        'KernelError: table.get inet nope: ENOENT',
      );
      expect(await refused(client.dump(dumpElements(set('nope'))))).toBe(
        'KernelError: element.dump nope: ENOENT',
      );
    });
  });

  test('a table goes with all that is in it', async () => {
    expect(await transact(delTable(TABLE))).toBe('done');
    expect(nft('list', 'tables')).toBe('');
    expect(await transact(delTable(TABLE))).toBe('table.del inet t: ENOENT');
  });
});
