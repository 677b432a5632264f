import { checkedIfname } from './raw-args';

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
