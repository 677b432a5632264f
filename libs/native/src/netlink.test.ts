import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { NetlinkHandle, NetlinkOptions } from './api/netlink';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';
import {
  attribute,
  IFLA,
  linkRequest,
  type Message,
  messages,
  newVeth,
  NLM,
  NLMSG,
  RTM,
  u32,
} from './testing/rtnetlink';

const GROUP = 7;
const RTNLGRP_LINK = 1;
const NLM_F_ACK_TLVS = 0x200;

interface Socket extends NetlinkHandle {
  readonly received: Message[];
  readonly sizes: number[];
  readonly errors: string[];
}

let netns = -1;
const opened: Socket[] = [];

checkLeaks(() => {
  for (const socket of opened.splice(0)) socket.close();
  if (netns >= 0) closeSync(netns);
  netns = -1;
});

/** A socket in this test's own namespace. */
function open(more: Partial<NetlinkOptions> = {}): Socket {
  const received: Message[] = [];
  const sizes: number[] = [];
  const errors: string[] = [];
  if (netns < 0) netns = native.createNetns();
  const handle = native.runInNetns(netns, () =>
    native.openNetlink({
      family: 'route',
      onDatagrams: (datagrams) => {
        sizes.push(datagrams.length);
        received.push(...messages(datagrams));
      },
      onError: ({ code, call }) => errors.push(`${code} ${call}`),
      ...more,
    }),
  );
  const socket = { ...handle, received, sizes, errors };
  opened.push(socket);
  return socket;
}

async function answer(socket: Socket, sequence: number): Promise<Message> {
  const find = (): Message | undefined =>
    socket.received.find((each) => each.sequence === sequence && each.type <= NLMSG.done);
  await until(`answer ${sequence}`, () => find() !== undefined);
  return find() as Message;
}

async function makeVeths(socket: Socket, count: number): Promise<void> {
  for (let i = 0; i < count; i++) socket.send(newVeth(`t${i}`, 1000 + i, GROUP));
  expect((await answer(socket, 1000 + count - 1)).errno).toBe(0);
}

const deleteGroup = (sequence: number): Uint8Array =>
  linkRequest(RTM.delLink, NLM.ack, sequence, [attribute(IFLA.group, u32(GROUP))]);

/** Runs `ip` in the namespace while this process stands still. */
function ipBatch(lines: string): void {
  const { status, stderr } = spawnSync('nsenter', ['--net=/proc/self/fd/3', 'ip', '-batch', '-'], {
    input: lines,
    stdio: ['pipe', 'pipe', 'pipe', netns],
  });
  expect([status, stderr.toString()]).toEqual([0, '']);
}

testInNetns('a dump comes from the namespace that the socket was opened in', async () => {
  const socket = open();
  socket.send(linkRequest(RTM.getLink, NLM.dump, 5));
  await answer(socket, 5);
  expect(socket.received.map(({ type, sequence }) => [type, sequence])).toEqual([
    [RTM.newLink, 5],
    [NLMSG.done, 5],
  ]);
  expect(socket.portId).toBeGreaterThan(0);
});

testInNetns('refusals carry an extended ack, without the request', async () => {
  const socket = open();
  socket.send(
    linkRequest(RTM.newLink, NLM.ack | NLM.create, 6, [attribute(IFLA.ifname, new Uint8Array(64))]),
  );
  const refusal = await answer(socket, 6);
  expect([native.errnoName(refusal.errno), refusal.flags & NLM_F_ACK_TLVS]).toEqual([
    'ERANGE',
    NLM_F_ACK_TLVS,
  ]);
  socket.send(linkRequest(RTM.delLink, NLM.ack, 7, [], 9999));
  expect(native.errnoName((await answer(socket, 7)).errno)).toBe('ENODEV');
});

testInNetns('dumps are checked strictly', async () => {
  const socket = open();
  const request = linkRequest(RTM.getLink, NLM.dump, 8);
  request[16 + 2] = 1; // ifi_type, which is no filter
  socket.send(request);
  expect(native.errnoName((await answer(socket, 8)).errno)).toBe('EINVAL');
});

