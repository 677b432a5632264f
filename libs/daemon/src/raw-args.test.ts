import { checkedFan, checkedIfname } from './raw-args';

describe('checkedIfname', () => {
  const advice = 'write a name as "ip link" shows it';
  const rows: { name: string; in: string; want: string | true }[] = [
    { name: 'an ordinary name', in: 'vmtap0', want: true },
    { name: 'fifteen bytes', in: 'abcdefghijklmno', want: true },
    { name: 'underscores, dots, dashes', in: 'arc_eth0.1-x', want: true },
    { name: 'empty', in: '', want: `interface '' is empty; ${advice}` },
    {
      name: 'sixteen bytes',
      in: 'abcdefghijklmnop',
      want: `interface 'abcdefghijklmnop' is longer than 15 bytes; ${advice}`,
    },
    {
      name: 'eight letters of two bytes',
      in: 'ääääääää',
      want: `interface 'ääääääää' is longer than 15 bytes; ${advice}`,
    },
    {
      name: 'a slash',
      in: 'a/b',
      want: `interface 'a/b' has a space, slash or colon, or is a dot; ${advice}`,
    },
    {
      name: 'two dots',
      in: '..',
      want: `interface '..' has a space, slash or colon, or is a dot; ${advice}`,
    },
  ];
  test.each(rows)('$name', ({ in: name, want }) => {
    const checked = checkedIfname(name);
    expect(checked.ok ? true : checked.sentence).toBe(want);
  });
});

describe('checkedFan', () => {
  const rows: { name: string; in: string[]; want: object | string | undefined }[] = [
    { name: 'none', in: [], want: undefined },
    { name: 'two', in: ['eth0', 'tap0'], want: { first: 'eth0', rest: ['tap0'] } },
    { name: 'four', in: ['a', 'b', 'c', 'd'], want: { first: 'a', rest: ['b', 'c', 'd'] } },
    { name: 'one', in: ['eth0'], want: "'eth0' stands alone; write at least two interfaces: x LAN GUEST" },
    {
      name: 'one twice',
      in: ['a', 'b', 'a'],
      want: "interface 'a' is named twice; write each once: x LAN GUEST",
    },
    {
      name: 'a bad name',
      in: ['a', ''],
      want: 'interface \'\' is empty; write a name as "ip link" shows it',
    },
  ];
  test.each(rows)('$name', ({ in: names, want }) => {
    const checked = checkedFan(names, 'x LAN GUEST');
    expect(checked.ok ? checked.value : checked.sentence).toEqual(want);
  });
});
