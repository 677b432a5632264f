import { SeededRandom } from '@pp/base/testing';
import { ProtocolError } from '../errors';
import { FdLedger } from '../testing/fd-ledger';
import { GLIB_MESSAGES } from '../testing/golden-glib';
import { decodeBody } from './body';
import { decodeFixedHeader } from './decode-header';
import { encodeMessage } from './encode';
import { Framer, type Incoming } from './framer';
import { MAX_MESSAGE_BYTES } from './limits';

/** What a message said, with its descriptors as numbers. */
interface Seen {
  readonly serial: number;
  readonly body: unknown;
  readonly fds: readonly number[];
}

class Subject {
  readonly ledger = new FdLedger();
  readonly seen: Seen[] = [];
  readonly dropped: number[] = [];
  readonly framer = new Framer({
    closeFd: this.ledger.close,
    onDropped: (headerBytes) => this.dropped.push(headerBytes),
    onMessage: (message) => this.seen.push(see(message)),
  });
}

function see({ header, body, fds }: Incoming): Seen {
  const decoded = body === undefined ? undefined : decodeBody(body);
  return { serial: header.serial, body: decoded?.ok === true ? decoded.body : decoded, fds: fds.takeAll() };
}

function message(serial: number, data = new Uint8Array(), fdCount = 0, path = '/a'): Buffer {
  const call = { type: 'call', path, member: 'A', signature: 'ay', values: [data] } as const;
  return encodeMessage(call, serial, fdCount);
}

test('one message in one piece', () => {
  const subject = new Subject();
  subject.framer.push(message(5, Uint8Array.of(1, 2)), []);
  expect(subject.seen).toEqual([{ serial: 5, body: [Uint8Array.of(1, 2)], fds: [] }]);
});

test('each message has its own descriptors, though they came at once', () => {
  const subject = new Subject();
  const [a, b, c] = [subject.ledger.issue(), subject.ledger.issue(), subject.ledger.issue()];
  const stream = Buffer.concat([message(1, undefined, 2), message(2), message(3, undefined, 1)]);
  subject.framer.push(stream, [a, b, c]);
  expect(subject.seen.map(({ serial, fds }) => [serial, fds])).toEqual([
    [1, [a, b]],
    [2, []],
    [3, [c]],
  ]);
});

describe('three messages with descriptors in each', () => {
  const messages = [2, 1, 3].map((fdCount, index) => message(index + 1, Uint8Array.of(index), fdCount));
  const stream = Buffer.concat(messages);
  const lengths = messages.map(({ length }) => length);
  /** By the byte with which they come: the first of their message. */
  const fdsAt = new Map([
    [0, [100, 101]],
    [lengths[0], [102]],
    [(lengths[0] ?? 0) + (lengths[1] ?? 0), [103, 104, 105]],
  ]);
  const want = [...fdsAt.values()].map((fds, index) => ({
    serial: index + 1,
    body: [Uint8Array.of(index)],
    fds,
  }));

  /** What is seen of the stream, given in pieces that end at `cuts`. */
  function seenOf(cuts: readonly number[]): readonly Seen[] {
    const subject = new Subject();
    let start = 0;
    for (const end of [...cuts, stream.length]) {
      const fds = [...fdsAt].filter(([at = 0]) => at >= start && at < end).flatMap(([, each]) => each);
      subject.framer.push(stream.subarray(start, end), fds);
      start = end;
    }
    return subject.seen;
  }

  test('whole', () => {
    expect(seenOf([])).toEqual(want);
  });

  test('cut in two at every byte', () => {
    for (let cut = 1; cut < stream.length; cut++) expect([cut, seenOf([cut])]).toEqual([cut, want]);
  });

  test('byte by byte', () => {
    expect(seenOf(Array.from(stream.keys()).slice(1))).toEqual(want);
  });
});

test('bytes are copied: the chunk is borrowed', () => {
  const subject = new Subject();
  const chunk = message(1, Uint8Array.of(7, 7, 7));
  subject.framer.push(chunk, []);
  chunk.fill(0);
  expect(subject.seen).toEqual([{ serial: 1, body: [Uint8Array.of(7, 7, 7)], fds: [] }]);
});

describe('the same messages and descriptors, wherever the stream is cut', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i', (seed) => {
    const random = new SeededRandom(seed);
    const stream = Array.from({ length: 80 }, (_, index) => randomMessage(random, index + 1));
    const subject = new Subject();
    const issued = deliverCut(random, subject, stream);
    const whole = new Subject();
    for (const { bytes, fdCount } of stream) whole.framer.push(bytes, issue(whole, fdCount));
    expect(subject.seen.map(({ body }) => body)).toEqual(whole.seen.map(({ body }) => body));
    expect(subject.seen.map(({ fds }) => fds)).toEqual(issued);
    expect(whole.seen).toHaveLength(stream.length);
  });

  interface Piece {
    readonly bytes: Buffer;
    readonly fdCount: number;
  }

  function randomMessage(random: SeededRandom, serial: number): Piece {
    if (random.below(3) === 0) {
      const golden = random.pick(GLIB_MESSAGES);
      return { bytes: Buffer.from(golden.hex, 'hex'), fdCount: golden.unixFds };
    }
    const data = Uint8Array.from({ length: random.below(300) }, () => random.below(256));
    const fdCount = random.below(4);
    return { bytes: message(serial, data, fdCount), fdCount };
  }

  /** Descriptors come with the chunk that holds their message's first byte. Returns those of each message. */
  function deliverCut(random: SeededRandom, subject: Subject, stream: readonly Piece[]): number[][] {
    const bytes = Buffer.concat(stream.map((piece) => piece.bytes));
    let start = 0;
    const starts = stream.map(({ bytes: { length } }) => (start += length) - length);
    const issued: number[][] = [];
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + random.below(random.pick([2, 20, 500])));
      const beginning = stream.filter((_, index) => (starts[index] ?? 0) >= at && (starts[index] ?? 0) < end);
      const bundles = beginning.map(({ fdCount }) => issue(subject, fdCount));
      issued.push(...bundles);
      subject.framer.push(bytes.subarray(at, end), bundles.flat());
      at = end;
    }
    return issued;
  }
});

