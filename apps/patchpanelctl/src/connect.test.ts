import { MemoryLog } from '@pp/base/testing';
import { Refused, systemClock } from '@pp/daemon';
import { connectBus, DBusError, type Bus } from '@pp/dbus';
import { startPrivateBus, whyNoPrivateBus, type PrivateBus } from '@pp/dbus/testing';
import { loadNative } from '@pp/native';
import { decodeStrict, encode, type ConnectNamespaceRequest } from '@pp/proto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCommand } from './args';
import { connect, type ConnectDoors } from './connect';

const native = loadNative();
const why = whyNoPrivateBus() ?? (process.geteuid?.() === 0 ? undefined : 'root is needed for namespaces');
const describeOnBus = why === undefined ? describe : describe.skip;

const SERVICE = 'org.chromium.PatchPanel';
const NETNS = `ctl_test_${process.pid}`;
const API = {
  name: SERVICE,
  methods: [
    {
      name: 'ConnectNamespace',
      in: [
        { name: 'request', type: 'ay' },
        { name: 'fd', type: 'h' },
      ],
      out: [{ name: 'response', type: 'ay' }],
    },
  ],
} as const;

const net = (text: string): number =>
  text.split('.').reduce((sum, byte, place) => sum + Number(byte) * 256 ** place, 0);

/** A manager that grants every request, or fails as it is told, and keeps the lifelines that it got. */
class FakeManager {
  readonly requests: ConnectNamespaceRequest[] = [];
  readonly lifelines: number[] = [];
  failWith: DBusError | undefined;

  serve(bus: Bus): void {
    bus.serve('/org/chromium/PatchPanel', API, {
      ConnectNamespace: (call) => {
        const [bytes, fd] = call.body;
        const request = decodeStrict('ConnectNamespaceRequest', bytes as Uint8Array);
        if (request.ok) this.requests.push(request.value);
        if (this.failWith !== undefined) throw this.failWith;
        this.lifelines.push(call.takeFd(fd as number));
        return { body: [RESPONSE] };
      },
    });
  }

  letGo(): void {
    for (const fd of this.lifelines.splice(0)) native.closeFd(fd);
  }
}

const RESPONSE = encode('ConnectNamespaceResponse', {
  ipv4Subnet: { baseAddr: net('100.115.92.128'), prefixLen: 30 },
  peerIfname: 'veth0',
  peerIpv4Address: net('100.115.92.130'),
  hostIfname: 'arc_ns0',
  hostIpv4Address: net('100.115.92.129'),
  netnsName: NETNS,
});

const JSON_LINE = `{"netns_name":"${NETNS}","host_ifname":"arc_ns0","peer_ifname":"veth0","host_ipv4_address":"100.115.92.129","peer_ipv4_address":"100.115.92.130","ipv4_subnet":"100.115.92.128/30"}\n`;

/** One run of `patchpanelctl connect` with its outside in the test's hands. */
class Run {
  out = '';
  readonly warnings: string[] = [];
  readonly ended: Promise<number | string>;
  #signal: ((signal: NodeJS.Signals) => void) | undefined;

