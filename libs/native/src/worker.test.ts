import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { cpus } from 'node:os';
import type { NetlinkWorkerHandle, WorkerStep } from './api/netlink';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';
import { inNetns } from './testing/ip';
import { attribute, IFLA, linkRequest, messages, newVeth, NLM, NLMSG, RTM } from './testing/rtnetlink';

let netns = -1;

checkLeaks(() => {
  closeSync(netns);
});
beforeEach(() => {
  netns = native.createNetns();
});

interface Told {
  /** Sequence number, type and errno of each answer. */
  readonly answers: readonly (readonly [number, number, number])[];
  readonly flags: readonly number[];
  readonly done: number;
  readonly fault: string | undefined;
}

/** A worker in a namespace of its own, as long as `act` takes. */
async function withWorker<T>(
  act: (run: NetlinkWorkerHandle['run'], told: readonly Told[], worker: NetlinkWorkerHandle) => Promise<T>,
): Promise<T> {
  const told: Told[] = [];
  const worker = native.runInNetns(netns, () =>
    native.openNetlinkWorker({
      onDone: (bytes, done, fault) => {
        const all = messages(bytes);
        told.push({
          answers: all.map(({ sequence, type, errno }) => [sequence, type, errno]),
          flags: all.map(({ flags }) => flags),
          done,
          fault: fault === undefined ? undefined : `${fault.code} ${fault.call}`,
        });
      },
    }),
  );
  try {
    return await act(
      (...job) => {
        worker.run(...job);
      },
      told,
      worker,
    );
  } finally {
    worker.close();
  }
}

const doJob = (steps: readonly WorkerStep[]): Promise<Told> =>
  withWorker(async (run, told) => {
    run(steps);
    await until('the job is done', () => told.length > 0);
    return told[0] as Told;
  });

const home = (datagram: Uint8Array): WorkerStep => ({ datagram, netnsFd: null });
const lookAt = (ifindex: number, sequence: number): Uint8Array =>
  linkRequest(RTM.getLink, NLM.ack, sequence, [], ifindex);
const noDevice = (sequence: number): Uint8Array => linkRequest(RTM.delLink, NLM.ack, sequence, [], 9999);
const linksIn = (fd: number): readonly string[] =>
  native.runInNetns(fd, () => readdirSync('/proc/thread-self/net/dev_snmp6'));

testInNetns('datagrams and files in order, each counting on what was before it', async () => {
  const there = native.createNetns();
  const key = 'net.ipv4.conf.here0.forwarding';
  const file = `/proc/sys/${key.replaceAll('.', '/')}`;
  const { answers, done, fault } = await doJob([
    home(newVeth('here0', 1, 7)),
    { file, value: '1' },
    { datagram: Buffer.concat([newVeth('there0', 2, 7), lookAt(1, 3)]), netnsFd: there },
    home(lookAt(1, 4)),
  ]);
  expect([done, fault]).toEqual([4, undefined]);
  expect(answers).toEqual([
    [3, RTM.newLink, 0],
    [4, RTM.newLink, 0],
  ]);
  expect([linksIn(netns), linksIn(there)]).toEqual([
    expect.arrayContaining(['here0']),
    expect.arrayContaining(['there0']),
  ]);
  expect(native.runInNetns(netns, () => readFileSync(file, 'utf8'))).toBe('1\n');
  native.closeFd(there);
});

testInNetns(
  "sysctls are those of the worker's namespace, by a path of either family or of none",
  async () => {
    const files = ['ipv4/conf/lo/accept_local', 'ipv6/conf/lo/accept_ra', 'core/somaxconn'].map(
      (key) => `/proc/sys/net/${key}`,
    );
    const valuesIn = (fd: number): readonly string[] =>
      native.runInNetns(fd, () => files.map((file) => readFileSync(file, 'utf8').trim()));
    const there = native.createNetns();
    const before = valuesIn(there);
    const { done, fault } = await doJob(files.map((file, index) => ({ file, value: `${index + 7}` })));
    expect([done, fault]).toEqual([3, undefined]);
    expect([valuesIn(netns), valuesIn(there)]).toEqual([['7', '8', '9'], before]);
    native.closeFd(there);
  },
);

