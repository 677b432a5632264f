import { spawnSync } from 'node:child_process';
import { ADDON, isSanitized, plainEnv } from './testing/plain-env';

/** Begins each program: the addon's functions as `addon`, and `quiet` as a callback. */
const PROLOGUE = `
  const module_ = { exports: {} };
  process.dlopen(module_, ${JSON.stringify(ADDON)});
  class NativeError extends Error {
    constructor(code, call) { super(code + ' ' + call); }
  }
  const addon = module_.exports.attach(NativeError);
  const quiet = () => undefined;
  const openAll = () => {
    const [reader, writer] = addon.pipe();
    addon.watchFd(reader, quiet);
    addon.closeFd(writer);
    const [a, b] = addon.socketPair(1);
    const stream = addon.streamOpen(a, false, quiet, quiet, quiet, quiet, quiet);
    addon.streamPause(addon.streamOpen(b, false, quiet, quiet, quiet, quiet, quiet), true);
    for (let i = 0; i < 100; i++) addon.streamWrite(stream, new Uint8Array(65536), [reader]);
    const netlink = addon.netlinkOpen(0, 0, new Uint8Array(), quiet, quiet);
    addon.netlinkSend(netlink, new Uint8Array(16));
    const own = addon.netnsCurrent();
    const worker = addon.workerOpen(quiet);
    const steps = new Int32Array([0, own, 16, 0, 0, 0, 0]); // kind, namespace, length, 16 bytes
    for (let i = 0; i < 3; i++) addon.workerRun(worker, new Uint8Array(steps.buffer), i === 1);
    addon.closeFd(own);
    addon.closeFd(reader);
  };
  const openUdp = () =>
    addon.udpOpen(
      {
        ipv6: false, device: '', address: '127.0.0.1', port: 0, scopeId: 0, reuseAddress: false, broadcast: false, groupAddresses: [],
        groupIfindexes: [], multicastLoop: -1, multicastIfindex: -1, hopLimit: -1, receiveBufferBytes: 0, slotBytes: 2048, target: '',
        targetPort: 0,
      },
      quiet,
      quiet,
    );
`;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program after the prologue, under `limits` of the shell. */
function run(program: string, limits = 'true'): Outcome {
  const command = ['-c', `${limits} && exec "$@"`, 'sh', process.execPath, '-e', PROLOGUE + program];
  const { status, stdout, stderr } = spawnSync('sh', command, { encoding: 'utf8', env: plainEnv() });
  return { status, stdout, stderr };
}

test('a throw out of a callback ends the process like any uncaught exception', () => {
  const { status, stderr } = run(`
    const [reader, writer] = addon.pipe();
    addon.closeFd(writer);
    addon.watchFd(reader, () => { throw new Error('out of the callback'); });
  `);
  expect(status).not.toBe(0);
  expect(stderr).toContain('Error: out of the callback');
});

test('with a handler for uncaught exceptions the loop and the source go on', () => {
  const outcome = run(`
    let calls = 0;
    process.on('uncaughtException', (fault) => console.log(fault.message));
    const [reader, writer] = addon.pipe();
    addon.closeFd(writer);
    const watch = addon.watchFd(reader, () => {
      calls++;
      if (calls === 3) addon.close(watch);
      throw new Error('call ' + calls);
    });
  `);
  expect(outcome).toEqual({ status: 0, stdout: 'call 1\ncall 2\ncall 3\n', stderr: '' });
});

test('an open source keeps the process running, a closed one not', () => {
  const outcome = run(`
    const [reader, writer] = addon.pipe();
    const watch = addon.watchFd(reader, () => { console.log('seen'); addon.close(watch); });
    setTimeout(() => require('fs').writeSync(writer, 'x'), 50).unref();
    process.on('exit', () => console.log('exit'));
  `);
  // The unreferenced timer alone would not have been waited for.
  expect(outcome).toEqual({ status: 0, stdout: 'seen\nexit\n', stderr: '' });
});

test('process.exit inside a callback, with everything open', () => {
  const outcome = run(`
    openAll();
    const [reader, writer] = addon.pipe();
    addon.closeFd(writer);
    addon.watchFd(reader, () => process.exit(3));
  `);
  expect(outcome).toEqual({ status: 3, stdout: '', stderr: '' });
});

const ENDED: readonly { name: string; program: string; times: number }[] = [
  { name: 'with everything open', program: 'openAll(); say("open");', times: 6 },
  { name: 'while it opens sockets', program: 'say("opening"); for (;;) addon.close(openUdp());', times: 25 },
];

