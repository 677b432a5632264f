import { closeSync } from 'node:fs';
import type { PacketHandle, PacketOptions } from './api/packet';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';
import { awaitCarrier, ifindex, inNetns, ip } from './testing/ip';

const PROTOCOL = 0x88b5; // IEEE 802 local experimental
const ANYTHING = 3; // ETH_P_ALL

interface Frame {
  readonly text: string;
  readonly facts: readonly (number | boolean)[];
}

interface Socket extends PacketHandle {
  readonly frames: Frame[];
  readonly batches: number[];
  readonly errors: string[];
}

let netns = -1;
let index = { left: 0, right: 0 };
const opened: Socket[] = [];

/** Two ends of a veth in a namespace, up and quiet (no IPv6). */
function makeLink(): void {
  netns = native.createNetns();
  ip(
    netns,
    'link add left type veth peer name right',
    'link set left addrgenmode none',
    'link set right addrgenmode none',
    'link set left address 02:00:00:00:00:01 up',
    'link set right address 02:00:00:00:00:02 up',
  );
  awaitCarrier(netns, 'left', 'right');
  index = { left: ifindex(netns, 'left'), right: ifindex(netns, 'right') };
}

checkLeaks(() => {
  for (const socket of opened.splice(0)) socket.close();
  if (netns >= 0) closeSync(netns);
  netns = -1;
});

function open(more: Partial<PacketOptions> = {}): Socket {
  const frames: Frame[] = [];
  const batches: number[] = [];
  const errors: string[] = [];
  const handle = native.runInNetns(netns, () =>
    native.openPacket({
      mode: 'raw',
      protocol: PROTOCOL,
      ifindex: index.right,
      onFrames: (batch) => {
        batches.push(batch.count);
        for (let i = 0; i < batch.count; i++) {
          expect(batch.frame(i)).toEqual(
            batch.buffer.subarray(batch.offset(i), batch.offset(i) + batch.length(i)),
          );
          frames.push({
            text: Buffer.from(batch.frame(i)).toString('latin1'),
            facts: [
              batch.wireLength(i),
              batch.ifindex(i),
              batch.packetType(i),
              batch.protocol(i),
              batch.checksumNotReady(i),
              batch.vlan(i),
            ],
          });
        }
      },
      onError: ({ code, call }) => errors.push(`${code} ${call}`),
      ...more,
    }),
  );
  const socket = { ...handle, frames, batches, errors };
  opened.push(socket);
  return socket;
}

const MAC = {
  left: '020000000001',
  right: '020000000002',
  all: 'ffffffffffff',
  group: '333300000001',
  other: '020000000099',
};

function frame(to: string, payload: string, protocol = PROTOCOL): Uint8Array {
  const header = Buffer.from(to + MAC.left + protocol.toString(16).padStart(4, '0'), 'hex');
  return new Uint8Array(Buffer.concat([header, Buffer.from(payload, 'latin1')]));
}

const payload = ({ text }: Frame): string => text.slice(14);

testInNetns('frames come whole, in order, with their facts', async () => {
  makeLink();
  const right = open();
  const left = open({ ifindex: index.left });
  const sent = [
    frame(MAC.right, 'host'),
    frame(MAC.all, 'broadcast'),
    frame(MAC.group, 'multicast'),
    frame(MAC.other, 'other'),
  ];
  expect(left.send(sent)).toBe(4);
  await until('all came', () => right.frames.length === 4);
  expect(right.frames).toEqual(
    sent.map((bytes, type) => ({
      text: Buffer.from(bytes).toString('latin1'),
      facts: [bytes.length, index.right, type, PROTOCOL, false, -1],
    })),
  );
});

testInNetns(
  'its own sends are seen only by a socket for all protocols that does not ignore them',
  async () => {
    makeLink();
    const deaf = open({ protocol: ANYTHING, ignoreOutgoing: true });
    const hearing = open({ protocol: ANYTHING });
    expect(deaf.send([frame(MAC.left, 'out')])).toBe(1);
    expect(hearing.send([frame(MAC.left, 'own')])).toBe(1);
    const left = open({ ifindex: index.left });
    left.send([frame(MAC.right, 'in')]);
    await until('in came', () => deaf.frames.length > 0 && hearing.frames.length > 1);
    expect(hearing.frames.map(({ facts }) => facts[2])).toEqual([4, 0]);
    expect(deaf.frames.map(payload)).toEqual(['in']);
  },
);

