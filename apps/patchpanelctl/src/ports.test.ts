import { DBusError, type CallRequest } from '@pp/dbus';
import { decodeStrict, encode } from '@pp/proto';
import type { PortRule } from './port-args';
import { port, ruleText, type PortDoors } from './ports';

const RULE: PortRule = {
  type: 'forwarding',
  protocol: 'tcp',
  port: 8080,
  ifname: 'eth0',
  address: '',
  toAddress: '100.115.92.26',
  toPort: 80,
};
const LOCK: PortRule = { ...RULE, type: 'lockdown', ifname: '', toAddress: '', toPort: 0 };
const NO_HOLD = { forSeconds: null, whilePid: null };

/** An outside in the test's hands; `refuse` answers every call with that error. */
class Outside {
  out = '';
  warned = '';
  uplinks: readonly object[] = [{ ifname: 'eth0', state: 'up' }];
  readonly asked: string[] = [];
  openBuses = 0;
  openFds = 0;
  listeners = 0;
  refuse: DBusError | null = null;
  ports: readonly PortRule[] = [];
  signal: () => void = () => undefined;
  timeOver: () => void = () => undefined;
  processEnds: () => void = () => undefined;

  readonly doors: PortDoors = {
    connectBus: () => {
      this.openBuses++;
      return Promise.resolve({
        call: (request) => this.#call(request),
        close: () => {
          this.openBuses--;
        },
      });
    },
    native: {
      pidfdOpen: (pid) => {
        if (pid !== 4242) throw Object.assign(new Error('no such process'), { code: 'ESRCH' });
        return ++this.openFds;
      },
      watchFd: (_, onEvents) => {
        this.listeners++;
        this.processEnds = () => {
          onEvents({ readable: true, hangup: false, error: false });
        };
        return { close: () => this.listeners-- };
      },
      closeFd: () => this.openFds--,
    },
    clock: {
      after: (_, delay, task) => {
        this.listeners++;
        this.timeOver = task;
        expect(delay).toBe(60_000);
        return () => this.listeners--;
      },
    },
    print: (text) => {
      this.out += text;
    },
    warn: (sentence) => {
      this.warned += sentence;
    },
    onSignal: (handler) => {
      this.listeners++;
      this.signal = () => {
        handler('SIGTERM');
      };
      return () => this.listeners--;
    },
    status: () => Promise.resolve(JSON.stringify({ ports: this.ports, uplinks: this.uplinks })),
  };

  #call({ member, body = [] }: CallRequest) {
    const request = decodeStrict('ModifyPortRuleRequest', body[0] as Uint8Array);
    if (!request.ok) throw new Error(request.sentence);
    const { op, type, proto, inputDstPort, dstIp } = request.value;
    this.asked.push([member, op, type, proto, inputDstPort, dstIp].join(' '));
    if (this.refuse !== null) return Promise.reject(this.refuse);
    const reply = encode('ModifyPortRuleResponse', { success: true });
    return Promise.resolve({ signature: 'ay', body: [reply], fds: [] });
  }

  expectClean(): void {
    expect([this.openBuses, this.openFds, this.listeners]).toEqual([0, 0, 0]);
  }
}

const CREATED = 'ModifyPortRule 1 3 1 8080 100.115.92.26';
const DELETED = 'ModifyPortRule 2 3 1 8080 100.115.92.26';

