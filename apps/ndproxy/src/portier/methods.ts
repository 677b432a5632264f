import type { GroupRegistry } from '../groups/registry';
import { Status, type StatusCode } from '../groups/status';
import { decodeFields, encodeReply, type Fields } from './messages';
import type { PortierMethod } from './spec';

interface Method {
  readonly run: (registry: GroupRegistry, fields: Fields) => Status;
  /** Reply values for codes; SUCCESS is 1. */
  readonly replies: Partial<Readonly<Record<StatusCode, number>>>;
  readonly failed: number;
}

const word = (fields: Fields, number: number): string => {
  const value = fields.get(number);
  return typeof value === 'string' ? value : '';
};

/** Values of spec/nd-and-relays.md 1.1. */
const METHODS: Readonly<Record<PortierMethod, Method>> = {
  BindInterface: {
    run: (registry, fields) => registry.bindInterface(word(fields, 1)),
    replies: { ALREADY_EXISTS: 2 },
    failed: 3,
  },
  ReleaseInterface: {
    run: (registry, fields) => registry.releaseInterface(word(fields, 1)),
    replies: { DOES_NOT_EXIST: 2 },
    failed: 3,
  },
  CreateProxyGroup: {
    run: (registry, fields) => registry.createGroup(word(fields, 1)),
    replies: { ALREADY_EXISTS: 2 },
    failed: 3,
  },
  ReleaseProxyGroup: {
    run: (registry, fields) => registry.releaseGroup(word(fields, 1)),
    replies: { DOES_NOT_EXIST: 2 },
    failed: 3,
  },
  AddToGroup: {
    run: (registry, fields) => registry.addToGroup(word(fields, 1), word(fields, 2), fields.get(3) === 1),
    replies: { ALREADY_EXISTS: 2, DOES_NOT_EXIST: 3 },
    failed: 4,
  },
  RemoveFromGroup: {
    run: (registry, fields) => registry.removeFromGroup(word(fields, 1)),
    replies: { RESULT_UNAVAILABLE: 2, DOES_NOT_EXIST: 3 },
    failed: 4,
  },
  SetUpstreamInterface: {
    run: (registry, fields) => registry.setUpstream(word(fields, 1)),
    replies: { DOES_NOT_EXIST: 2, RESULT_UNAVAILABLE: 3 },
    failed: 4,
  },
  UnsetUpstreamInterface: {
    run: (registry, fields) => registry.unsetUpstream(word(fields, 1)),
    replies: { DOES_NOT_EXIST: 2 },
    failed: 3,
  },
};

const SUCCESS = 1;

/** Runs one call: the serialized reply says how it went. */
export function callMethod(registry: GroupRegistry, name: PortierMethod, request: Uint8Array): Uint8Array {
  const { run, replies, failed } = METHODS[name];
  const fields = decodeFields(request);
  const status =
    fields === null ? Status.of('INVALID_ARGUMENT', 'the request is no protobuf') : run(registry, fields);
  if (status.isOk) return encodeReply(SUCCESS);
  const reply = replies[status.code];
  return reply === undefined ? encodeReply(failed, status.toString()) : encodeReply(reply);
}