testInNetns('one that waits reports nothing until its time has passed, and then all that came', async () => {
  makeLink();
  const [right, witness] = [open(), open()];
  const left = open({ ifindex: index.left });
  const texts = Array.from({ length: 70 }, (_, i) => `number ${i}`);
  right.wait(3_600_000);
  left.send(texts.map((text) => frame(MAC.right, text)));
  await until('another heard it', () => witness.frames.length === 70);
  expect(right.frames).toEqual([]);
  right.wait(1);
  await until('came', () => right.frames.length === 70);
  expect([right.frames.map(payload), right.batches]).toEqual([texts, [64, 6]]);
  left.send([frame(MAC.right, 'more')]);
  await until('more came', () => right.frames.length === 71);
  right.wait(3_600_000);
  right.close();
  expect(
    codeOf(() => {
      right.wait(1);
    }),
  ).toBe('EBADF');
});

testInNetns('200 frames come in few batches of at most 64', async () => {
  makeLink();
  const right = open();
  const left = open({ ifindex: index.left });
  const sent = Array.from({ length: 200 }, (_, i) => frame(MAC.right, `number ${i}`));
  expect(left.send(sent)).toBe(200);
  await until('all came', () => right.frames.length === 200);
  expect(right.frames.map(payload)).toEqual(sent.map((_, i) => `number ${i}`));
  expect(right.batches).toEqual([64, 64, 64, 8]);
});

testInNetns('a frame longer than frameBytes is cut, and its length told', async () => {
  makeLink();
  const right = open({ frameBytes: 100 });
  open({ ifindex: index.left }).send([frame(MAC.right, 'x'.repeat(500)), frame(MAC.right, 'short')]);
  await until('both came', () => right.frames.length === 2);
  expect(right.frames.map(({ text, facts }) => [text.length, facts[0]])).toEqual([
    [100, 514],
    [19, 19],
  ]);
});

testInNetns('the filter decides in the kernel', async () => {
  makeLink();
  const right = open({
    filter: [
      { code: 0x30, jt: 0, jf: 0, k: 14 }, // A = first byte of the payload
      { code: 0x15, jt: 0, jf: 1, k: 'y'.charCodeAt(0) },
      { code: 0x06, jt: 0, jf: 0, k: 0xffffffff },
      { code: 0x06, jt: 0, jf: 0, k: 0 },
    ],
  });
  open({ ifindex: index.left }).send(['no', 'yes', 'not', 'yes!'].map((text) => frame(MAC.right, text)));
  await until('all came', () => right.frames.length === 2);
  expect(right.frames.map(payload)).toEqual(['yes', 'yes!']);
  expect(right.statistics()).toEqual({ packets: 2, drops: 0 });
  expect(right.statistics()).toEqual({ packets: 0, drops: 0 });
});

testInNetns('mode datagram: without link header in, with destination out', async () => {
  makeLink();
  const right = open({ mode: 'datagram' });
  const left = open({ mode: 'datagram', ifindex: index.left });
  expect(
    left.send([new Uint8Array(Buffer.from('bare'))], 0, new Uint8Array(Buffer.from(MAC.right, 'hex'))),
  ).toBe(1);
  await until('came', () => right.frames.length === 1);
  expect(right.frames).toEqual([{ text: 'bare', facts: [4, index.right, 0, PROTOCOL, false, -1] }]);
});

testInNetns('one socket for all interfaces; sends name theirs', async () => {
  makeLink();
  const all = open({ ifindex: 0 });
  expect(all.send([frame(MAC.right, 'from left')], index.left)).toBe(1);
  await until('came', () => all.frames.length === 1);
  expect(all.frames[0]?.facts[1]).toBe(index.right);
  expect(codeOf(() => all.send([frame(MAC.right, 'nowhere')]))).toBe('ENXIO');
});

testInNetns('a checksum that is left to the card is told', async () => {
  makeLink();
  ip(netns, 'addr add 10.9.9.1/24 dev left', 'neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev left');
  const right = open({ protocol: 0x0800 });
  const udp = native.runInNetns(netns, () =>
    native.openUdp({
      family: 'ipv4',
      address: '10.9.9.1',
      port: 0,
      onDatagrams: () => undefined,
      onError: () => undefined,
    }),
  );
  udp.send(new Uint8Array(Buffer.from('hello')), '10.9.9.2', 9);
  await until('came', () => right.frames.length === 1);
  expect(right.frames[0]?.facts).toEqual([14 + 28 + 5, index.right, 0, 0x0800, true, -1]);
  udp.close();
});

