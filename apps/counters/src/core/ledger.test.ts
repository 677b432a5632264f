/** The promise of the history: whatever is cut off its file, nothing counts twice, and what is lost is what the cut took. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog, SeededRandom } from '@pp/base/testing';
import { countedKeyText, type CountedElement } from '@pp/ports';
import { RecordLog } from '@pp/state';
import { History } from '../history';
import { Ledger } from './ledger';
import type { AccountedElement, HistoryRecord } from './record';

const AT = Date.UTC(2026, 10, 21, 14);
function element(bytes: bigint, more: Partial<AccountedElement> = {}): AccountedElement {
  const key = { set: 'uplink_rx', ifname: 'eth0', uplink: 'eth0', mark: 0, family: 4, ...more } as const;
  return {
    ...{ guest: '', device: 'eth0', ...key },
    ...{ key: countedKeyText(key), bytes, packets: bytes / 10n },
  };
}
const sample = (run: string, ...elements: readonly AccountedElement[]): HistoryRecord => ({
  do: 'sample',
  at: AT,
  run,
  elements,
});
const sum = ({ totals }: Ledger): bigint =>
  [...totals.rows()].reduce((all, { rxBytes, txBytes }) => all + rxBytes + txBytes, 0n);

const rows: readonly { name: string; in: readonly HistoryRecord[]; want: bigint }[] = [
  { name: 'the first sample counts whole', in: [sample('a', element(100n))], want: 100n },
  {
    name: 'the next one its increase',
    in: [sample('a', element(100n)), sample('a', element(150n))],
    want: 150n,
  },
  {
    name: 'the same again nothing',
    in: [sample('a', element(100n)), sample('a', element(100n))],
    want: 100n,
  },
  { name: 'a lost sample is made up for', in: [sample('a', element(150n))], want: 150n },
  {
    name: 'another run starts from zero',
    in: [sample('a', element(100n)), sample('b', element(30n)), sample('b', element(40n))],
    want: 140n,
  },
  {
    name: 'less than before, in the same run, is tampered with and adds nothing',
    in: [sample('a', element(100n)), sample('a', element(30n)), sample('a', element(40n))],
    want: 110n,
  },
  {
    name: 'a forgotten element starts from zero',
    in: [
      sample('a', element(100n)),
      { do: 'forget', run: 'a', elements: [element(100n)] },
      sample('a', element(30n)),
    ],
    want: 130n,
  },
  {
    name: 'one of another run was not meant',
    in: [
      sample('b', element(100n)),
      { do: 'forget', run: 'a', elements: [element(100n)] },
      sample('b', element(130n)),
    ],
    want: 130n,
  },
  {
    name: 'beyond 2^53 every byte counts',
    in: [sample('a', element(2n ** 60n)), sample('a', element(2n ** 60n + 10n))],
    want: 2n ** 60n + 10n,
  },
];

test.each(rows)('$name', ({ in: records, want }) => {
  const ledger = new Ledger();
  for (const record of records) ledger.apply(record);
  expect(sum(ledger)).toBe(want);
  expect(sum(Ledger.fromJson(ledger.toJson()) ?? new Ledger())).toBe(want);
});

test('what was written whole is the same when it is read, in all its parts', () => {
  const ledger = new Ledger();
  ledger.apply(
    sample('a', element(100n), element(20n, { set: 'guest_tx', ifname: 'vmtap0', guest: 'termina/5' })),
  );
  ledger.apply({ do: 'uplinks', uplinks: [{ ifname: 'tun0', vpn: true }] });
  ledger.apply({ do: 'loss', at: AT, unseenMs: 12 });
  const json = ledger.toJson();
  const again = Ledger.fromJson(JSON.parse(JSON.stringify(json)) as typeof json);
  expect(again?.toJson()).toEqual(json);
  expect(again?.uplinks).toEqual([{ ifname: 'tun0', vpn: true }]);
  expect(again?.losses).toEqual({ count: 1, lastAt: AT, unseenMs: 12 });
});

test('a file of a later version is not read', () => {
  expect(Ledger.fromJson({ version: 2 })).toBeNull();
});

/** The kernel's side of a random story: elements that grow, in runs that end. */
class Story {
  readonly random: SeededRandom;
  run = 'run0';
  truth = 0n;
  #runs = 0;
  readonly #elements = new Map<string, AccountedElement>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  get elements(): readonly AccountedElement[] {
    return [...this.#elements.values()];
  }

