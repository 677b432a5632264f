/** What nft 1.0.6 sends for the same wish, seen by strace; it adds NFTA_SET_ELEM_LIST_SET_ID and numbers the elements of a list. */
import { hex } from '../testing';
import { addElements, delElements } from './elements';
import type { SetElement } from './elements';
import { encodeKey } from './keys';
import { batch } from './nfnetlink';

const TABLE = { family: 'inet', name: 't' } as const;
const HEADER = '01000000 06000100 74000000'; // nfgenmsg of family inet, table "t"
const IFNAME = '6172635f 6e733000 00000000 00000000'; // "arc_ns0"
const NEWSETELEM = 0x0a0c;
const DELSETELEM = 0x0a0e;

const vmap: SetElement = { key: encodeKey(['ifname'], ['arc_ns0']), jump: 'c1', text: 'arc_ns0 : c1' };
const pair: SetElement = {
  key: encodeKey(['ifname', 'ipv4_addr'], ['arc_ns0', '100.115.92.130']),
  text: 'arc_ns0 . 100.115.92.130',
};
const FIVE = ['ifname', 'ipv4_addr', 'mark', 'inet_proto', 'inet_service'] as const;

const rows = [
  {
    name: 'verdict map',
    in: addElements({ table: TABLE, name: 'vm' }, [vmap]),
    want: `${HEADER} 07000200 766d0000 38000380 34000180 18000180 14000100 ${IFNAME}
           18000280 14000280 08000100 fffffffd 07000200 63310000`,
    type: NEWSETELEM,
  },
  {
    name: 'concatenation',
    in: addElements({ table: TABLE, name: 'c2' }, [pair]),
    want: `${HEADER} 07000200 63320000 24000380 20000180 1c000180 18000100 ${IFNAME} 64735c82`,
    type: NEWSETELEM,
  },
  {
    name: 'concatenation gone',
    in: delElements({ table: TABLE, name: 'c2' }, [pair]),
    want: `${HEADER} 07000200 63320000 24000380 20000180 1c000180 18000100 ${IFNAME} 64735c82`,
    type: DELSETELEM,
  },
  {
    name: 'map to an address and a port',
    in: addElements({ table: TABLE, name: 'pf' }, [
      {
        key: encodeKey(['ifname', 'inet_proto', 'inet_service'], ['arc_ns0', 'tcp', '80']),
        data: encodeKey(['ipv4_addr', 'inet_service'], ['10.0.0.2', '8080']),
        text: 'arc_ns0 . tcp . 80 : 10.0.0.2 . 8080',
      },
    ]),
    want: `${HEADER} 07000200 70660000 38000380 34000180
           20000180 1c000100 ${IFNAME} 06000000 00500000
           10000280 0c000100 0a000002 1f900000`,
    type: NEWSETELEM,
  },
  {
    name: 'concatenation of ranges',
    in: addElements({ table: TABLE, name: 'cs' }, [
      {
        key: encodeKey(FIVE, ['arc_ns0', '100.115.92.0', '0x3f00', 'tcp', '80'], { intervals: true }),
        keyEnd: encodeKey(FIVE, ['arc_ns0', '100.115.92.255', '0x3f00', 'tcp', '90'], { intervals: true }),
        text: 'arc_ns0 . 100.115.92.0/24 . 0x3f00 . tcp . 80-90',
      },
    ]),
    want: `${HEADER} 07000200 63730000 58000380 54000180
           28000180 24000100 ${IFNAME} 64735c00 00003f00 06000000 00500000
           28000a80 24000100 ${IFNAME} 64735cff 00003f00 06000000 005a0000`,
    type: NEWSETELEM,
  },
  {
    name: 'range: where it starts, and what comes after it',
    in: addElements({ table: TABLE, name: 'iv' }, [
      { key: encodeKey(['ipv4_addr'], ['10.0.0.0']), text: '10.0.0.0/8' },
      { key: encodeKey(['ipv4_addr'], ['11.0.0.0']), intervalEnd: true, text: '10.0.0.0/8' },
    ]),
    want: `${HEADER} 07000200 69760000 2c000380
           10000180 0c000180 08000100 0a000000
           18000180 0c000180 08000100 0b000000 08000300 00000001`,
    type: NEWSETELEM,
  },
  {
    name: 'timeout',
    in: addElements({ table: TABLE, name: 'to' }, [
      { key: encodeKey(['ipv4_addr'], ['10.0.0.1']), timeoutMs: 5000, text: '10.0.0.1' },
    ]),
    want: `${HEADER} 07000200 746f0000 20000380 1c000180 0c000180 08000100 0a000001 0c000400 00000000 00001388`,
    type: NEWSETELEM,
  },
];

test.each(rows)('$name', ({ in: requests, want, type }) => {
  expect(requests.map(({ body }) => body)).toEqual([hex(want)]);
  expect(requests.map((request) => request.type)).toEqual([type]);
});

test('an element that is there already is refused, so it says EXCL', () => {
  expect(addElements({ table: TABLE, name: 'vm' }, [vmap]).map(({ flags }) => flags)).toEqual([0x600]);
});

test('of a batch the last request alone is acked', () => {
  const requests = [vmap, pair, pair].flatMap((element) =>
    addElements({ table: TABLE, name: 'vm' }, [element]),
  );
  expect(batch(() => 'all of it', requests).map(({ silent }) => silent)).toEqual([
    true,
    true,
    true,
    undefined,
    true,
  ]);
});

test('a batch is framed', () => {
  const [begin, element, end] = batch(() => 'all of it', delElements({ table: TABLE, name: 'c2' }, [pair]));
  expect([begin?.type, begin?.body, begin?.silent, begin?.label()]).toEqual([
    0x10,
    hex('0000000a'),
    true,
    'all of it',
  ]);
  expect([end?.type, end?.body, end?.silent]).toEqual([0x11, hex('0000000a'), true]);
  expect(element?.silent).toBeUndefined();
});

test('the element at a byte of the message is blamed', () => {
  const [request] = addElements({ table: TABLE, name: 'c2' }, [vmap, pair]);
  const list = 16 + 12 + 8 + 4; // nlmsghdr, header, set, head of the list
  const offsets = [list, list + 0x33, list + 0x34, list + 0x53, list + 0x54, 8];
  expect(offsets.map((offset) => request?.blame?.(offset))).toEqual([
    'element.add c2 arc_ns0 : c1',
    'element.add c2 arc_ns0 : c1',
    'element.add c2 arc_ns0 . 100.115.92.130',
    'element.add c2 arc_ns0 . 100.115.92.130',
    null,
    null,
  ]);
});

test('more elements than an attribute can hold go into several messages', () => {
  const many = Array.from({ length: 300 }, (_, index) => ({
    key: encodeKey(['ifname', 'ipv4_addr'], [`if${index}`, '10.0.0.1']),
    jump: 'c'.repeat(255),
    text: `if${index}`,
  }));
  const requests = addElements({ table: TABLE, name: 'c2' }, many);
  expect(requests.map(({ body }) => body.length < 0x10000)).toEqual([true, true, true]);
  expect(requests.map(({ label }) => label())).toEqual([
    'element.add c2 (one of 128)',
    'element.add c2 (one of 128)',
    'element.add c2 (one of 44)',
  ]);
});
