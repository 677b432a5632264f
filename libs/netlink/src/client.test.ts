/** What the client makes of every kind of answer, on a socket whose kernel is a script. */
import { KernelError } from '@pp/base';
import { NativeError } from '@pp/native';
import { NetlinkClient } from './client';
import { MalformedError } from './codec/malformed';
import type { NetlinkMessage } from './codec/message';
import { decodeMessages, NLM_F_ACK, NLM_F_DUMP_INTR } from './codec/message';
import { readU8 } from './codec/numbers';
import type { NetlinkRequest, Query } from './request';
import type { NetlinkSocket } from './socket';
import { ack, done, part, refusalOf, scripted } from './testing';
import type { Script } from './testing';

const ASK = 18;
const TOLD = 16;
const EBUSY = 16; // linux/errno-base.h

/** A request of one byte, for an object of one byte. */
const ask = (byte: number, more: Partial<Query<number>> = {}): Query<number> => ({
  label: () => `ask ${byte}`,
  type: ASK,
  flags: 0,
  body: Uint8Array.of(byte),
  decode: ({ type, body }) => (type === TOLD ? readU8(body, 0) : null),
  ...more,
});
const tell = (request: NetlinkMessage, byte: number, flags = 0): Uint8Array =>
  part(request, TOLD, Uint8Array.of(byte), flags);

/** Odd bytes are refused, even ones told and acked. */
const oddRefused: Script = (request) => {
  const byte = readU8(request.body, 0);
  return byte % 2 === 1 ? [refusalOf(request, 19, { text: 'odd' })] : [tell(request, byte), ack(request)];
};

const connect = (
  script: Script,
): { client: NetlinkClient; sockets: ReturnType<typeof scripted>['sockets'] } => {
  const { open, sockets } = scripted(script);
  return { client: new NetlinkClient(open), sockets };
};

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const kernelError = (code: KernelError['code'], request: string, detail = ''): KernelError =>
  new KernelError(code, request, detail);

test('an object', async () => {
  expect(await connect(oddRefused).client.get(ask(4))).toBe(4);
});

test('a refusal has the code, the label and the text of the kernel', async () => {
  const error = await outcome(connect(oddRefused).client.get(ask(3)));
  expect(error).toEqual(kernelError('ENODEV', 'ask 3', 'odd'));
  expect((error as Error).message).toBe('ask 3: ENODEV (odd)');
});

test('an ack without an object is ENOENT', async () => {
  const { client } = connect((request) => [ack(request)]);
  expect(await outcome(client.get(ask(4)))).toEqual(kernelError('ENOENT', 'ask 4'));
});

test('a better label from the byte to blame', async () => {
  const { client } = connect((request) => [refusalOf(request, 17, { offset: 20 })]);
  const blame = (offset: number): string => `byte ${offset}`;
  expect(await outcome(client.request(ask(4, { blame })))).toEqual(kernelError('EEXIST', 'byte 20'));
});

test('a batch is one datagram, and goes on after a refusal', async () => {
  const { client, sockets } = connect(oddRefused);
  const results = await client.requestMany([ask(2), ask(3), ask(4)]);
  expect(results.map((result) => (result instanceof KernelError ? result.message : result.length))).toEqual([
    1,
    'ask 3: ENODEV (odd)',
    1,
  ]);
  expect(sockets[0]?.sent.map((datagram) => decodeMessages(datagram).length)).toEqual([3]);
});

test('a long batch is several datagrams of at most 64 messages and 16 KiB', async () => {
  const { client, sockets } = connect((request) => [ack(request)]);
  const large: NetlinkRequest = { label: () => 'large', type: ASK, flags: 0, body: new Uint8Array(10_000) };
  await client.requestMany([...Array.from({ length: 100 }, () => ask(2)), large, large]);
  expect(sockets[0]?.sent.map((datagram) => decodeMessages(datagram).length)).toEqual([64, 37, 1]);
});

test('an empty batch sends nothing', async () => {
  const { client, sockets } = connect(oddRefused);
  expect(await client.requestMany([])).toEqual([]);
  expect(sockets[0]?.sent).toEqual([]);
});

test('a dump of several parts', async () => {
  const { client } = connect((request) => [
    tell(request, 1),
    Uint8Array.of(...tell(request, 2), ...tell(request, 3)),
    done(request),
  ]);
  expect(await client.dump(ask(0))).toEqual([1, 2, 3]);
});

test.each([
  { name: 'as many as are read', count: 3, want: [1, 2, 3] },
  { name: 'more: only what is wanted even then', count: 4, want: [2, 4] },
])('a dump of $name', async ({ count, want }) => {
  const { client } = connect((request) => [
    ...Array.from({ length: count }, (_, i) => tell(request, i + 1)),
    done(request),
  ]);
  const isWanted = ({ body }: NetlinkMessage): boolean => readU8(body, 0) % 2 === 0;
  expect(await client.dump(ask(0, { crowd: { above: 3, isWanted } }))).toEqual(want);
});