/** All TAPs in the namespace go with it. */
const testTaps = existsSync('/dev/net/tun')
  ? testInNetns
  : (name: string) => {
      test.skip(`${name} (needs /dev/net/tun)`, () => undefined);
    };
const tapStep = (name: string, ifindex: number): WorkerStep => ({ tap: { name, ifindex, owner: 1234 } });
const tapsIn = (fd: number): readonly string[] => linksIn(fd).filter((name) => name.startsWith('tap'));

testTaps('TAPs stay if they are kept, under their numbers and of their owner', async () => {
  const { done, answers } = await doJob([tapStep('tap0', 4711), home(lookAt(4711, 1)), { keepTaps: true }]);
  expect([done, answers]).toEqual([3, [[1, RTM.newLink, 0]]]);
  expect(tapsIn(netns)).toEqual(['tap0']);
  const number = native.runInNetns(netns, () => {
    const again = native.openTun({ mode: 'tap', name: 'tap0', attach: true });
    const { ifindex } = again;
    again.persist(false);
    again.close();
    return ifindex;
  });
  expect([number, tapsIn(netns)]).toEqual([4711, []]);
});

const TAPS: readonly { name: string; in: readonly WorkerStep[]; want: Partial<Told> }[] = [
  { name: 'not kept', in: [tapStep('tap0', 71)], want: { done: 1, fault: undefined } },
  {
    name: 'of a job that is refused',
    in: [tapStep('tap0', 71), home(noDevice(1)), { keepTaps: true }],
    want: { done: 1, fault: undefined },
  },
  {
    name: 'beside one whose number is taken',
    in: [tapStep('tap0', 71), tapStep('tap1', 71), { keepTaps: true }],
    want: { done: 1, fault: 'EBUSY TUNSETIFF' },
  },
  {
    name: 'beside one whose name is taken',
    in: [tapStep('tap0', 71), tapStep('tap0', 72), { keepTaps: true }],
    want: { done: 1, fault: 'EBUSY TUNSETIFF' },
  },
];

for (const { name, in: steps, want } of TAPS)
  testTaps(`gone: a TAP ${name}`, async () => {
    expect(await doJob(steps)).toMatchObject(want);
    expect(tapsIn(netns)).toEqual([]);
  });

testTaps('a TAP of a job that has no end goes with the worker', async () => {
  await withWorker(async (run) => {
    run([tapStep('tap0', 71)], { more: true });
    await until('it is there', () => tapsIn(netns).length === 1);
  });
  await until('it is gone', () => tapsIn(netns).length === 0);
});

const REFUSED: readonly { name: string; in: readonly WorkerStep[]; want: Partial<Told> }[] = [
  {
    name: 'by the kernel: its datagram goes on to its end, the job does not',
    in: [home(Buffer.concat([noDevice(1), lookAt(1, 2)])), home(newVeth('late0', 3, 7))],
    want: {
      answers: [
        [1, NLMSG.error, 19],
        [2, RTM.newLink, 0],
      ],
      done: 0,
      fault: undefined,
    },
  },
  {
    name: 'where that is allowed: the job goes on',
    in: [{ datagram: noDevice(1), netnsFd: null, mayFail: true }, home(lookAt(1, 2))],
    want: {
      answers: [
        [1, NLMSG.error, 19],
        [2, RTM.newLink, 0],
      ],
      done: 2,
      fault: undefined,
    },
  },
  {
    name: 'a file that does not exist',
    in: [home(lookAt(1, 1)), { file: '/proc/sys/net/ipv4/none', value: '1' }, home(newVeth('late0', 3, 7))],
    want: { answers: [[1, RTM.newLink, 0]], done: 1, fault: 'ENOENT open' },
  },
  {
    name: 'a value that is none',
    in: [{ file: '/proc/sys/net/ipv4/ip_forward', value: 'maybe' }, home(newVeth('late0', 3, 7))],
    want: { answers: [], done: 0, fault: 'EINVAL write' },
  },
  {
    name: 'a value of which the kernel takes only the beginning',
    in: [{ file: '/proc/sys/net/ipv4/ip_forward', value: '1 2' }, home(newVeth('late0', 3, 7))],
    want: { answers: [], done: 0, fault: 'EINVAL write' },
  },
  {
    name: 'answers that are too long',
    in: [
      home(Buffer.concat(Array.from({ length: 120 }, (_, i) => lookAt(1, i + 1)))),
      home(newVeth('late0', 1, 7)),
    ],
    want: { answers: [], done: 0, fault: 'EMSGSIZE recv netlink' },
  },
];

