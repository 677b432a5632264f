import { line, PLAIN, SPEC, started, TAKE } from '../testing/server-subject';
import { MAX_MESSAGE_BYTES } from '../wire/limits';
import { Variant } from '../wire/values';
import type { InterfaceSpec, MethodHandler } from './spec';

describe('which calls are answered, and how', () => {
  const noSuch = (what: string): string => `there is no object ${what}`;

  test.each([
    { name: 'a method', in: {}, want: ['hello'] },
    { name: 'a method without its interface', in: { interface: undefined }, want: ['hello'] },
    { name: 'an unknown object', in: { path: '/x' }, want: `UnknownObject: ${noSuch('/x')}` },
    { name: 'an object below', in: { path: '/a/b/c' }, want: `UnknownObject: ${noSuch('/a/b/c')}` },
    {
      name: 'an object whose name begins alike',
      in: { path: '/a/bb' },
      want: `UnknownObject: ${noSuch('/a/bb')}`,
    },
    { name: 'an ancestor', in: { path: '/a' }, want: 'UnknownInterface: /a has no interface a.b' },
    {
      name: 'an unknown interface',
      in: { interface: 'a.c' },
      want: 'UnknownInterface: /a/b has no interface a.c',
    },
    { name: 'an unknown method', in: { member: 'Other' }, want: 'UnknownMethod: a.b has no method Other' },
    {
      name: 'a method named like what every object has',
      in: { member: 'toString' },
      want: 'UnknownMethod: a.b has no method toString',
    },
    {
      name: 'an unknown method of no interface',
      in: { member: 'Other', interface: undefined },
      want: 'UnknownMethod: /a/b has no method Other',
    },
    {
      name: 'arguments where none are taken',
      in: { signature: 's', values: ['x'] },
      want: "InvalidArgs: Plain takes no arguments, not the types 's'",
    },
    {
      name: 'no arguments',
      in: { member: 'Take' },
      want: "InvalidArgs: Take takes request of type ay, lifeline of type h, not the types ''",
    },
    {
      name: 'arguments of other types',
      in: { member: 'Take', signature: 'ay', values: [new Uint8Array()] },
      want: "InvalidArgs: Take takes request of type ay, lifeline of type h, not the types 'ay'",
    },
    {
      name: 'malformed arguments',
      in: { member: 'Take', signature: 'ayh', bytes: Uint8Array.of(9, 0, 0, 0) },
      want: 'InvalidArgs: Take takes request of type ay, lifeline of type h; what came is malformed: at byte 4: an array runs past the end',
    },
    {
      name: 'a descriptor index without a descriptor',
      in: { member: 'Take', signature: 'ayh', bytes: new Uint8Array(8) },
      want: 'InvalidArgs: Take takes request of type ay, lifeline of type h; what came is malformed: at byte 8: there is no file descriptor of that index',
    },
  ])('$name', async ({ in: call, want }) => {
    const subject = await started();
    const answer = await subject.answerTo({ ...PLAIN, ...call });
    expect(line(answer)).toEqual(want);
    expect(answer.header).toMatchObject({ destination: ':1.42', noReplyExpected: true });
  });

  test('arguments that are too large', async () => {
    const subject = await started();
    const bytes = Buffer.from(
      subject.scripted.encode({ ...TAKE, serial: 5, fds: [subject.scripted.ledger.issue()] }),
    );
    bytes.writeUInt32LE(MAX_MESSAGE_BYTES, 4);
    subject.scripted.stream.deliver(bytes.subarray(0, -12), subject.scripted.ledger.open);
    const [answer] = await subject.scripted.expectSent(1, ({ header }) => header.type === 'error');
    expect(answer && line(answer)).toBe('LimitsExceeded: the arguments of Take are larger than 1 MiB');
    expect(subject.scripted.ledger.open).toEqual([]);
  });

  test('what is no longer served', async () => {
    const subject = await started();
    const stop = subject.bus?.serve('/c', SPEC, { Plain: subject.plain, Take: subject.take });
    expect(line(await subject.answerTo({ ...PLAIN, path: '/c' }))).toEqual(['hello']);
    stop?.();
    expect(line(await subject.answerTo({ ...PLAIN, path: '/c' }))).toBe(
      'UnknownObject: there is no object /c',
    );
  });
});