testInNetns('requests keep their order, and their bytes may change after send', async () => {
  const socket = open({ receiveBufferBytes: 4 << 20 }); // for all acks at once
  const request = linkRequest(RTM.delLink, NLM.ack, 0, [], 9999);
  const sequences = Array.from({ length: 300 }, (_, i) => i + 1);
  for (const sequence of sequences) {
    new DataView(request.buffer).setUint32(8, sequence, true);
    socket.send(request);
  }
  await answer(socket, 300);
  expect(socket.received.map(({ sequence }) => sequence)).toEqual(sequences);
});

testInNetns('what the caller sends itself is answered from the loop, and takes time', async () => {
  const socket = open();
  const took = socket.sendHere(linkRequest(RTM.delLink, NLM.ack, 6, [], 9999));
  expect(took).toBeGreaterThan(0);
  expect(socket.received).toEqual([]);
  expect(native.errnoName((await answer(socket, 6)).errno)).toBe('ENODEV');
});

testInNetns('what the caller sends itself stays behind what was sent before', async () => {
  const socket = open();
  await makeVeths(socket, 100);
  const refused = (sequence: number): Uint8Array => linkRequest(RTM.delLink, NLM.ack, sequence, [], 9999);
  socket.send(deleteGroup(9)); // takes long
  for (let sequence = 10; sequence < 60; sequence++) socket.send(refused(sequence));
  socket.sendHere(refused(60));
  await answer(socket, 60);
  const order = socket.received.map(({ sequence }) => sequence).filter((each) => each >= 9 && each <= 60);
  expect(order).toEqual(Array.from({ length: 52 }, (_, i) => 9 + i));
  await until('the thread has nothing left', () => socket.sendHere(refused(61)) > 0);
});

testInNetns('the event loop turns while the kernel works on a request', async () => {
  const socket = open();
  await makeVeths(socket, 100);
  socket.send(deleteGroup(9));
  let turns = 0;
  while (!socket.received.some(({ sequence }) => sequence === 9)) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect((await answer(socket, 9)).errno).toBe(0);
  // If send() waited, the answer would be there on the first turns.
  expect(turns).toBeGreaterThan(10);
});

testInNetns(
  'close does not wait for a request that the kernel works on, and queued ones are dropped',
  async () => {
    const socket = open();
    const witness = open();
    await makeVeths(socket, 100);
    socket.send(deleteGroup(9));
    for (let i = 0; i < 50; i++) socket.send(newVeth(`late${i}`, 2000 + i, GROUP));
    socket.close();
    socket.close();
    expect(
      codeOf(() => {
        socket.send(deleteGroup(10));
      }),
    ).toBe('EBADF');
    expect(codeOf(() => socket.sendHere(deleteGroup(10)))).toBe('EBADF');
    expect(socket.received.some(({ sequence }) => sequence >= 9 && sequence < 1000)).toBe(false);
    // The one under way, if it was begun, still happens; the late ones never.
    witness.send(linkRequest(RTM.getLink, NLM.dump, 11));
    await answer(witness, 11);
    const names = witness.received.map(({ body }) => Buffer.from(body).toString('latin1'));
    expect(names.filter((name) => name.includes('late'))).toEqual([]);
  },
);

testInNetns('a dump of many parts', async () => {
  const socket = open();
  await makeVeths(socket, 60);
  socket.send(linkRequest(RTM.getLink, NLM.dump, 12));
  await answer(socket, 12);
  expect(
    socket.received.filter(({ sequence, type }) => sequence === 12 && type === RTM.newLink),
  ).toHaveLength(121);
});

testInNetns('datagrams that wait come in one call, whole and in order', async () => {
  const socket = open();
  socket.join(RTNLGRP_LINK);
  ipBatch(Array.from({ length: 20 }, (_, i) => `link add v${i} type veth\n`).join('')); // nobody reads meanwhile
  await until('news', () => socket.received.length >= 40);
  expect(socket.sizes).toHaveLength(1);
  expect(socket.received.every(({ type }) => type === RTM.newLink)).toBe(true);
});

testInNetns('a filter keeps what it gives 0 for', async () => {
  const ldH = 0x28;
  const jeq = 0x15;
  const ret = 0x06;
  const delLinkOnly = [
    { code: ldH, jt: 0, jf: 0, k: 4 }, // nlmsg_type, seen in the network's order
    { code: jeq, jt: 0, jf: 1, k: RTM.delLink << 8 },
    { code: ret, jt: 0, jf: 0, k: 0xffff },
    { code: ret, jt: 0, jf: 0, k: 0 },
  ];
  const monitor = open({ filter: delLinkOnly });
  const actor = open();
  monitor.join(RTNLGRP_LINK);
  await makeVeths(actor, 1);
  actor.send(deleteGroup(9));
  await answer(actor, 9);
  await until('news', () => monitor.received.length >= 2);
  expect(monitor.received.map(({ type }) => type)).toEqual([RTM.delLink, RTM.delLink]);
  expect(codeOf(() => open({ filter: [{ code: 0xffff, jt: 0, jf: 0, k: 0 }] }))).toBe('EINVAL');
});