for (const { name, in: steps, want } of REFUSED)
  testInNetns(`refused: ${name}`, async () => {
    expect(await doJob(steps)).toMatchObject(want);
    expect(linksIn(netns)).not.toContain('late0');
  });

testInNetns('answers that were too long are not those of the next job', async () => {
  await withWorker(async (run, told) => {
    run([home(Buffer.concat(Array.from({ length: 120 }, (_, i) => lookAt(1, i + 1))))]);
    run([home(lookAt(1, 500))]);
    await until('both are told of', () => told.length === 2);
    expect(told.map(({ answers, fault }) => [answers, fault])).toEqual([
      [[], 'EMSGSIZE recv netlink'],
      [[[500, RTM.newLink, 0]], undefined],
    ]);
  });
});

testInNetns(
  'a job that goes on with another is told of with it, and not begun where that ended early',
  async () => {
    await withWorker(async (run, told) => {
      run([home(lookAt(1, 1))], { more: true });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(told).toEqual([]);
      run([home(lookAt(1, 2))], { more: true });
      run([home(lookAt(1, 3))]);
      await until('all three are told of', () => told.length === 3);
      expect(told.map(({ done }) => done)).toEqual([1, 1, 1]);

      run([home(noDevice(4)), home(lookAt(1, 5))], { more: true });
      run([home(newVeth('late0', 6, 7))], { more: true });
      run([home(newVeth('late0', 7, 7))]);
      run([home(newVeth('next0', 8, 7))]);
      await until('all four are told of', () => told.length === 7);
      expect(told.slice(3).map(({ done, answers }) => [done, answers])).toEqual([
        [0, [[4, NLMSG.error, 19]]],
        [0, []],
        [0, []],
        [1, []],
      ]);
      expect(linksIn(netns)).not.toContain('late0');
    });
  },
);

testInNetns('refusals carry an extended ack, without the request', async () => {
  const request = linkRequest(RTM.newLink, NLM.ack | NLM.create, 6, [
    attribute(IFLA.ifname, new Uint8Array(64)),
  ]);
  const { answers, flags } = await doJob([home(request)]);
  expect([answers, (flags[0] ?? 0) & 0x200]).toEqual([[[6, NLMSG.error, 34]], 0x200]); // ERANGE, NLM_F_ACK_TLVS
});

testInNetns('no steps, and a request that wants no answer', async () => {
  expect(await doJob([])).toMatchObject({ answers: [], done: 0 });
  expect(await doJob([home(linkRequest(RTM.newLink, 0, 5, [], 1))])).toMatchObject({ answers: [], done: 1 });
});

testInNetns('what is no namespace, and what is no path', async () => {
  const [pipe, other] = native.pipe();
  await withWorker((run) => {
    expect(
      codeOf(() => {
        run([{ datagram: lookAt(1, 1), netnsFd: other + 1000 }]);
      }),
    ).toBe('EBADF');
    const wrong: readonly WorkerStep[] = [
      { file: '/proc/sys/net\0', value: '1' },
      ...[-1, NaN, 2 ** 32].map((netnsFd) => ({ datagram: lookAt(1, 1), netnsFd })),
      tapStep('tap\0', 71),
      tapStep('tap0', 2 ** 32),
      { tap: { name: 'tap0', ifindex: 71, owner: 2 ** 32 } },
    ];
    for (const step of wrong)
      expect(() => {
        run([step]);
      }).toThrow(RangeError);
    return Promise.resolve();
  });
  expect((await doJob([{ datagram: lookAt(1, 1), netnsFd: pipe }])).fault).toBe('EINVAL setns');
  native.closeFd(pipe);
  native.closeFd(other);
});

const python = spawnSync('python3', ['--version']).status === 0;

/** Sends every netlink socket of the namespace but its own an error of EPERM with sequence number 1; prints what became of each. */
const FORGE = `
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); s.bind((0, 0))
for line in open('/proc/thread-self/net/netlink').read().splitlines()[1:]:
    protocol, port = map(int, line.split()[1:3])
    if protocol != 0 or port in (0, s.getsockname()[0]): continue
    try: s.sendto(struct.pack('=IHHIIi16x', 36, 2, 0, 1, 0, -1), (port, 0)); print('sent')
    except ConnectionRefusedError: print('refused')
`;

