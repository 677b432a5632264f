import { ALL, type TrafficKey } from './traffic-table';
import { Ledger } from './ledger';
import type { AccountedElement } from './record';
import { countedKeyText } from '@pp/ports';
import { report, type ReportWish } from './report';

const NOVEMBER = Date.UTC(2026, 10, 30, 23, 30);
const DECEMBER = Date.UTC(2026, 11, 1, 0, 30);

/** 10 bytes a packet. */
function passed(
  set: AccountedElement['set'],
  packets: bigint,
  { guest, uplink, source, family }: Partial<TrafficKey>,
): AccountedElement {
  const mark = source === 4 ? 0x2100 : source === 8 ? 0x400 : 0;
  const key = {
    set,
    ifname: guest ?? uplink ?? 'eth0',
    uplink: uplink ?? 'eth0',
    mark,
    family: family ?? 4,
  } as const;
  return {
    ...{ ...key, key: countedKeyText(key), bytes: packets * 10n, packets },
    ...{ guest: guest ?? ALL, device: uplink ?? 'eth0' },
  };
}

function ledgerOf(
  ...samples: readonly (readonly [at: number, elements: readonly AccountedElement[]])[]
): Ledger {
  const ledger = new Ledger();
  for (const [n, [at, elements]] of samples.entries())
    ledger.apply({ do: 'sample', at, run: `r${n}`, elements });
  return ledger;
}

/** One VM on eth0 and the host on both uplinks. */
const LEDGER = ledgerOf(
  [
    NOVEMBER,
    [
      passed('uplink_tx', 7n, { source: 4 }),
      passed('guest_tx', 7n, { guest: 'termina/5', source: 4 }),
      passed('uplink_tx', 2n, { source: 8 }),
      passed('uplink_rx', 3n, { uplink: 'vpn', source: 8, family: 6 }),
    ],
  ],
  [DECEMBER, [passed('uplink_tx', 1n, { source: 8 })]],
);

const by = (...words: readonly (keyof ReportWish['by'])[]): ReportWish['by'] => {
  const wants = (word: keyof ReportWish['by']): boolean => words.includes(word);
  return {
    guest: wants('guest'),
    uplink: wants('uplink'),
    source: wants('source'),
    family: wants('family'),
    hour: wants('hour'),
    host: false,
  };
};

/** "host eth0 rx 0 tx 30", what was not asked for left out; or the refusal. */
function words(wish: ReportWish): readonly string[] | string {
  const rows = report(LEDGER, wish);
  if (!rows.ok) return `${rows.reason}: ${rows.sentence}`;
  return rows.value.map(({ hour, guest, uplink, source, family, rxBytes, txBytes }) =>
    [hour, guest, uplink, source || '', family || '', `rx ${rxBytes} tx ${txBytes}`]
      .filter((word) => word !== '')
      .join(' '),
  );
}

test.each([
  { name: 'one row in all', in: { month: '', by: by() }, want: ['rx 30 tx 100'] },
  {
    name: 'what is no guest’s is the host’s',
    in: { month: '', by: by('guest', 'uplink') },
    want: ['host eth0 rx 0 tx 30', 'host vpn rx 30 tx 0', 'termina/5 eth0 rx 0 tx 70'],
  },
  {
    name: 'by source and family',
    in: { month: '', by: by('source', 'family') },
    want: ['4 4 rx 0 tx 70', '8 4 rx 0 tx 30', '8 6 rx 30 tx 0'],
  },
  { name: 'of one month', in: { month: '2026-12', by: by('uplink') }, want: ['eth0 rx 0 tx 10'] },
  {
    name: 'by hour',
    in: { month: '2026-11', by: by('hour', 'guest') },
    want: ['2026-11-30T23 host rx 30 tx 20', '2026-11-30T23 termina/5 rx 0 tx 70'],
  },
  {
    name: 'a month that nothing is known of',
    in: { month: '2027-01', by: by() },
    want: 'NotFound: nothing is known of 2027-01; there is 2026-11 to 2026-12',
  },
  {
    name: 'no month',
    in: { month: '2026-00', by: by() },
    want: "InvalidArgument: '2026-00' is no month; write it as 2026-11",
  },
  {
    name: 'hours of all time',
    in: { month: '', by: by('hour') },
    want: 'InvalidArgument: hours are told of one month; name it, such as 2026-11',
  },
])('$name', ({ in: wish, want }) => {
  expect(words(wish)).toEqual(want);
});

test('a guest’s packet that was dropped after it was counted leaves nobody below zero', () => {
  const ledger = ledgerOf([
    NOVEMBER,
    [passed('uplink_tx', 5n, { source: 4 }), passed('guest_tx', 7n, { guest: 'termina/5', source: 4 })],
  ]);
  const rows = report(ledger, { month: '', by: by('guest') });
  expect(rows.ok && rows.value.map(({ guest, txPackets }) => [guest, txPackets])).toEqual([
    ['termina/5', 7n],
  ]);
});