describe('standard interfaces', () => {
  const peer = { interface: 'org.freedesktop.DBus.Peer' };
  const properties = { interface: 'org.freedesktop.DBus.Properties' };

  test.each([
    { name: 'Ping', in: { ...peer, member: 'Ping' }, want: [] },
    { name: 'Ping of no object', in: { ...peer, member: 'Ping', path: '/x' }, want: [] },
    {
      name: 'GetAll',
      in: { ...properties, member: 'GetAll', signature: 's', values: ['a.b'] },
      want: [new Map()],
    },
    {
      name: 'GetAll of no interface',
      in: { ...properties, member: 'GetAll', signature: 's', values: ['a.c'] },
      want: 'UnknownInterface: /a/b has no interface a.c',
    },
    {
      name: 'Get',
      in: { ...properties, member: 'Get', signature: 'ss', values: ['a.b', 'X'] },
      want: 'UnknownProperty: a.b has no property X',
    },
    {
      name: 'Set',
      in: { ...properties, member: 'Set', signature: 'ssv', values: ['a.b', 'X', new Variant('s', '')] },
      want: 'UnknownProperty: a.b has no property X',
    },
    {
      name: 'Introspect of no object',
      in: { interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect', path: '/x' },
      want: 'UnknownObject: there is no object /x',
    },
  ])('$name', async ({ in: call, want }) => {
    const subject = await started();
    expect(line(await subject.answerTo({ ...PLAIN, ...call }))).toEqual(want);
  });

  test.each([
    { path: '/', want: { interfaces: [], children: ['a'] } },
    { path: '/a', want: { interfaces: [], children: ['b'] } },
    { path: '/a/b', want: { interfaces: ['a.b'], children: [] } },
  ])('the tree at $path', async ({ path, want }) => {
    const subject = await started();
    const answer = await subject.answerTo({
      path,
      interface: 'org.freedesktop.DBus.Introspectable',
      member: 'Introspect',
    });
    const xml = String(answer.body[0]);
    const named = (tag: string): string[] =>
      Array.from(xml.matchAll(new RegExp(`<${tag} name="([^"]*)"`, 'g')), ([, name]) => name ?? '');
    const standard = ['Peer', 'Introspectable', 'Properties'].map((name) => `org.freedesktop.DBus.${name}`);
    expect({ interfaces: named('interface'), children: named('node') }).toEqual({
      interfaces: [...want.interfaces, ...standard],
      children: want.children,
    });
  });
});

describe('descriptions that cannot be served', () => {
  const none: MethodHandler = () => ({});

  test.each([
    { name: 'a wrong interface name', path: '/a', spec: { name: 'a', methods: [] } },
    { name: 'a wrong path', path: 'a', spec: { name: 'a.b', methods: [] } },
    {
      name: 'a wrong method name',
      path: '/a',
      spec: { name: 'a.b', methods: [{ name: 'x.y', in: [], out: [] }] },
    },
    {
      name: 'a wrong type',
      path: '/a',
      spec: { name: 'a.b', methods: [{ name: 'x', in: [{ name: 'z', type: 'z' }], out: [] }] },
    },
    {
      name: 'two types in one argument',
      path: '/a',
      spec: { name: 'a.b', methods: [{ name: 'x', in: [], out: [{ name: 'z', type: 'ss' }] }] },
    },
    {
      name: 'a method without a handler',
      path: '/a',
      spec: { name: 'a.b', methods: [{ name: 'NoHandler', in: [], out: [] }] },
    },
    { name: 'an interface twice at a path', path: '/a/b', spec: { name: 'a.b', methods: [] } },
  ])('$name', async ({ path, spec }) => {
    const subject = await started();
    expect(() => subject.bus?.serve<InterfaceSpec>(path, spec, { x: none, 'x.y': none })).toThrow();
  });
});
