import { hasCapability, type Capability } from './capabilities';

const status = (effective: string): string =>
  `Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t${effective}\n`;

const rows: readonly { name: string; in: string; of: Capability; want: boolean }[] = [
  { name: 'all', in: status('000001ffffffffff'), of: 'CAP_SYS_ADMIN', want: true },
  { name: 'that alone', in: status('0000000000002000'), of: 'CAP_NET_RAW', want: true },
  { name: 'its neighbour', in: status('0000000000002000'), of: 'CAP_NET_ADMIN', want: false },
  { name: 'none', in: status('0000000000000000'), of: 'CAP_NET_RAW', want: false },
  { name: 'it is not told', in: '', of: 'CAP_NET_RAW', want: false },
];
test.each(rows)('hasCapability: $name', ({ in: text, of, want }) => {
  expect(hasCapability(text, of)).toBe(want);
});