test('a refused dump', async () => {
  const { client } = connect((request) => [refusalOf(request, 1)]);
  expect(await outcome(client.dump(ask(0)))).toEqual(kernelError('EPERM', 'ask 0'));
});

test('a dump that the tables changed under is repeated', async () => {
  let dumps = 0;
  const { client } = connect((request) => [
    tell(request, (dumps += 1), dumps < 3 ? NLM_F_DUMP_INTR : 0),
    done(request),
  ]);
  expect(await client.dump(ask(0))).toEqual([3]);
});

test('the flag on the end of the dump counts too', async () => {
  let dumps = 0;
  const { client } = connect((request) => [
    tell(request, (dumps += 1)),
    done(request, dumps < 2 ? NLM_F_DUMP_INTR : 0),
  ]);
  expect(await client.dump(ask(0))).toEqual([2]);
});

test('a dump that never settles is given up', async () => {
  const { client, sockets } = connect((request) => [done(request, NLM_F_DUMP_INTR)]);
  expect(await outcome(client.dump(ask(0)))).toEqual(
    kernelError('EINTR', 'ask 0', 'the tables kept changing during the dump'),
  );
  expect(sockets[0]?.sent.length).toBe(8);
});

test('dumps and requests at once do not mix', async () => {
  const { client } = connect((request) =>
    (request.flags & NLM_F_ACK) !== 0
      ? oddRefused(request)
      : [tell(request, readU8(request.body, 0)), done(request)],
  );
  const all = [
    client.dump(ask(10)),
    client.get(ask(4)),
    client.dump(ask(20)),
    outcome(client.get(ask(5))),
    client.get(ask(6)),
  ];
  expect(await Promise.all(all)).toEqual([[10], 4, [20], kernelError('ENODEV', 'ask 5', 'odd'), 6]);
});

test('answers to nobody are ignored', async () => {
  const { client, sockets } = connect(oddRefused);
  const answer = client.get(ask(4));
  sockets[0]?.deliver(tell({ type: 0, flags: 0, seq: 999, body: new Uint8Array(0) }, 9));
  expect(await answer).toBe(4);
  sockets[0]?.deliver(tell({ type: 0, flags: 0, seq: 1, body: new Uint8Array(0) }, 9));
  expect(await client.get(ask(6))).toBe(6);
});

const FRAME: NetlinkRequest = {
  label: () => 'all of it',
  type: 16,
  flags: 0,
  body: new Uint8Array(4),
  silent: true,
};
const framed =
  (element: Script): Script =>
  (request) =>
    request.type === FRAME.type ? [] : element(request);
const transactions: readonly { name: string; script: Script; sent: readonly number[]; want: unknown }[] = [
  { name: 'taken', script: framed((request) => [ack(request)]), sent: [4], want: undefined },
  {
    name: 'taken, all but the last silent',
    script: framed((request) => ((request.flags & NLM_F_ACK) === 0 ? [] : [ack(request)])),
    sent: [4],
    want: undefined,
  },
  {
    name: 'one refused, the others acked',
    script: framed(oddRefused),
    sent: [4],
    want: kernelError('ENODEV', 'ask 3', 'odd'),
  },
  {
    name: 'refused as a whole, nothing acked',
    script: (request) => (request.type === FRAME.type ? [refusalOf(request, 1)] : []),
    sent: [4, 1],
    want: kernelError('EPERM', 'all of it'),
  },
  {
    name: 'refused as a whole at its commit, all acked',
    script: (request) => [request.type === FRAME.type ? refusalOf(request, 28) : ack(request)],
    sent: [4, 1],
    want: kernelError('ENOSPC', 'all of it'),
  },
];

test.each(transactions)('transaction: $name', async ({ script, sent, want }) => {
  const { client, sockets } = connect(script);
  expect(await outcome(client.transaction([FRAME, ask(2), ask(3), FRAME]))).toEqual(want);
  expect(sockets[0]?.sent.map((datagram) => decodeMessages(datagram).length)).toEqual(sent);
});

test('a transaction of nothing but its frame', async () => {
  expect(await outcome(connect(() => []).client.transaction([FRAME, FRAME]))).toBeUndefined();
});

