import { hex, toHex } from '@pp/wire/testing';
import { GroupRegistry } from '../groups/registry';
import { callMethod } from './methods';
import { decodeFields, encodeReply } from './messages';
import type { PortierMethod } from './spec';

/** A request of strings and, as the last field, a bool. */
const request = (...values: readonly (string | boolean)[]): Uint8Array =>
  Uint8Array.from(
    values.flatMap((value, i) =>
      typeof value === 'boolean'
        ? [(i + 1) << 3, Number(value)]
        : [((i + 1) << 3) | 2, value.length, ...new TextEncoder().encode(value)],
    ),
  );

interface Row {
  readonly name: string;
  readonly method: PortierMethod;
  readonly request: Uint8Array;
  readonly status: number;
  readonly reason?: string;
}

const rows: readonly Row[] = [
  { name: 'bind', method: 'BindInterface', request: request('tap9'), status: 1 },
  { name: 'bind again: EXISTS', method: 'BindInterface', request: request('tap0'), status: 2 },
  {
    name: 'bind nothing: FAILED',
    method: 'BindInterface',
    request: request(),
    status: 3,
    reason: "Invalid Argument: '' cannot be proxied; name an Ethernet interface",
  },
  { name: 'release', method: 'ReleaseInterface', request: request('tap0'), status: 1 },
  {
    name: 'release what is not bound: DOES_NOT_EXIST',
    method: 'ReleaseInterface',
    request: request('x'),
    status: 2,
  },
  { name: 'create', method: 'CreateProxyGroup', request: request('b'), status: 1 },
  { name: 'create again: EXISTS', method: 'CreateProxyGroup', request: request('lan'), status: 2 },
  {
    name: 'create a group of blanks: FAILED',
    method: 'CreateProxyGroup',
    request: request(' '),
    status: 3,
    reason: "Invalid Argument: ' ' cannot be a group; write letters, digits, _ and -",
  },
  { name: 'release a group', method: 'ReleaseProxyGroup', request: request('lan'), status: 1 },
  { name: 'release no group: DOES_NOT_EXIST', method: 'ReleaseProxyGroup', request: request('x'), status: 2 },
  { name: 'add', method: 'AddToGroup', request: request('free', 'lan', false), status: 1 },
  {
    name: 'add a member of another group: EXISTS',
    method: 'AddToGroup',
    request: request('tap0', 'other', true),
    status: 2,
  },
  {
    name: 'add to no group: DOES_NOT_EXIST',
    method: 'AddToGroup',
    request: request('free', 'x', false),
    status: 3,
  },
  { name: 'remove', method: 'RemoveFromGroup', request: request('tap0'), status: 1 },
  {
    name: 'remove from nothing: NO_OPERATION',
    method: 'RemoveFromGroup',
    request: request('free'),
    status: 2,
  },
  {
    name: 'remove what is not bound: DOES_NOT_EXIST',
    method: 'RemoveFromGroup',
    request: request('x'),
    status: 3,
  },
  { name: 'upstream', method: 'SetUpstreamInterface', request: request('tap0'), status: 1 },
  {
    name: 'upstream that is not bound: IF_DOES_NOT_EXIST',
    method: 'SetUpstreamInterface',
    request: request('x'),
    status: 2,
  },
  {
    name: 'upstream without group: GROUP_DOES_NOT_EXIST',
    method: 'SetUpstreamInterface',
    request: request('free'),
    status: 3,
  },
  { name: 'no upstream', method: 'UnsetUpstreamInterface', request: request('lan'), status: 1 },
  {
    name: 'no upstream where there was none',
    method: 'UnsetUpstreamInterface',
    request: request('other'),
    status: 1,
  },
  {
    name: 'no upstream of no group: DOES_NOT_EXIST',
    method: 'UnsetUpstreamInterface',
    request: request('x'),
    status: 2,
  },
  {
    name: 'no protobuf: FAILED',
    method: 'BindInterface',
    request: hex('0a 05 61'),
    status: 3,
    reason: 'Invalid Argument: the request is no protobuf',
  },
];

test.each(rows)('$name', ({ method, request: body, status, reason = '' }) => {
  const registry = new GroupRegistry([
    { name: 'lan', upstream: 'eth0', downstreams: ['tap0'] },
    { name: 'other', upstream: null, downstreams: [] },
  ]);
  registry.bindInterface('free');
  const fields = decodeFields(callMethod(registry, method, body));
  expect([fields?.get(1), fields?.get(2) ?? '']).toEqual([status, reason]);
});

test('add as upstream', () => {
  const registry = new GroupRegistry([{ name: 'lan', upstream: 'eth0', downstreams: [] }]);
  registry.bindInterface('eth1');
  expect(toHex(callMethod(registry, 'AddToGroup', request('eth1', 'lan', true)))).toBe('0801');
  expect(registry.groups).toEqual([{ name: 'lan', upstream: 'eth1', downstreams: ['eth0'] }]);
});

test('a reply as protobuf has it, a long reason too', () => {
  expect(toHex(encodeReply(3, 'no'))).toBe('0803' + '12026e6f');
  expect(toHex(encodeReply(3, 'x'.repeat(200))).slice(0, 10)).toBe('080312c801');
});

test.each([
  { name: 'a tag cut short', bytes: '80' },
  { name: 'field number 0', bytes: '02 00' },
  { name: 'a group', bytes: '0b' },
  { name: 'text that is not UTF-8', bytes: '0a 01 ff' },
  { name: 'a number without end', bytes: '08 ffffffffffffffffffffff' },
  { name: 'fewer bytes than a fixed field has', bytes: '0d 0000' },
])('$name is no protobuf', ({ bytes }) => {
  expect(decodeFields(hex(bytes))).toBeNull();
});

test('unknown fields are kept silent', () => {
  expect(decodeFields(hex('0a 01 61 50 2a 59 0000000000000000'))?.get(1)).toBe('a');
});
