/** Real sockets and descriptors; whatever comes, no descriptor stays open, and what was right before and after is answered. */
import { DBUS_ERROR, type Bus, type InterfaceSpec } from './index';
import { native, openFds } from './testing/bus-lab';
import { rawMessage } from './testing/raw-message';
import { SocketBus } from './testing/socket-bus';
import { until } from './testing/until';
import { encodeMessage, type Outgoing } from './wire/encode';
import { MAX_BODY_BYTES, MAX_MESSAGE_BYTES } from './wire/limits';

jest.setTimeout(60_000);

const SPEC = {
  name: 'a.b',
  methods: [
    {
      name: 'Take',
      in: [
        { name: 'data', type: 'ay' },
        { name: 'end', type: 'h' },
      ],
      out: [{ name: 'text', type: 's' }],
    },
  ],
} as const satisfies InterfaceSpec;

const TAKE = { type: 'call', sender: ':1.9', path: '/a', interface: 'a.b', member: 'Take' } as const;
const WITH_BYTES = { ...TAKE, signature: 'ayh', values: [Uint8Array.of(1, 2, 3), 0] } as const;

const fdCountAtStart = openFds();
let daemon: SocketBus;
let bus: Bus;
/** Ends of pipes that the test holds: `keep` tells whether the other side's copy of `send` is still open. */
let pipes: { readonly keep: number; readonly send: number }[];

beforeEach(async () => {
  pipes = [];
  ({ daemon, bus } = await SocketBus.start());
  bus.serve('/a', SPEC, {
    Take: (call) => {
      const [data, index] = call.body as [Uint8Array, number];
      const fd = call.takeFd(index);
      const { ino } = native.fdIdentity(fd);
      native.closeFd(fd);
      return { body: [`${data.length} bytes, pipe ${ino}`] };
    },
  });
});

afterEach(async () => {
  bus.close();
  daemon.close();
  for (const { keep, send } of pipes) {
    native.closeFd(send);
    await until('nobody else to hold the pipe', () => native.pollFd(keep).hangup);
    native.closeFd(keep);
  }
  await until('all descriptors to be closed', () => openFds() <= fdCountAtStart);
});

function fds(count: number): number[] {
  const made = Array.from({ length: count }, () => native.pipe()).map(([keep, send]) => ({ keep, send }));
  pipes.push(...made);
  return made.map(({ send }) => send);
}

const pipeOf = (fd: number): string => `pipe ${native.fdIdentity(fd).ino}`;

const answer = async (serial: number): Promise<unknown> => {
  await until(`an answer to call ${serial}`, () => daemon.answers.has(serial));
  return daemon.answers.get(serial);
};

async function expectWorks(): Promise<void> {
  const [fd = -1] = fds(1);
  daemon.send(encodeMessage(WITH_BYTES, 9999, 1), [fd]);
  expect(await answer(9999)).toEqual([`3 bytes, ${pipeOf(fd)}`]);
}

/** Refused, or ignored; the connection goes on. */
const LIVED_THROUGH: readonly {
  readonly name: string;
  readonly message: Partial<Outgoing>;
  readonly body?: Uint8Array;
  readonly fdCount: number;
  readonly want?: string;
}[] = [
  { name: 'an unknown object', message: { path: '/x' }, fdCount: 1, want: DBUS_ERROR.unknownObject },
  {
    name: 'an unknown interface',
    message: { interface: 'x.y' },
    fdCount: 2,
    want: DBUS_ERROR.unknownInterface,
  },
  { name: 'an unknown method', message: { member: 'X' }, fdCount: 16, want: DBUS_ERROR.unknownMethod },
  {
    name: 'another signature',
    message: { signature: 'h', values: [0] },
    fdCount: 1,
    want: DBUS_ERROR.invalidArgs,
  },
  { name: 'a body cut short', message: {}, body: Uint8Array.of(9), fdCount: 1, want: DBUS_ERROR.invalidArgs },
  {
    name: 'a body of noise',
    message: {},
    body: new Uint8Array(100_000).fill(0xee),
    fdCount: 1,
    want: DBUS_ERROR.invalidArgs,
  },
  {
    name: 'an index beyond the descriptors',
    message: {},
    body: Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0),
    fdCount: 1,
    want: DBUS_ERROR.invalidArgs,
  },
  {
    name: 'an index where no descriptor came',
    message: {},
    body: new Uint8Array(8),
    fdCount: 0,
    want: DBUS_ERROR.invalidArgs,
  },
  {
    name: 'a body that is too large',
    message: {},
    body: new Uint8Array(MAX_MESSAGE_BYTES),
    fdCount: 3,
    want: DBUS_ERROR.limitsExceeded,
  },
  { name: 'a signal', message: { type: 'signal' }, fdCount: 2 },
  { name: 'a reply that nobody awaits', message: { type: 'return', replySerial: 77 }, fdCount: 2 },
  {
    name: 'an error that nobody awaits',
    message: { type: 'error', replySerial: 77, errorName: 'x.y' },
    fdCount: 2,
  },
];