testInNetns(
  `what another process sends is no answer${python ? '' : ' (empty: no python3 to send it)'}`,
  async () => {
    if (!python) return;
    await withWorker(async (run, told) => {
      run([home(lookAt(1, 1))]);
      await until('the first job is done', () => told.length === 1);
      expect(inNetns(netns, ['python3', '-c', FORGE])).toBe('refused\n');
      run([home(lookAt(1, 1))]);
      await until('the second job is done', () => told.length === 2);
      expect(told[1]).toEqual(told[0]);
    });
  },
);

testInNetns(
  'jobs are done in order; the caller may close its descriptors at once; the thread comes back',
  async () => {
    await withWorker(async (run, told) => {
      for (let i = 0; i < 20; i++) {
        const fd = native.createNetns();
        run([{ datagram: lookAt(1, i), netnsFd: fd }, home(lookAt(1, 100 + i))]);
        native.closeFd(fd);
      }
      const own = readlinkSync('/proc/self/ns/net');
      await until('all are done', () => told.length === 20);
      expect(told.map(({ done, answers }) => [done, answers.map(([sequence]) => sequence)])).toEqual(
        Array.from({ length: 20 }, (_, i) => [2, [i, 100 + i]]),
      );
      const threads = readdirSync('/proc/self/task').map((id) =>
        readlinkSync(`/proc/self/task/${id}/ns/net`),
      );
      const of = native.runInNetns(netns, () => readlinkSync('/proc/thread-self/ns/net'));
      expect(new Set(threads)).toEqual(new Set([own, of]));
    });
  },
);

const allowed = (task: string): string =>
  /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/self/task/${task}/status`, 'latin1'))?.[1] ?? '';

testInNetns('the thread keeps off the CPU of whoever gives it work, where there is another', async () => {
  await withWorker(async (run, told) => {
    run([home(lookAt(1, 1))]);
    await until('the job is done', () => told.length > 0);
    const others = readdirSync('/proc/self/task').filter(
      (task) => allowed(task) !== allowed(`${process.pid}`),
    );
    expect(others).toHaveLength(cpus().length > 1 ? 1 : 0);
  });
});

/** Nanoseconds that the event loop's thread has run (Documentation/scheduler/sched-stats.rst). */
const ranNs = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]);

testInNetns('while a long job is under way the loop sleeps', async () => {
  await withWorker(async (run, told) => {
    const nothing = (_: unknown, i: number): Uint8Array => linkRequest(RTM.newLink, NLM.ack, i, [], 1);
    const datagram = Buffer.concat(Array.from({ length: 60 }, nothing));
    run(Array.from({ length: 5000 }, () => home(datagram)));
    const [start, ran] = [process.hrtime.bigint(), ranNs()];
    await new Promise((resolve) => setTimeout(resolve, 40)); // it spins for 1 ms of these
    const took = Number(process.hrtime.bigint() - start);
    expect(told).toEqual([]);
    expect(ranNs() - ran).toBeLessThan(took / 2);
    await until('the job is done', () => told.length > 0);
  });
});

testInNetns('a closed worker tells nothing, and takes no job', async () => {
  await withWorker(async (run, told, worker) => {
    run([home(lookAt(1, 1))]);
    worker.close();
    worker.close();
    expect(
      codeOf(() => {
        run([home(lookAt(1, 1))]);
      }),
    ).toBe('EBADF');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told).toEqual([]);
  });
});

testInNetns('the end of a job is told before what came to others while it was done', async () => {
  const order: string[] = [];
  const [read, write] = native.pipe();
  const watch = native.watchFd(read, () => {
    order.push('news');
    watch.close();
  });
  const worker = native.runInNetns(netns, () =>
    native.openNetlinkWorker({ onDone: () => order.push('end') }),
  );
  await new Promise((resolve) => setTimeout(resolve, 20)); // the loop watches
  writeSync(write, 'x');
  worker.run([home(newVeth('here0', 1, 7))]);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200); // the loop finds both, and the news came first
  await until('both are told', () => order.length === 2);
  worker.close();
  for (const fd of [read, write]) native.closeFd(fd);
  expect(order).toEqual(['end', 'news']);
});
