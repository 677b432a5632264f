import type { BatchSocket, Native } from '@pp/native';
import { describeOnKernel, until } from '@pp/netlink/testing';
import { bpf } from '@pp/wire';
import { LinuxGroupPorts } from './linux-group-ports';
import { LinuxPacketPorts } from './linux-packet-ports';
import { SystemClock, TestHost } from './testing';

const GROUP = { group: 'ff02::fb', port: 5353 };
const ETHERNET = { type: 0x88b5, header: Buffer.from('ffffffffffff02000000000288b5', 'hex') }; // for experiments
/** A stream that is not gathered after so many packets never is. */
const MANY = 10_000;

interface Port {
  close(): void;
}

/** A port of either kind, and one who sends to it over a wire from `far` to `near`. */
interface Kind {
  readonly name: string;
  readonly open: (inside: Native, ifindex: number, hear: (word: string) => void) => Port;
  readonly sender: (native: Native, ifindex: number) => Port & { say(word: string): void };
}

const fault = (error: Error): never => {
  throw error;
};

const KINDS: readonly Kind[] = [
  {
    name: 'a packet port',
    open: (inside, ifindex, hear) =>
      new LinuxPacketPorts(inside, new SystemClock()).open({
        ifindex,
        filter: bpf.assembleBpf([
          bpf.load('ldH', 12),
          bpf.jump('jeq', ETHERNET.type, { else: 'drop' }),
          bpf.accept(0xffff),
          bpf.label('drop'),
          bpf.accept(0),
        ]),
        onFrame: (frame) => {
          hear(Buffer.from(frame.subarray(14)).toString());
        },
        onBatchEnd: () => undefined,
        onFault: fault,
      }),
    sender: (inside, ifindex) => {
      const socket = inside.openPacket({
        mode: 'raw',
        protocol: ETHERNET.type,
        ifindex,
        onFrames: () => undefined,
        onError: fault,
      });
      return {
        say: (word) => void socket.send([Buffer.concat([ETHERNET.header, Buffer.from(word)])]),
        close: () => {
          socket.close();
        },
      };
    },
  },
  {
    name: 'a group port',
    open: (inside, ifindex, hear) =>
      new LinuxGroupPorts(inside, new SystemClock()).openGroup({
        ...GROUP,
        family: 'ipv6',
        ifname: 'near',
        ifindex,
        hopLimit: 255,
        onDatagrams: (batch) => {
          for (const { data } of batch) hear(Buffer.from(data).toString());
        },
        onFault: fault,
      }),
    sender: (inside, ifindex) => {
      const socket = inside.openUdp({
        family: 'ipv6',
        address: '::',
        port: 0,
        multicastIfindex: ifindex,
        onDatagrams: () => undefined,
        onError: fault,
      });
      return {
        say: (word) => {
          socket.send(Buffer.from(word), GROUP.group, GROUP.port);
        },
        close: () => {
          socket.close();
        },
      };
    },
  },
];

/** Lets the event loop go round once: what was sent alone is heard alone. */
const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describeOnKernel('streams are gathered', (native) => {
  let host: TestHost;
  /** How often sockets were told to wait. */
  let waits: number;
  let inside: Native;
  let ifindexes: readonly [near: number, far: number];

  beforeEach(() => {
    host = new TestHost(native);
    waits = 0;
    const counted = <T extends BatchSocket>(handle: T): T => ({
      ...handle,
      wait: (ms: number) => {
        waits++;
        handle.wait(ms);
      },
    });
    inside = {
      ...native,
      openPacket: (options) => native.runInNetns(host.fd, () => counted(native.openPacket(options))),
      openUdp: (options) => native.runInNetns(host.fd, () => counted(native.openUdp(options))),
    };
    host.ip('link add near type veth peer name far');
    for (const [ifname, address] of [
      ['near', 'fe80::1'],
      ['far', 'fe80::2'],
    ] as const) {
      host.ip(`link set ${ifname} addrgenmode none up`);
      host.ip(`address add ${address}/64 dev ${ifname} nodad`);
    }
    const ifindexOf = (ifname: string): number => Number.parseInt(host.ip(`-o link show dev ${ifname}`), 10);
    ifindexes = [ifindexOf('near'), ifindexOf('far')];
  });

  afterEach(() => {
    host.close();
  });

  test.each(KINDS)('$name: none of it is lost, and what comes later is heard too', async (kind) => {
    const heard: string[] = [];
    const port = kind.open(inside, ifindexes[0], (word) => heard.push(word));
    const far = kind.sender(inside, ifindexes[1]);
    let said = 0;
    for (; waits === 0 && said < MANY; said++) {
      far.say(`${said}`);
      await oneTurn();
    }
    expect(waits).toBeGreaterThan(0);
    for (let more = 0; more < 300; more++) far.say(`${said++}`);
    await until('all is heard', () => heard.length === said);
    expect(heard).toEqual(Array.from({ length: said }, (_, i) => `${i}`));
    far.say('alone');
    await until('it is heard', () => heard.length === said + 1);
    port.close();
    far.close();
  });

  test.each(KINDS)('$name that is closed by who hears it tells nothing any more', async (kind) => {
    const heard: string[] = [];
    const port = kind.open(inside, ifindexes[0], (word) => {
      heard.push(word);
      if (word === 'last') port.close();
    });
    const far = kind.sender(inside, ifindexes[1]);
    for (let said = 0; waits === 0 && said < MANY; said++) {
      far.say('more');
      await oneTurn();
    }
    expect(waits).toBeGreaterThan(0);
    const witness: string[] = [];
    const other = kind.open(inside, ifindexes[0], (word) => witness.push(word));
    far.say('last');
    await until('it is closed', () => heard.at(-1) === 'last');
    far.say('beyond');
    await until('another hears what comes then', () => witness.at(-1) === 'beyond');
    expect(heard.at(-1)).toBe('last');
    other.close();
    far.close();
  });
});
