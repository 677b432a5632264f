import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@pp/daemon';
import { loadNative } from '@pp/native';
import { DOWN, GUEST, NEIGHBOR, routerAdvert, Scene, solicit } from '../core/testing/scene';
import { GroupRegistry } from '../groups/registry';
import type { Traced } from '../group-runner';
import { requestFromArgs, requestFromLine } from './request';
import { openControl, type TraceSource } from './server';
import { traceLine } from './trace-line';

test.each([
  {
    name: 'an address',
    got: requestFromArgs('trace', ['2001:DB8::1']),
    want: { do: 'trace', address: '2001:db8::1' },
  },
  {
    name: 'no address',
    got: requestFromArgs('trace', []),
    want: "trace takes one IPv6 address, not ''; write for example ndproxy trace 2001:db8::1",
  },
  {
    name: 'two words',
    got: requestFromArgs('trace', ['::1', 'x']),
    want: "trace takes one IPv6 address, not '::1 x'; write for example ndproxy trace 2001:db8::1",
  },
  {
    name: 'a verb in capitals',
    got: requestFromArgs('group', ['Add-IF', 'tap0', 'lan']),
    want: { do: 'group', verb: 'add-if', args: ['tap0', 'lan'] },
  },
  {
    name: 'a verb with too few words',
    got: requestFromArgs('group', ['add-if', 'tap0']),
    want: "group add-if takes IF and GROUP, not 'tap0'; write ndproxy group add-if IF GROUP",
  },
  {
    name: 'no verb',
    got: requestFromArgs('group', []),
    want: expect.stringMatching(/^group what\? write ndproxy group bind-if IF, or /) as string,
  },
  {
    name: 'an interface that cannot be',
    got: requestFromArgs('group', ['bind-if', 'a/b']),
    want: `'a/b' cannot be an interface; write a name as "ip link" shows it`,
  },
  {
    name: 'a group that cannot be',
    got: requestFromArgs('group', ['create-group', 'a b']),
    want: "'a b' cannot be a group; write letters, digits, _ and -",
  },
  { name: 'a line that is no JSON', got: requestFromLine('{'), want: 'the request is not understood' },
  {
    name: 'a line with an unknown key',
    got: requestFromLine('{"do":"trace","address":"::1","x":1}'),
    want: 'the request is not understood',
  },
  {
    name: 'a line with a verb of Object',
    got: requestFromLine('{"do":"group","verb":"constructor","args":[]}'),
    want: expect.stringContaining("group 'constructor'? write ") as string,
  },
])('request: $name', ({ got, want }) => {
  expect(got.ok ? got.value : got.sentence).toEqual(want);
});

function traced(): Traced {
  const scene = new Scene();
  const facts = { outgoing: false, vlan: 0, checksumReady: true, truncated: false };
  const step = scene.group.step(DOWN, solicit({ mac: 2, source: GUEST }, NEIGHBOR), facts, scene.now);
  return { group: 'main', ifname: 'tap0', outgoing: false, step };
}

test('a traced message is told by source, destination and target, with what became of it', () => {
  const line =
    'main in on tap0: NS 2001:db8::2 > ff02::1:ff00:9 for 2001:db8::9 slla=02:00:00:00:00:02: forwarded, 2 sent';
  expect(traceLine(traced(), GUEST)).toBe(line);
  expect(traceLine(traced(), NEIGHBOR)).toBe(line);
  expect(traceLine(traced(), new Uint8Array(16))).toBeNull();
});

test('a dropped one says why', () => {
  const scene = new Scene();
  const facts = { outgoing: false, vlan: 0, checksumReady: true, truncated: false };
  const frame = routerAdvert();
  const step = scene.group.step(DOWN, frame, facts, scene.now);
  expect(
    traceLine({ group: 'main', ifname: 'tap0', outgoing: false, step }, frame.subarray(22, 38)),
  ).toContain('dropped ra-downstream (router advertisement on a downstream)');
});

describe('the socket', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ndproxy-'));
  const path = join(dir, 'control');
  const source: TraceSource = { tracer: null };
  const registry = new GroupRegistry();
  let server: { close(): void };
  beforeAll(() => {
    server = openControl({ native: loadNative(), clock: systemClock }, path, source, registry);
  });
  afterAll(() => {
    server.close();
    rmSync(dir, { recursive: true });
  });

  const ask = (
    line: string,
    onText: (text: string, end: () => void) => void = () => undefined,
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      let all = '';
      const socket = createConnection(path, () => socket.write(`${line}\n`));
      socket.on('error', reject);
      socket.on('data', (part) => {
        all += part.toString('utf8');
        onText(all, () => socket.end());
      });
      socket.on('close', () => {
        resolve(all);
      });
    });

  /** Its `tracer` comes and goes with what is read from sockets. */
  const untilWatched = async (watched: boolean): Promise<void> => {
    while ((source.tracer !== null) !== watched) await new Promise(setImmediate);
  };

  test('is root’s own', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('changes groups, and says what is wrong', async () => {
    const group = (verb: string, ...args: string[]): Promise<string> =>
      ask(JSON.stringify({ do: 'group', verb, args }));
    expect(await group('create-group', 'lan')).toBe('OK\n');
    expect(await group('create-group', 'lan')).toBe("error Already Exists: group 'lan' is there already\n");
    expect(registry.groups).toEqual([{ name: 'lan', upstream: null, downstreams: [] }]);
  });

  test('traces as long as somebody listens', async () => {
    const answer = ask('{"do":"trace","address":"2001:db8::2"}', (_text, end) => {
      end();
    });
    await untilWatched(true);
    source.tracer?.(traced());
    expect(await answer).toContain('NS 2001:db8::2');
    await untilWatched(false);
  });
});