describe('answers lost (ENOBUFS)', () => {
  test('those of a batch that did not come are errors, the others stay', async () => {
    const { client, sockets } = connect((request) =>
      readU8(request.body, 0) === 4 ? [] : oddRefused(request),
    );
    const results = client.requestMany([ask(2), ask(4), ask(5)]);
    await Promise.resolve();
    sockets[0]?.fail('ENOBUFS');
    expect(
      (await results).map((result) => (result instanceof KernelError ? result.message : result.length)),
    ).toEqual([1, 'ask 4: ENOBUFS (the answer was lost)', 'ask 5: ENODEV (odd)']);
  });

  test('a transaction that was not acked may have happened', async () => {
    const { client, sockets } = connect(() => []);
    const answer = outcome(client.transaction([FRAME, ask(2), FRAME]));
    sockets[0]?.fail('ENOBUFS');
    expect(await answer).toEqual(kernelError('ENOBUFS', 'all of it', 'the answer was lost'));
  });

  test('a dump is repeated', async () => {
    let dumps = 0;
    const { client, sockets } = connect((request) => [tell(request, (dumps += 1)), done(request)]);
    const answer = client.dump(ask(0));
    sockets[0]?.fail('ENOBUFS');
    expect(await answer).toEqual([2]);
  });

  test('a dump that still runs keeps the next one waiting (EBUSY)', async () => {
    let dumps = 0;
    const { client } = connect((request) =>
      (dumps += 1) < 3 ? [refusalOf(request, EBUSY)] : [tell(request, dumps), done(request)],
    );
    expect(await client.dump(ask(0))).toEqual([3]);
  });

  test('a dump that is kept waiting for ever is given up', async () => {
    const { client } = connect((request) => [refusalOf(request, EBUSY)]);
    expect(await outcome(client.dump(ask(0)))).toEqual(
      kernelError('EBUSY', 'ask 0', 'another dump on this socket does not end'),
    );
  });

  test('again and again: given up', async () => {
    const { client, sockets } = connect(oddRefused);
    const answer = outcome(client.get(ask(4)));
    for (let time = 0; time < 9; time += 1) sockets[0]?.fail('ENOBUFS');
    expect(await answer).toEqual(kernelError('ENOBUFS', 'ask 4', 'answers were lost again and again'));
    expect(await client.get(ask(6))).toBe(6);
  });

  test('with nobody waiting nothing happens', async () => {
    const { client, sockets } = connect(oddRefused);
    sockets[0]?.fail('ENOBUFS');
    expect(sockets[0]?.sent).toEqual([]);
    expect(await client.get(ask(6))).toBe(6);
  });
});

describe('the kernel’s race at the end of a dump (EINVAL)', () => {
  test('the dump is repeated', async () => {
    const { client, sockets } = connect((request) => [tell(request, 1), done(request)]);
    const answer = client.dump(ask(0));
    sockets[0]?.fail('EINVAL');
    expect(await answer).toEqual([1]);
    expect(sockets[0]?.sent.length).toBe(2);
  });

  test('that comes late does not harm the next request', async () => {
    const { client, sockets } = connect(oddRefused);
    const answer = client.get(ask(4));
    sockets[0]?.fail('EINVAL');
    expect(await answer).toBe(4);
  });
});

test('a socket that fails fails the request, and serves the next', async () => {
  const { client, sockets } = connect(oddRefused);
  const all = [outcome(client.get(ask(4))), client.get(ask(6))];
  sockets[0]?.fail('EPERM');
  expect(await Promise.all(all)).toEqual([kernelError('EPERM', 'ask 4', 'recv: EPERM'), 6]);
});

test('a socket that cannot send fails the request, and serves the next', async () => {
  const { client, sockets } = connect(oddRefused);
  jest.spyOn(sockets[0] as NetlinkSocket, 'send').mockImplementationOnce(() => {
    throw new NativeError('EBADF', 'send');
  });
  const all = [outcome(client.get(ask(4))), client.get(ask(6))];
  expect(await Promise.all(all)).toEqual([kernelError('EBADF', 'ask 4', 'send: EBADF'), 6]);
});

test('bytes that are no netlink fail the request', async () => {
  const { client, sockets } = connect(() => []);
  const answer = outcome(client.dump(ask(4)));
  sockets[0]?.deliver(new Uint8Array(3));
  expect(await answer).toEqual(kernelError('EBADMSG', 'ask 4', '3 bytes after the last message'));
});

test('an object that cannot be decoded fails the request', async () => {
  const { client } = connect((request) => [part(request, TOLD, Uint8Array.of(7)), ack(request)]);
  const decode = (): never => {
    throw new MalformedError('no seven');
  };
  const error = await outcome(client.get(ask(4, { decode })));
  expect([error, (error as Error).cause]).toEqual([
    kernelError('EBADMSG', 'ask 4', 'no seven'),
    new MalformedError('no seven'),
  ]);
});

test('close tells whoever waits, and whoever comes later', async () => {
  const { client } = connect(() => []);
  const waiting = [outcome(client.dump(ask(1))), outcome(client.get(ask(2)))];
  client.close();
  client.close();
  const want = [1, 2, 3].map((byte) => kernelError('ECANCELED', `ask ${byte}`, 'netlink socket closed'));
  expect(await Promise.all([...waiting, outcome(client.get(ask(3)))])).toEqual(want);
});