test('random damage is refused or read, and never loses a descriptor', () => {
  const random = new SeededRandom(20_260_101);
  const outcomes = { read: 0, refused: 0 };
  for (let round = 0; round < 4000; round += 1) {
    const golden = random.pick(GLIB_MESSAGES);
    const bytes = Buffer.from(golden.hex, 'hex');
    for (let hits = 1 + random.below(3); hits > 0; hits -= 1)
      bytes[random.below(bytes.length)] = random.below(256);
    const subject = new Subject();
    try {
      subject.framer.push(bytes, issue(subject, golden.unixFds));
      outcomes.read += 1;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      outcomes.refused += 1;
    }
    subject.framer.close();
    expect(subject.ledger.open).toEqual(subject.seen.flatMap(({ fds }) => fds));
  }
  expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(400);
});

function issue(subject: Subject, count: number): number[] {
  return Array.from({ length: count }, () => subject.ledger.issue());
}

describe('messages that are too large', () => {
  test('the largest is kept', () => {
    const subject = new Subject();
    const data = new Uint8Array(1024 * 1024).fill(3);
    subject.framer.push(message(1, data), []);
    const [body] = subject.seen.map((seen) => seen.body as [Uint8Array]);
    expect(Buffer.compare(body?.[0] ?? new Uint8Array(), data)).toBe(0);
  });

  test('of a larger one the header is told, with its descriptors, and the next message is found', () => {
    const subject = new Subject();
    const bytes = message(1, new Uint8Array(8), 1);
    bytes.writeUInt32LE(MAX_MESSAGE_BYTES, 4);
    const header = bytes.subarray(0, decodeFixedHeader(bytes).headerBytes);
    const fds = issue(subject, 1);
    subject.framer.push(header, fds);
    expect(subject.seen).toEqual([{ serial: 1, body: undefined, fds }]);
    subject.framer.push(new Uint8Array(MAX_MESSAGE_BYTES - 10), []);
    subject.framer.push(Buffer.concat([Buffer.alloc(10), message(2)]), []);
    expect(subject.seen.map(({ serial }) => serial)).toEqual([1, 2]);
  });

  test('one whose header is too large is dropped with its descriptors, and the next message is found', () => {
    const subject = new Subject();
    const bytes = message(1, undefined, 1);
    bytes.writeUInt32LE(1024 * 1024, 12);
    subject.framer.push(bytes.subarray(0, 16), issue(subject, 1));
    subject.framer.push(new Uint8Array(1024 * 1024), []);
    const fds = issue(subject, 2);
    subject.framer.push(Buffer.concat([Buffer.alloc(4), message(2, undefined, 2)]), fds);
    expect(subject.dropped).toEqual([1024 * 1024 + 16]);
    expect(subject.seen).toEqual([{ serial: 2, body: [new Uint8Array()], fds }]);
    expect(subject.ledger.open).toEqual(fds);
  });
});

describe('what ends the connection', () => {
  test.each([
    {
      name: 'more descriptors claimed than came',
      bytes: message(1, undefined, 2),
      fdCount: 1,
      want: 'claims 2',
    },
    {
      name: 'a descriptor that no message claims',
      bytes: message(1),
      fdCount: 1,
      want: 'belong to no message',
    },
    { name: 'a descriptor without bytes', bytes: Buffer.alloc(0), fdCount: 1, want: 'belong to no message' },
    { name: 'no D-Bus at all', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), fdCount: 0, want: 'byte order' },
    {
      name: 'heaps of descriptors',
      bytes: message(1).subarray(0, 20),
      fdCount: 1025,
      want: 'more file descriptors',
    },
  ])('$name', ({ bytes, fdCount, want }) => {
    const subject = new Subject();
    const push = (): void => {
      subject.framer.push(bytes, issue(subject, fdCount));
    };
    expect(push).toThrow(ProtocolError);
    expect(() => {
      new Subject().framer.push(bytes, issue(new Subject(), fdCount));
    }).toThrow(want);
    subject.framer.close();
    expect(subject.ledger.open).toEqual([]);
  });

  test('descriptors of a message that is not whole are closed with the framer', () => {
    const subject = new Subject();
    subject.framer.push(message(1, undefined, 1).subarray(0, 20), issue(subject, 1));
    subject.framer.close();
    expect(subject.ledger.open).toEqual([]);
  });
});

test('a message type of the future is ignored, and its descriptors are closed', () => {
  const subject = new Subject();
  const future = message(1, undefined, 1);
  future[1] = 77;
  subject.framer.push(Buffer.concat([future, message(2)]), issue(subject, 1));
  expect(subject.seen.map(({ serial }) => serial)).toEqual([2]);
  expect(subject.ledger.open).toEqual([]);
});
