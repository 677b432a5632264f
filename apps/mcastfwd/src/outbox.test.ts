import { KernelError } from '@pp/base';
import { groupsOf, type Group } from './core/group';
import { Outbox } from './outbox';

const [mdns, mdns6] = groupsOf(['mdns']);
if (mdns === undefined || mdns6 === undefined) throw new Error('no groups');
const [IPV4, IPV6] = [mdns, mdns6];

/** An outbox with ports on interfaces 1, 2 and 3, of which 2 refuses all; what it does, in words. */
function subject(): { readonly outbox: Outbox; readonly log: string[] } {
  const log: string[] = [];
  const outbox = new Outbox({
    senderTo: (_, ifindexes) => {
      const open = ifindexes.filter((ifindex) => ifindex <= 3);
      return {
        ports: open.length,
        send: (payloads) => {
          log.push(`to ${open.join()}: ${payloads.map((each) => each.join()).join(' ')}`);
          return open.includes(2) ? payloads.map(() => new KernelError('EPERM', 'send')) : [];
        },
      };
    },
    onSent: ({ family }, sent, refused) => {
      log.push(`${family} sent ${sent}, refused ${refused.length}`);
    },
  });
  return { outbox, log };
}

type Add = readonly [group: Group, ifindexes: readonly number[], value: number];

const ROWS: readonly {
  readonly name: string;
  readonly in: readonly Add[];
  readonly want: readonly string[];
}[] = [
  { name: 'nothing', in: [], want: [] },
  {
    name: 'what goes out by the same interfaces goes by one call, in order',
    in: [
      [IPV4, [1, 3], 10],
      [IPV4, [1, 3], 11],
    ],
    want: ['to 1,3: 10 11', 'ipv4 sent 4, refused 0'],
  },
  {
    name: 'what goes out by others has a call of its own, and does not end what was gathered',
    in: [
      [IPV4, [1], 10],
      [IPV4, [3], 20],
      [IPV4, [1], 11],
    ],
    want: ['to 1: 10 11', 'ipv4 sent 2, refused 0', 'to 3: 20', 'ipv4 sent 1, refused 0'],
  },
  {
    name: 'nothing is overtaken on an interface',
    in: [
      [IPV4, [1, 3], 10],
      [IPV4, [3], 11],
      [IPV4, [1, 3], 12],
    ],
    want: [
      'to 1,3: 10',
      'ipv4 sent 2, refused 0',
      'to 3: 11',
      'ipv4 sent 1, refused 0',
      'to 1,3: 12',
      'ipv4 sent 2, refused 0',
    ],
  },
  {
    name: 'nor by what is for another group',
    in: [
      [IPV4, [1], 10],
      [IPV6, [1], 20],
      [IPV4, [1], 11],
    ],
    want: [
      'to 1: 10',
      'ipv4 sent 1, refused 0',
      'to 1: 20',
      'ipv6 sent 1, refused 0',
      'to 1: 11',
      'ipv4 sent 1, refused 0',
    ],
  },
  {
    name: 'an interface that is gone gets nothing, one that refuses does not stop others',
    in: [[IPV4, [1, 2, 9], 10]],
    want: ['to 1,2: 10', 'ipv4 sent 1, refused 1'],
  },
];

test.each(ROWS)('$name', ({ in: adds, want }) => {
  const { outbox, log } = subject();
  for (const [group, ifindexes, value] of adds) outbox.add(group, ifindexes, Uint8Array.of(value));
  outbox.flush();
  outbox.flush();
  expect(log).toEqual(want);
});