/** Everything that can be done before the next event from outside. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a rule that stays', async () => {
  const outside = new Outside();
  await port({ what: 'create', rule: RULE, hold: NO_HOLD }, false, outside.doors);
  expect(outside.asked).toEqual([CREATED]);
  expect(outside.out).toBe('tcp port 8080 on eth0 forwarded to 100.115.92.26:80\n');
  outside.expectClean();
});

test.each([
  { name: 'its time is over', end: (outside: Outside) => outside.timeOver },
  { name: 'the process ends', end: (outside: Outside) => outside.processEnds },
  { name: 'a signal comes', end: (outside: Outside) => outside.signal },
])('a rule that goes when $name', async ({ end }) => {
  const outside = new Outside();
  const hold = { forSeconds: 60, whilePid: 4242 };
  const done = port({ what: 'create', rule: RULE, hold }, true, outside.doors);
  await quiet();
  expect(outside.asked).toEqual([CREATED]);
  expect(JSON.parse(outside.out)).toEqual(RULE);
  end(outside)();
  await done;
  expect(outside.asked).toEqual([CREATED, DELETED]);
  outside.expectClean();
});

test('a rule that somebody else closed meanwhile is closed', async () => {
  const outside = new Outside();
  const done = port(
    { what: 'create', rule: RULE, hold: { forSeconds: 60, whilePid: null } },
    false,
    outside.doors,
  );
  await quiet();
  outside.refuse = new DBusError('org.chromium.PatchPanel.Error.NotFound', 'it is not there');
  outside.timeOver();
  await done;
  outside.expectClean();
});

test('a process that is not there: nothing is opened', async () => {
  const outside = new Outside();
  const hold = { forSeconds: null, whilePid: 4243 };
  await expect(port({ what: 'create', rule: RULE, hold }, false, outside.doors)).rejects.toMatchObject({
    exitCode: 3,
    sentence: 'there is no process 4243',
  });
  expect(outside.asked).toEqual([]);
  outside.expectClean();
});

test('close takes back all that match', async () => {
  const outside = new Outside();
  outside.ports = [RULE, LOCK, { ...RULE, port: 8081 }];
  const match = { protocol: 'tcp', port: 8080, ifname: null, address: null } as const;
  await port({ what: 'close', match }, false, outside.doors);
  expect(outside.asked).toEqual([DELETED, 'ModifyPortRule 2 2 1 8080 ']);
  expect(outside.out).toBe(
    'closed: tcp port 8080 on eth0 forwarded to 100.115.92.26:80\nclosed: tcp port 8080 locked\n',
  );
  await expect(
    port({ what: 'close', match: { ...match, ifname: 'eth1' } }, false, outside.doors),
  ).rejects.toMatchObject({ exitCode: 3 });
  outside.expectClean();
});

test.each([
  { error: 'org.chromium.PatchPanel.Error.AlreadyExists', want: { exitCode: 4, sentence: 'why' } },
  { error: 'org.freedesktop.DBus.Error.AccessDenied', want: { exitCode: 5 } },
  { error: 'org.freedesktop.DBus.Error.ServiceUnknown', want: { exitCode: 6 } },
])('refused: $error', async ({ error, want }) => {
  const outside = new Outside();
  outside.refuse = new DBusError(error, 'why');
  const action = { what: 'create', rule: RULE, hold: { forSeconds: 60, whilePid: null } } as const;
  await expect(port(action, false, outside.doors)).rejects.toMatchObject(want);
  outside.expectClean();
});

test('list', async () => {
  const outside = new Outside();
  await port({ what: 'list' }, false, outside.doors);
  expect(outside.out).toBe('no port is open, locked or forwarded\n');
  outside.out = '';
  outside.ports = [RULE, LOCK];
  await port({ what: 'list' }, false, outside.doors);
  expect(outside.out.split('\n').map((line) => line.split(/ +/))).toEqual([
    ['port', 'type', 'on', 'address', 'to'],
    ['8080/tcp', 'forwarding', 'eth0', '-', '100.115.92.26:80'],
    ['8080/tcp', 'lockdown', '-', '-', '-'],
    [''],
  ]);
  outside.out = '';
  await port({ what: 'list' }, true, outside.doors);
  expect(JSON.parse(outside.out)).toEqual({ ports: [RULE, LOCK] });
});

test('a rule for one address says so', () => {
  expect(ruleText({ ...RULE, address: '192.168.77.2' })).toBe(
    'tcp port 8080 on eth0 at 192.168.77.2 forwarded to 100.115.92.26:80',
  );
  expect(ruleText({ ...RULE, toAddress: '2001:db8::26' })).toBe(
    'tcp port 8080 on eth0 forwarded to [2001:db8::26]:80',
  );
});

const ABSENT =
  'eth0 is no uplink now: the rule waits until it is one; patchpanelctl status shows those that are';

test.each([
  { name: 'an uplink that is up', uplinks: [{ ifname: 'eth0', state: 'up' }], want: '' },
  { name: 'one without carrier', uplinks: [{ ifname: 'eth0', state: 'down' }], want: '' },
  { name: 'one that is awaited', uplinks: [{ ifname: 'eth0', state: 'awaited' }], want: ABSENT },
  { name: 'another one', uplinks: [{ ifname: 'eth1', state: 'up' }], want: ABSENT },
])('a port of $name', async ({ uplinks, want }) => {
  const outside = new Outside();
  outside.uplinks = uplinks;
  await port({ what: 'create', rule: RULE, hold: NO_HOLD }, false, outside.doors);
  expect(outside.warned).toBe(want);
});