testInNetns('groups are joined and left', async () => {
  const monitor = open();
  const actor = open();
  const news = (): number => monitor.received.filter(({ type }) => type === RTM.newLink).length;
  monitor.join(RTNLGRP_LINK);
  await makeVeths(actor, 1);
  await until('news', () => news() >= 2);
  monitor.leave(RTNLGRP_LINK);
  const before = news();
  actor.send(newVeth('other', 13, GROUP));
  await answer(actor, 13);
  monitor.send(linkRequest(RTM.delLink, NLM.ack, 14, [], 9999)); // comes after what the group might have had
  await answer(monitor, 14);
  expect(news()).toBe(before);
  expect(
    codeOf(() => {
      monitor.join(100_000);
    }),
  ).toBe('EINVAL');
});

testInNetns('ENOBUFS is told, and the socket lives on', async () => {
  const monitor = open({ receiveBufferBytes: 4096 });
  monitor.join(RTNLGRP_LINK);
  ipBatch(Array.from({ length: 20 }, (_, i) => `link add v${i} type veth\n`).join(''));
  await until('told', () => monitor.errors.length > 0);
  expect(monitor.errors).toEqual(['ENOBUFS recvmsg netlink']);
  const before = monitor.received.length;
  ipBatch('link add last type veth\n');
  await until('news', () => monitor.received.length > before);
  expect(monitor.errors).toHaveLength(1);
});

for (const send of ['send', 'sendHere'] as const) {
  testInNetns(`a failure of ${send} itself goes to onError`, async () => {
    const socket = open();
    socket[send](new Uint8Array(40 << 20));
    expect(socket.errors).toEqual([]);
    await until('told', () => socket.errors.length > 0);
    expect(socket.errors).toEqual(['EMSGSIZE send netlink']);
    socket.send(linkRequest(RTM.getLink, NLM.dump, 15));
    await answer(socket, 15);
  });
}

const python = spawnSync('python3', ['--version']).status === 0;

testInNetns(
  `datagrams of other processes are dropped${python ? '' : ' (empty: no python3 to send one)'}`,
  async () => {
    if (!python) return;
    const socket = open();
    const program = 'import socket,sys; s=socket.socket(16,3,0); s.sendto(b"x"*64,(int(sys.argv[1]),0))';
    const sent = spawnSync(
      'nsenter',
      ['--net=/proc/self/fd/3', 'python3', '-c', program, String(socket.portId)],
      {
        stdio: ['ignore', 'pipe', 'pipe', netns],
      },
    );
    expect([sent.status, sent.stderr.toString()]).toEqual([0, '']);
    socket.send(linkRequest(RTM.getLink, NLM.dump, 17));
    await answer(socket, 17);
    expect(socket.received.map(({ type }) => type)).toEqual([RTM.newLink, NLMSG.done]);
  },
);

testInNetns('netfilter answers too', async () => {
  const socket = open({ family: 'netfilter' });
  const request = linkRequest(0x0a10, NLM.ack, 18).subarray(0, 20); // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
  new DataView(request.buffer).setUint32(0, 20, true);
  socket.send(request);
  await until('answer', () => socket.received.some(({ sequence }) => sequence === 18));
  expect(socket.received[0]?.type).toBe(0x0a0f); // NFT_MSG_NEWGEN
});

testInNetns(
  'the answer to what was sent from here is told before what came to others before it',
  async () => {
    const order: string[] = [];
    const [read, write] = native.pipe();
    const watch = native.watchFd(read, () => {
      order.push('news');
      watch.close();
    });
    const socket = open({ onDatagrams: () => order.push('answer') });
    native.closeFd(write); // a hang-up
    socket.sendHere(linkRequest(RTM.getLink, NLM.ack, 5, [], 1));
    await until('both are told', () => order.length === 2);
    native.closeFd(read);
    expect(order).toEqual(['answer', 'news']);
  },
);
