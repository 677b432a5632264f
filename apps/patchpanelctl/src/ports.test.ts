import { ExitCode, Refused } from '@pp/daemon';
import { DBusError, type CallRequest } from '@pp/dbus';
import { decodeStrict, encode } from '@pp/proto';
import { interfacesIn } from './absent-interface';
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
  /** Of the host; null: nobody can tell. */
  links: readonly string[] | null = ['lo', 'eth0'];
  /** What the status has beside the ports; null: it is not for this user. */
  told: object | null | undefined = {};
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
    hasInterface: (ifname) => (this.links === null ? null : this.links.includes(ifname)),
    status: () =>
      this.told === null
        ? Promise.reject(new Refused(ExitCode.denied, 'the status socket is not for this user'))
        : Promise.resolve(JSON.stringify({ ports: this.ports, ...this.told })),
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
  expect(JSON.parse(outside.out)).toEqual({ ...RULE, warnings: [] });
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

const waits = (words: string): string =>
  `there is no interface wan0 now: the rule waits until there is one; if the name is wrong, take the rule back with patchpanelctl port close ${words}`;

const ON_WAN0: PortRule = { ...RULE, ifname: 'wan0' };
const ACCESS: PortRule = { ...LOCK, type: 'access' };

test.each([
  { name: 'an interface of the host', rule: RULE, want: '' },
  { name: 'none', rule: ON_WAN0, want: waits('8080/tcp --on wan0') },
  {
    name: 'none, for guests',
    rule: { ...ACCESS, protocol: 'udp', ifname: 'wan0' } as const,
    want: waits('8080/udp --on wan0'),
  },
  { name: 'whichever', rule: ACCESS, want: '' },
  { name: 'none that anybody could tell of', rule: ON_WAN0, interfaces: null, want: '' },
  { name: 'an uplink', rule: ON_WAN0, status: { uplinks: [{ ifname: 'wan0', state: 'down' }] }, want: '' },
  {
    name: 'an uplink that is awaited',
    rule: ON_WAN0,
    status: { uplinks: [{ ifname: 'wan0', state: 'awaited' }] },
    want: waits('8080/tcp --on wan0'),
  },
  { name: "a VM's TAP", rule: ON_WAN0, status: { guests: [{ ifname: 'arc_x', link: 'wan0' }] }, want: '' },
  {
    name: "a bridge of Android's",
    rule: ON_WAN0,
    status: { guests: [{ ifname: 'wan0', link: '' }] },
    want: '',
  },
  { name: "a namespace's", rule: ON_WAN0, status: { namespaces: [{ hostIfname: 'wan0' }] }, want: '' },
  {
    name: 'none, and the status is not for us',
    rule: ON_WAN0,
    status: null,
    want: waits('8080/tcp --on wan0'),
  },
])('a port on $name', async ({ rule, interfaces, status, want }) => {
  const outside = new Outside();
  outside.links = interfaces === undefined ? ['lo', 'eth0'] : interfaces;
  outside.told = status;
  const action = { what: 'create', rule, hold: NO_HOLD } as const;
  expect(await port(action, false, outside.doors)).toBe(want === '' ? 0 : 7);
  expect([outside.out, outside.warned]).toEqual([`${ruleText(rule)}\n`, want]);
  outside.out = '';
  expect(await port(action, true, outside.doors)).toBe(want === '' ? 0 : 7);
  expect(JSON.parse(outside.out)).toEqual({ ...rule, warnings: want === '' ? [] : [want] });
  outside.expectClean();
});

test.each([
  { status: '', want: "the manager's status is not a JSON object" },
  { status: '{"ports":[', want: "the manager's status is not a JSON object" },
  { status: '{}', want: "the manager's status does not tell its port rules" },
  { status: '{"ports":{}}', want: "the manager's status does not tell its port rules" },
  {
    status: '{"ports":[{"type":"forwarding","port":80}]}',
    want: "the manager's status does not tell its port rules",
  },
])("a manager whose status is '$status'", async ({ status, want }) => {
  const doors = { ...new Outside().doors, status: () => Promise.resolve(status) };
  const match = { protocol: 'tcp', port: 80, ifname: null, address: null } as const;
  for (const action of [{ what: 'list' }, { what: 'close', match }] as const) {
    const fault = await port(action, false, doors).catch((refused: unknown) => refused);
    expect(fault).toBeInstanceOf(Refused);
    expect(fault).toMatchObject({ exitCode: ExitCode.failed, sentence: want });
  }
  expect(await port({ what: 'create', rule: ON_WAN0, hold: NO_HOLD }, false, doors)).toBe(ExitCode.degraded);
});

test('a rule that was refused waits for nothing', async () => {
  const outside = new Outside();
  outside.refuse = new DBusError('org.chromium.PatchPanel.Error.AlreadyExists', 'why');
  const action = { what: 'create', rule: ON_WAN0, hold: NO_HOLD } as const;
  await expect(port(action, false, outside.doors)).rejects.toMatchObject({ exitCode: 4 });
  expect([outside.out, outside.warned]).toEqual(['', '']);
  outside.expectClean();
});

test('the interfaces of /proc/net/dev', () => {
  const text = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs|bytes    packets errs
    lo:     104       1    0     104       1    0
arc_eth0.77-a12:1       0    0       0       0    0
  eth0: 0 0 0 0 0 0
`;
  expect(interfacesIn(text)).toEqual(['lo', 'arc_eth0.77-a12', 'eth0']);
});
