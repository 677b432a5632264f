import { checkedFan, RawArgs, wholeNumber } from './raw-args';

describe('wholeNumber', () => {
  const rows = [
    { name: 'absent', in: undefined, want: null },
    { name: 'the least', in: '2', want: 2 },
    { name: 'the most', in: '300', want: 300 },
    { name: 'zeros in front', in: '007', want: 7 },
    ...['1', '301', '', '-3', '2.5', '1e2', ' 4', '٣', '9'.repeat(400)].map((text) => ({
      name: `'${text.slice(0, 10)}'`,
      in: text,
      want: `--rate '${text}' is out of range; write a whole number from 2 to 300`,
    })),
  ];
  test.each(rows)('$name', ({ in: text, want }) => {
    const checked = wholeNumber(new RawArgs({ rate: text }, []), 'rate', [2, 300], null);
    expect(checked.ok ? checked.value : checked.sentence).toBe(want);
  });
});

describe('checkedFan', () => {
  const rows: { name: string; in: string[]; want: object | string | undefined }[] = [
    { name: 'none', in: [], want: undefined },
    { name: 'two', in: ['eth0', 'tap0'], want: { first: 'eth0', rest: ['tap0'] } },
    { name: 'four', in: ['a', 'b', 'c', 'd'], want: { first: 'a', rest: ['b', 'c', 'd'] } },
    { name: 'a pattern', in: ['eth0', 'vmtap*'], want: { first: 'eth0', rest: ['vmtap*'] } },
    {
      name: 'a pattern as the first',
      in: ['eth*', 'tap0'],
      want: '\'eth*\' cannot be an interface; write a name as "ip link" shows it',
    },
    {
      name: 'a pattern of everything',
      in: ['eth0', '*'],
      want: '\'*\' cannot be an interface; write a name as "ip link" shows it',
    },
    { name: 'one', in: ['eth0'], want: "'eth0' stands alone; write at least two interfaces: x LAN GUEST" },
    {
      name: 'one twice',
      in: ['a', 'b', 'a'],
      want: "interface 'a' is named twice; write each once: x LAN GUEST",
    },
    {
      name: 'a bad name',
      in: ['a', ''],
      want: '\'\' cannot be an interface; write a name as "ip link" shows it',
    },
  ];
  test.each(rows)('$name', ({ in: names, want }) => {
    const checked = checkedFan(names, 'x LAN GUEST');
    expect(checked.ok ? checked.value : checked.sentence).toEqual(want);
  });
});