test.each(LIVED_THROUGH)('descriptors of $name are closed, and the next call is answered', async (row) => {
  const message = { ...WITH_BYTES, ...row.message };
  const bytes =
    row.body === undefined
      ? encodeMessage(message, 5, row.fdCount)
      : rawMessage(message, 5, row.body, row.fdCount);
  daemon.send(bytes, fds(row.fdCount));
  if (row.want !== undefined) expect(await answer(5)).toBe(row.want);
  await expectWorks();
});

/** Nothing after such bytes can be trusted. */
const ENDS: readonly {
  readonly name: string;
  readonly bytes: () => Uint8Array;
  readonly fdCount: number;
  readonly want: RegExp;
}[] = [
  {
    name: 'fewer descriptors than announced',
    bytes: () => encodeMessage(WITH_BYTES, 5, 3),
    fdCount: 2,
    want: /claims 3 file descriptors where 2 came/,
  },
  {
    name: 'none of those that are announced',
    bytes: () => encodeMessage(WITH_BYTES, 5, 1),
    fdCount: 0,
    want: /claims 1 file descriptors where 0 came/,
  },
  {
    name: 'more descriptors than announced',
    bytes: () => encodeMessage(WITH_BYTES, 5, 1),
    fdCount: 3,
    want: /belong to no message/,
  },
  {
    name: 'descriptors where none are announced',
    bytes: () => encodeMessage({ ...TAKE, member: 'X' }, 5),
    fdCount: 1,
    want: /belong to no message/,
  },
  {
    name: 'a malformed header',
    bytes: () => rawMessage({ ...WITH_BYTES, values: [] }, 5, new Uint8Array(8), 2).fill(0xff, 20, 24),
    fdCount: 2,
    want: /malformed header/,
  },
  {
    name: 'no D-Bus',
    bytes: () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    fdCount: 4,
    want: /unknown byte order/,
  },
];

test.each(ENDS)('$name ends the connection', async ({ bytes, fdCount, want }) => {
  daemon.send(bytes(), fds(fdCount));
  const reason = await bus.closed;
  expect(String((reason?.cause as Error | undefined)?.message)).toMatch(want);
});

test('the bus goes away: before, in and after a message, with its descriptors', async () => {
  const bytes = encodeMessage(WITH_BYTES, 5, 2);
  const sent = fds(2);
  for (const end of [1, 15, 16, 17, 100, bytes.length - 1, bytes.length]) {
    const pair = await SocketBus.start();
    pair.daemon.send(bytes.subarray(0, end), sent);
    pair.daemon.close();
    expect((await pair.bus.closed)?.message).toBe('the bus of this test closed the connection');
  }
});

test('several messages in one read, each with its own descriptors', async () => {
  const sent = fds(1 + 3 + 2);
  const [a = -1, b = -1, , , c = -1] = sent;
  const none = { ...TAKE, member: 'None' };
  const calls = [
    encodeMessage(WITH_BYTES, 11, 1),
    encodeMessage(none, 12),
    encodeMessage(WITH_BYTES, 13, 3),
    encodeMessage(none, 14),
    encodeMessage(WITH_BYTES, 15, 2),
  ];
  daemon.send(Buffer.concat(calls), sent);
  const got = [];
  for (const serial of [11, 13, 15]) got.push(await answer(serial));
  expect(got).toEqual([a, b, c].map((fd) => [`3 bytes, ${pipeOf(fd)}`]));
  expect([await answer(12), await answer(14)]).toEqual([DBUS_ERROR.unknownMethod, DBUS_ERROR.unknownMethod]);
});

test('a call cut at every byte finds its descriptor', async () => {
  const { length } = encodeMessage(WITH_BYTES, 1, 1);
  const [fd = -1] = fds(1);
  for (let cut = 1; cut < length; cut++) {
    const bytes = encodeMessage(WITH_BYTES, cut, 1);
    daemon.send(bytes.subarray(0, cut), [fd]);
    await new Promise((resolve) => setImmediate(resolve));
    daemon.send(bytes.subarray(cut));
    expect([cut, await answer(cut)]).toEqual([cut, [`3 bytes, ${pipeOf(fd)}`]]);
  }
});

test('1 MiB with a descriptor', async () => {
  const [fd = -1] = fds(1);
  const values = [new Uint8Array(MAX_BODY_BYTES).fill(7), 0];
  daemon.send(encodeMessage({ ...WITH_BYTES, values }, 5, 1), [fd]);
  expect(await answer(5)).toEqual([`1048576 bytes, ${pipeOf(fd)}`]);
});