testInNetns('a VLAN tag is told apart from the frame', async () => {
  makeLink();
  const right = open({ protocol: ANYTHING, ignoreOutgoing: true });
  const tagged = Buffer.concat([
    Buffer.from(`${MAC.right}${MAC.left}8100a005`, 'hex'),
    Buffer.from('88b5', 'hex'),
    Buffer.from('tagged'),
  ]);
  open({ ifindex: index.left, protocol: ANYTHING }).send([new Uint8Array(tagged)]);
  await until('came', () => right.frames.length === 1);
  expect(right.frames[0]?.facts[5]).toBe(0xa005);
  expect(right.frames.map(payload)).toEqual(['tagged']);
});

testInNetns('an interface that goes down is told, and heard again when it is up', async () => {
  makeLink();
  const right = open();
  ip(netns, 'link set right down');
  await until('told', () => right.errors.length > 0);
  expect(right.errors).toEqual(['ENETDOWN recvmmsg packets']);
  const left = open({ ifindex: index.left });
  ip(netns, 'link set right up');
  await until('heard', () => {
    left.send([frame(MAC.right, 'again')]);
    return right.frames.length > 0;
  });
  expect(right.errors).toHaveLength(1);
});

testInNetns('a frame is borrowed: the next batch overwrites it', async () => {
  makeLink();
  let kept: Uint8Array | undefined;
  let calls = 0;
  open({
    onFrames: (batch) => {
      kept ??= batch.frame(0);
      calls++;
      expect(() => batch.length(batch.count)).toThrow(RangeError);
    },
  });
  const left = open({ ifindex: index.left });
  left.send([frame(MAC.right, 'first')]);
  await until('first', () => calls === 1);
  left.send([frame(MAC.right, 'again')]);
  await until('second', () => calls === 2);
  expect(Buffer.from(kept ?? []).toString('latin1')).toContain('again');
});

testInNetns('allMulti counts by socket and goes with it', () => {
  makeLink();
  const right = open();
  const counted = (): number =>
    Number(/ allmulti (\d+) /.exec(inNetns(netns, ['ip', '-d', 'link', 'show', 'dev', 'right']))?.[1]);
  right.allMulti(index.right, true);
  open().allMulti(index.right, true);
  expect(counted()).toBe(2);
  right.allMulti(index.right, false);
  expect(counted()).toBe(1);
  opened.pop()?.close();
  expect(counted()).toBe(0);
  expect(
    codeOf(() => {
      right.allMulti(9999, true);
    }),
  ).toBe('ENODEV');
});

testInNetns('errors by name', () => {
  makeLink();
  const options = {
    mode: 'raw',
    protocol: PROTOCOL,
    ifindex: index.right,
    onFrames: () => undefined,
    onError: () => undefined,
  } as const;
  const opening = (more: Partial<PacketOptions>): string =>
    codeOf(() => native.runInNetns(netns, () => native.openPacket({ ...options, ...more })));
  expect(opening({ ifindex: 9999 })).toBe('ENODEV');
  expect(opening({ filter: [{ code: 0xffff, jt: 0, jf: 0, k: 0 }] })).toBe('EINVAL');
  const drop = { code: 6, jt: 0, jf: 0, k: 0 };
  expect(opening({ filter: Array<typeof drop>(65_537).fill(drop) })).toBe('EINVAL');
  expect(() => opening({ protocol: 0x1_0806 })).toThrow('protocol: must be a whole number from 0 to 65535');
  expect(() => opening({ batch: 65 })).toThrow('1 to 64 frames that fit in 1 MiB');
  expect(() => opening({ batch: 0 })).toThrow('1 to 64 frames that fit in 1 MiB');
  expect(() => opening({ frameBytes: 65_536 })).toThrow('1 to 64 frames that fit in 1 MiB');
  expect(() => opening({ frameBytes: -1 })).toThrow('1 to 64 frames that fit in 1 MiB');
  const socket = open();
  expect(codeOf(() => socket.send([frame(MAC.right, 'x'.repeat(3000))]))).toBe('EMSGSIZE');
  expect(codeOf(() => socket.send([frame(MAC.right, '')], 0, new Uint8Array(20)))).toBe('EINVAL');
  expect(() => socket.send(['frame' as never])).toThrow('frame: must be a Uint8Array');
  expect(socket.send([])).toBe(0);
  socket.close();
  expect(codeOf(() => socket.send([frame(MAC.right, '')]))).toBe('EBADF');
});
