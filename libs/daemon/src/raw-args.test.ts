import { checkedFan } from './raw-args';

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
