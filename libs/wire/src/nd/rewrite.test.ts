import { icmp6Checksum } from '../icmp6';
import { CAPTURED } from '../testing/captured';
import { hex, toHex } from '../testing/hex';
import { decodeNdOptions, NdOptionType } from './options';
import { rewriteNd, type NdRewrite } from './rewrite';

const OURS = hex('02:99:99:99:99:99');

interface Row {
  readonly name: string;
  readonly frame: keyof typeof CAPTURED;
  /** A replacement in the hex of the captured message. */
  readonly sent?: readonly [string, string];
  readonly fixedBytes: number;
  readonly rewrite: NdRewrite;
  /** Replacements in the hex of the message, beside its checksum. */
  readonly want: readonly [string, string][];
}

const rows: readonly Row[] = [
  {
    name: 'the link-layer address of a solicitation',
    frame: 'neighborSolicit',
    fixedBytes: 24,
    rewrite: { linkAddress: OURS },
    want: [['0101020000000002', '0101029999999999']],
  },
  {
    name: 'nothing, where there is no such option: a nonce stays, and so does the checksum',
    frame: 'duplicateCheck',
    fixedBytes: 24,
    rewrite: { linkAddress: OURS },
    want: [],
  },
  {
    name: 'an option that goes takes its bytes with it',
    frame: 'neighborAdvert',
    fixedBytes: 24,
    rewrite: { linkAddress: 'remove' },
    want: [['0201020000000001', '']],
  },
  {
    name: 'a router advertisement on its way to another segment',
    frame: 'routerAdvert',
    fixedBytes: 16,
    rewrite: { linkAddress: OURS, setProxyFlag: true, clearOnLink: true, maxMtu: 1400 },
    want: [
      ['4000000c', '4004000c'],
      ['030440c0', '03044040'],
      ['000005dc', '00000578'],
      ['0101020000000001', '0101029999999999'],
    ],
  },
  {
    name: 'an MTU that is small enough stays',
    frame: 'routerAdvert',
    fixedBytes: 16,
    rewrite: { linkAddress: hex('020000000001'), maxMtu: 9000 },
    want: [],
  },
  {
    name: 'a router that is gone, without its resolver',
    frame: 'routerAdvert',
    fixedBytes: 16,
    rewrite: {
      linkAddress: OURS,
      lifetimeSec: 0,
      option: (option) => (option.type === NdOptionType.rdnss ? null : option),
    },
    want: [
      ['4000000c', '40000000'],
      ['190300000000000420010db8000100000000000000000053', ''],
      ['0101020000000001', '0101029999999999'],
    ],
  },
  {
    name: 'a prefix with all flags: of them only on-link and "DHCPv6-PD preferred" go',
    frame: 'routerAdvert',
    sent: ['030440c0', '030440ff'],
    fixedBytes: 16,
    rewrite: { linkAddress: hex('020000000001'), clearOnLink: true },
    want: [['030440ff', '0304406f']],
  },
  {
    name: 'a lifetime of more than a byte',
    frame: 'routerAdvert',
    fixedBytes: 16,
    rewrite: { linkAddress: 'remove', lifetimeSec: 0x0708 },
    want: [
      ['4000000c', '40000708'],
      ['0101020000000001', ''],
    ],
  },
];

test.each(rows)('rewrites $name', ({ frame, sent, fixedBytes, rewrite, want }) => {
  const captured = CAPTURED[frame].subarray(54);
  const message = sent === undefined ? captured : hex(toHex(captured).replace(...sent));
  const [source, destination] = [CAPTURED[frame].subarray(22, 38), CAPTURED[frame].subarray(38, 54)];
  const options = decodeNdOptions(message.subarray(fixedBytes));
  if (!options.ok) throw new Error(options.fault);
  const before = toHex(message);
  const result = rewriteNd(message, { fixedBytes, options: options.value }, rewrite, { source, destination });
  const expected = want.reduce((text, [from, to]) => text.replace(from, to), before);
  const sum = want.length === 0 ? before.slice(4, 8) : toHex(result.subarray(2, 4));
  expect(toHex(result)).toBe(expected.slice(0, 4) + sum + expected.slice(8));
  expect(icmp6Checksum(result, source, destination)).toBe(0);
  expect(toHex(message)).toBe(before);
});