  pass(): void {
    for (let n = this.random.below(4); n >= 0; n--) {
      const ifname = this.random.pick(['eth0', 'wlan0', 'tun0']);
      const bytes = BigInt(10 * (1 + this.random.below(5)));
      const before = this.#elements.get(ifname) ?? element(0n, { ifname, uplink: ifname, device: ifname });
      this.#elements.set(ifname, element(before.bytes + bytes, { ifname, uplink: ifname, device: ifname }));
      this.truth += bytes;
    }
  }

  flush(): void {
    this.#elements.clear();
    this.run = `run${++this.#runs}`;
  }
}

interface Moment {
  /** Bytes of the file when the sample was in it. */
  readonly size: number;
  readonly truth: bigint;
  readonly run: string;
  readonly elements: readonly CountedElement[];
}

const SEEDS = [1, 2];

test.each(SEEDS)('seed %i: cut at every byte', (seed) => {
  const dir = mkdtempSync(join(tmpdir(), 'pp-ledger-'));
  const path = join(dir, 'traffic');
  const open = (): History => new History(new RecordLog(path), new MemoryLog());
  try {
    const story = new Story(seed);
    const history = open();
    const moments: Moment[] = [{ size: history.size, truth: 0n, run: '', elements: [] }];
    for (let step = 0; step < 8; step++) {
      if (story.random.below(4) === 0) story.flush();
      story.pass();
      history.record(
        sample(story.run, ...asAccounted(history.ledger.changed(story.run, story.elements))),
        'later',
      );
      moments.push({ size: history.size, truth: story.truth, run: story.run, elements: story.elements });
    }
    history.close();
    const whole = readFileSync(path);
    const begin = moments[0]?.size ?? 0;
    for (let length = begin; length <= whole.length; length++) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const kept = moments.filter(({ size }) => size <= length).at(-1);
      const cut = open();
      expect([seed, length, sum(cut.ledger)]).toEqual([seed, length, kept?.truth]);

      // A kernel that still counts in that run makes up for all that the cut took of it.
      const ofRun = moments.filter(({ run }) => run === kept?.run).at(-1);
      if (ofRun === undefined) throw new Error('every moment has a run');
      for (const repeat of [1, 2]) {
        cut.record(sample(ofRun.run, ...asAccounted(ofRun.elements)), 'later');
        expect([seed, length, repeat, sum(cut.ledger)]).toEqual([seed, length, repeat, ofRun.truth]);
      }
      cut.close();
      const again = open();
      expect(sum(again.ledger)).toBe(ofRun.truth);
      again.close();
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the file stays small where each run adds less to it than would have it written anew', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pp-ledger-'));
  const log = (): RecordLog => new RecordLog(join(dir, 'traffic'));
  const many = Array.from({ length: 2_000 }, (_, i) => element(BigInt(i), { ifname: `eth${i}` }));
  const sizes: number[] = [];
  try {
    for (let run = 0; run < 4; run++) {
      const history = new History(log(), new MemoryLog());
      for (let i = 0; i < 8; i++) history.record(sample('a', ...many), 'later');
      sizes.push(history.size);
      history.close();
    }
    expect(Math.max(...sizes)).toBeLessThan(2 * log().wholeSize + 2_000_000);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

const asAccounted = (elements: readonly CountedElement[]): readonly AccountedElement[] =>
  elements.map((each) => ({ ...each, guest: '', device: each.ifname }));