test.each(ENDED)('a worker that is ended $name leaves no descriptor and no memory', ({ program, times }) => {
  const inside = `${PROLOGUE} const say = (word) => require('worker_threads').parentPort.postMessage(word); ${program}`;
  const outcome = run(`
    const { Worker } = require('worker_threads');
    const { readdirSync } = require('fs');
    const files = () => readdirSync('/proc/self/fd').length;
    const round = (times) => {
      if (times === 0) return check(files(), addon.allocations(), 200);
      const worker = new Worker(${JSON.stringify(inside)}, { eval: true });
      worker.on('message', () => setTimeout(() => worker.terminate(), times % 4));
      worker.on('exit', () => round(times - 1));
    };
    // A sending thread may take a moment to leave.
    const check = (now, blocks, tries) => {
      if ((now !== before || blocks !== allocated) && tries > 0)
        return setTimeout(() => check(files(), addon.allocations(), tries - 1), 10);
      console.log(now - before, blocks - allocated);
    };
    let before, allocated;
    const warm = new Worker('', { eval: true });
    warm.on('exit', () => { before = files(); allocated = addon.allocations(); round(${times}); });
  `);
  expect(outcome).toEqual({ status: 0, stdout: '0 0\n', stderr: '' });
});

test('received descriptors that do not fit are told, and their message gets none of them', () => {
  const program = `
    const [a, b] = addon.socketPair(1);
    const [reader, writer] = addon.pipe();
    const sender = addon.streamOpen(a, false, quiet, quiet, quiet, quiet, quiet);
    addon.streamWrite(sender, Buffer.from('too many'), [reader, writer, reader, writer]);
    addon.streamWrite(sender, Buffer.from('enough'), [reader]);
    const onData = (length, fds) => {
      console.log(length, fds.length);
      if (length === 6) process.exit(0);
    };
    addon.streamOpen(b, false, onData, quiet, (error) => console.log(error.message), quiet, quiet);
    const filling = [];
    try { for (;;) filling.push(addon.dupFd(reader)); } catch (fault) { console.log(fault.message.slice(0, 6)); }
    addon.closeFd(filling.pop());
    addon.closeFd(filling.pop());
  `;
  const stdout = 'EMFILE\nEMFILE recvmsg descriptors\n8 0\n6 1\n';
  expect(run(program, 'ulimit -n 200')).toEqual({ status: 0, stdout, stderr: '' });
});

/** RLIMIT_NPROC binds whoever is not root in both of its uids; the sanitizer cannot be preloaded where they differ. */
const ONE_THREAD = 'set -- prlimit --nproc=1 setpriv --ruid=65534 "$@"';
const mayDiffer = !isSanitized && spawnSync('setpriv', ['--ruid=65534', 'true']).status === 0;
const testThreads = (name: string, body: () => void): void => {
  if (mayDiffer) test(name, body);
  else test.skip(`${name} (skipped: needs another uid, and no sanitizer)`, body);
};

testThreads('a netlink message for which there can be no thread fails, and the next one has one', () => {
  const program = `
    const request = new Uint8Array(new Uint32Array([20, 0x50001, 1, 0, 0]).buffer); // NLMSG_NOOP that wants an ack
    const netlink = addon.netlinkOpen(0, 0, new Uint8Array(), (length) => {
      console.log('answered', length);
      addon.close(netlink);
    }, ({ message }) => {
      console.log(message);
      process.seteuid(0);
      addon.netlinkSend(netlink, request);
    });
    process.seteuid(65534);
    addon.netlinkSend(netlink, request);
    console.log('sent');
  `;
  const stdout = 'sent\nEAGAIN pthread_create\nanswered 36\n';
  expect(run(program, ONE_THREAD)).toEqual({ status: 0, stdout, stderr: '' });
});

test('attaching twice is refused', () => {
  const { stderr } = run('module_.exports.attach(NativeError);');
  expect(stderr).toContain('Error: EALREADY attach');
});

test('receive buffers that were transferred away are still there for C', () => {
  const program = `
    structuredClone(addon.scratch, { transfer: [addon.scratch.buffer] });
    structuredClone(addon.table, { transfer: [addon.table.buffer] });
    gcOften();
    const [a, b] = addon.socketPair(1);
    addon.streamOpen(a, false, (length) => { console.log(length); process.exit(0); }, quiet, quiet, quiet, quiet);
    addon.streamWrite(addon.streamOpen(b, false, quiet, quiet, quiet, quiet, quiet), Buffer.from('six by'), []);
    function gcOften() { for (let i = 0; i < 100; i++) Buffer.alloc(1 << 20); }
  `;
  expect(run(program)).toEqual({ status: 0, stdout: '6\n', stderr: '' });
});