  constructor(argv: readonly string[], address: string, terminal = false) {
    const asked = readCommand(['connect', ...argv]);
    if (asked.do !== 'connect') throw new Error(JSON.stringify(asked));
    const doors: ConnectDoors = {
      native,
      connectBus: () => connectBus({ native, clock: systemClock, log: new MemoryLog(), address }),
      print: (text) => {
        this.out += text;
      },
      warn: (sentence) => this.warnings.push(sentence),
      onSignal: (handler) => {
        this.#signal = handler;
        return () => {
          this.#signal = undefined;
        };
      },
      terminal,
    };
    this.ended = connect(asked, doors).catch((fault: unknown) => {
      if (!(fault instanceof Refused)) throw fault;
      return `${fault.exitCode} ${fault.sentence}`;
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#signal === undefined) throw new Error('nobody listens for signals');
    this.#signal(signal);
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it did not come to pass: ${what}`);
}

const openFds = (): number => readdirSync('/proc/self/fd').length;

describeOnBus(`connect on a private bus${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ctl-'));
  const file = join(dir, 'out');
  let daemon: PrivateBus;
  let bus: Bus;
  let manager: FakeManager;
  let inode: string;

  beforeAll(async () => {
    daemon = await startPrivateBus();
    const netns = native.createNetns();
    inode = String(native.fdIdentity(netns).ino);
    native.nameNetns(netns, `/run/netns/${NETNS}`);
    native.closeFd(netns);
  });

  afterAll(async () => {
    native.unnameNetns(`/run/netns/${NETNS}`);
    await daemon.stop();
    rmSync(dir, { recursive: true });
  });

  beforeEach(async () => {
    bus = await connectBus({ native, clock: systemClock, log: new MemoryLog(), address: daemon.address });
    manager = new FakeManager();
    manager.serve(bus);
    await bus.requestName(SERVICE);
  });

  afterEach(async () => {
    manager.letGo();
    bus.close();
    await bus.closed;
  });

  const start = (line: string): Run => new Run(line.split(' '), daemon.address);
  /** Runs a shell script inside; it writes to `file`. */
  const script = (text: string, options = '--new', terminal = false): Run =>
    new Run(
      [...options.split(' '), '--', 'sh', '-c', text.replaceAll('FILE', file)],
      daemon.address,
      terminal,
    );
  const written = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const lifelineEnds = (): boolean => manager.lifelines.every((fd) => native.pollFd(fd).error);

  test('asks what the options say', async () => {
    manager.failWith = new DBusError(`${SERVICE}.Error.NotFound`, "no uplink 'wlan9'");
    const run = start('--pid 7 --outbound wlan9 --allow-user-traffic --route-on-vpn --source vpn');
    expect(await run.ended).toBe("3 no uplink 'wlan9'");
    expect(manager.requests).toEqual([
      { pid: 7, outboundPhysicalDevice: 'wlan9', allowUserTraffic: true, routeOnVpn: true, trafficSource: 7 },
    ]);
  });

  test('holds until a signal, then lets go', async () => {
    const before = openFds();
    const run = start('--new --json');
    await until('it holds', () => run.out !== '');
    expect(manager.requests[0]?.pid).toBe(-1);
    expect(run.out).toBe(JSON_LINE);
    expect(lifelineEnds()).toBe(false);
    run.signal('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(lifelineEnds()).toBe(true);
    manager.letGo();
    await until('nothing is left open', () => openFds() === before);
  });

  test('ends when the manager lets go', async () => {
    const run = start('--new');
    await until('it holds', () => run.out !== '');
    manager.letGo();
    expect(await run.ended).toBe(`6 the manager let go of ${NETNS}`);
  });

  test('runs a command inside, with the lifeline, and returns its exit code', async () => {
    const run = script('readlink /proc/self/ns/net /proc/self/fd/3 > FILE; exit 7', '--new --json');
    expect(await run.ended).toBe(7);
    expect(written()).toMatch(new RegExp(`^net:\\[${inode}\\]\npipe:`));
    expect(run.out).toBe(JSON_LINE);
    expect(lifelineEnds()).toBe(true);
  });

  test("runs it in a process's namespace", async () => {
    const own = readlinkSync('/proc/self/ns/net');
    const run = script('readlink /proc/self/ns/net > FILE', `--pid ${process.pid}`);
    expect(await run.ended).toBe(0);
    expect(written()).toBe(`${own}\n`);
    expect(run.out).toBe('');
  });

  test('this thread stays where it was', async () => {
    const before = readlinkSync('/proc/self/ns/net');
    await script('exit 0').ended;
    expect(readlinkSync('/proc/self/ns/net')).toBe(before);
  });

  describe('signals while the command runs', () => {
    const rows: { signal: NodeJS.Signals; terminal: boolean; trap: string; want: number | string }[] = [
      { signal: 'SIGTERM', terminal: false, trap: 'TERM', want: 9 },
      { signal: 'SIGTERM', terminal: true, trap: 'TERM', want: 9 },
      { signal: 'SIGINT', terminal: false, trap: 'INT', want: 9 },
      { signal: 'SIGTERM', terminal: false, trap: 'HUP', want: 143 },
    ];
    test.each(rows)(
      '$signal, terminal $terminal, the command minds $trap',
      async ({ signal, terminal, trap, want }) => {
        rmSync(file, { force: true });
        const run = script(
          `trap "exit 9" ${trap}; echo up > FILE; while :; do sleep 0.01; done`,
          '--new',
          terminal,
        );
        await until('the command runs', () => written() === 'up\n');
        run.signal(signal);
        expect(await run.ended).toBe(want);
      },
    );

    test('a Ctrl-C of its own terminal is not passed on twice', async () => {
      rmSync(file, { force: true });
      const run = script(
        'trap "echo hit >> FILE" INT; echo up > FILE; while ! grep -q end FILE; do sleep 0.01; done',
        '--new',
        true,
      );
      await until('the command runs', () => written() === 'up\n');
      run.signal('SIGINT');
      writeFileSync(file, 'end\n', { flag: 'a' });
      expect(await run.ended).toBe(0);
      expect(written()).toBe('up\nend\n');
    });
  });

  test('a command outlives the manager and is told so', async () => {
    rmSync(file, { force: true });
    const run = script('echo up > FILE; while ! grep -q end FILE; do sleep 0.01; done; exit 3');
    await until('the command runs', () => written() === 'up\n');
    manager.letGo();
    await until('the warning', () => run.warnings.length > 0);
    writeFileSync(file, 'end\n');
    expect(await run.ended).toBe(3);
    expect(run.warnings).toEqual([`the manager let go of ${NETNS}; the command runs on without network`]);
  });

  describe('failures leave nothing behind', () => {
    const rows: { name: string; argv: string; before: () => Promise<void> | void; want: string | RegExp }[] =
      [
        {
          name: 'no such command',
          argv: '--new -- /nonexistent/x',
          before: () => undefined,
          want: '1 /nonexistent/x cannot be run (ENOENT)',
        },
        {
          name: 'no such process',
          argv: '--pid 4194304 -- true',
          before: () => undefined,
          want: /^3 the namespace of process 4194304 cannot be entered \(E/,
        },
        {
          name: 'a refusal',
          argv: '--new',
          before: () => {
            manager.failWith = new DBusError(`${SERVICE}.Error.ResourceExhausted`, 'all 16 are taken');
          },
          want: '1 all 16 are taken',
        },
        {
          name: 'no manager',
          argv: '--new',
          before: () => bus.releaseName(SERVICE),
          want: '6 no manager runs on this bus',
        },
      ];
    test.each(rows)('$name', async ({ argv, before, want }) => {
      await before();
      const fds = openFds();
      const run = start(argv);
      expect(await run.ended).toEqual(typeof want === 'string' ? want : expect.stringMatching(want));
      manager.letGo();
      await until('nothing is left open', () => openFds() === fds);
    });

    test('no bus', async () => {
      const run = new Run(['--new'], 'unix:path=/nonexistent/bus');
      expect(await run.ended).toMatch(
        /^6 cannot connect to the D-Bus system bus at unix:path=\/nonexistent\/bus: /,
      );
    });
  });
});
