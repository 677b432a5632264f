import type { Signal } from '@pp/dbus';
import { encode } from '@pp/proto';
import { events, type EventDoors } from './events';

/** A bus in the test's hands. */
class Outside {
  readonly lines: string[] = [];
  /** Who reads goes after so many. */
  mostLines = Infinity;
  open = 0;
  stop: () => void = () => undefined;
  owner: (name: string | undefined) => void = () => undefined;
  end: () => void = () => undefined;
  readonly #handlers = new Map<string, (signal: Signal) => void>();

  readonly doors: EventDoors = {
    connectBus: () => {
      this.open++;
      return Promise.resolve({
        subscribe: (rule, handler) => {
          this.#handlers.set(rule.member ?? '', handler);
          return Promise.resolve(() => undefined);
        },
        watchName: (_, onOwner) => {
          this.owner = onOwner;
          onOwner(':1.5');
          return Promise.resolve(() => undefined);
        },
        closed: new Promise((resolve) => {
          this.end = () => {
            resolve(new Error('gone'));
          };
        }),
        close: () => this.open--,
      });
    },
    print: (text) => {
      this.lines.push(text);
      return this.lines.length < this.mostLines;
    },
    onSignal: (handler) => {
      this.stop = () => {
        handler('SIGINT');
      };
      return () => undefined;
    },
  };

  signal(member: string, body: Uint8Array): void {
    const signal = { sender: ':1.5', path: '/', interface: 'i', member, signature: 'ay', body: [body] };
    this.#handlers.get(member)?.(signal);
  }
}

const DEVICE = {
  ifname: 'vmtap0',
  physIfname: 'vmtap0',
  guestType: 3,
  ipv4Addr: 0x1a5c7364,
  hostIpv4Addr: 0x195c7364,
  ipv4Subnet: { baseAddr: 0x185c7364, prefixLen: 30 },
};
const FACTS = {
  ifname: 'vmtap0',
  phys_ifname: 'vmtap0',
  guest_type: 'TERMINA_VM',
  ipv4_addr: '100.115.92.26',
  host_ipv4_addr: '100.115.92.25',
  ipv4_subnet: '100.115.92.24/30',
};

const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function heard(json: boolean, tell: (outside: Outside) => void): Promise<readonly string[]> {
  const outside = new Outside();
  const done = events(json, outside.doors);
  await quiet();
  tell(outside);
  outside.stop();
  await done;
  expect(outside.open).toBe(0);
  return outside.lines;
}

const tellAll = (outside: Outside): void => {
  outside.signal('NetworkDeviceChanged', encode('NetworkDeviceChangedSignal', { device: DEVICE, event: 1 }));
  outside.signal('NetworkDeviceChanged', encode('NetworkDeviceChangedSignal', { device: DEVICE, event: 2 }));
  outside.signal(
    'NeighborReachabilityEvent',
    encode('NeighborReachabilityEventSignal', { ifindex: 3, ipAddr: '192.168.1.1', role: 1, type: 1 }),
  );
  outside.owner(undefined);
};

test('as JSON, one object a line', async () => {
  expect((await heard(true, tellAll)).map((line) => JSON.parse(line) as unknown)).toEqual([
    { v: 1, event: 'manager.up' },
    { v: 1, event: 'device.added', device: FACTS },
    { v: 1, event: 'device.removed', device: FACTS },
    { v: 1, event: 'neighbor.failed', ifindex: 3, address: '192.168.1.1', role: 'GATEWAY' },
    { v: 1, event: 'manager.down' },
  ]);
});

test('for people', async () => {
  const [up, added, , neighbor] = await heard(false, tellAll);
  expect(up).toBe('manager.up\n');
  expect(added).toMatch(/^device\.added ifname=vmtap0 .*guest_type=TERMINA_VM/);
  expect(neighbor).toBe('neighbor.failed ifindex=3 address=192.168.1.1 role=GATEWAY\n');
});

test('what is not understood is no event', async () => {
  const lines = await heard(true, (outside) => {
    outside.signal('NetworkDeviceChanged', Uint8Array.of(0xff));
    outside.signal(
      'NetworkDeviceChanged',
      encode('NetworkDeviceChangedSignal', { device: DEVICE, event: 9 }),
    );
    outside.signal('NetworkDeviceChanged', encode('NetworkDeviceChangedSignal', { event: 1 }));
    outside.signal('NeighborReachabilityEvent', encode('NeighborReachabilityEventSignal', {}));
  });
  expect(lines).toHaveLength(1);
});

test('when nobody reads on, it ends', async () => {
  const outside = new Outside();
  outside.mostLines = 2;
  const done = events(true, outside.doors);
  await quiet();
  expect(outside.open).toBe(1);
  tellAll(outside);
  await done;
  expect(outside.open).toBe(0);
});

test('when the bus goes, it says so', async () => {
  const outside = new Outside();
  const done = events(true, outside.doors);
  await quiet();
  outside.end();
  await expect(done).rejects.toMatchObject({ exitCode: 6, sentence: 'the bus is gone' });
});
