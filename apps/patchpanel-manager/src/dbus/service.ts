import type { Refusal } from '@pp/base';
import {
  DBusError,
  type Bus,
  type Handlers,
  type InterfaceSpec,
  type MethodCall,
  type MethodHandler,
} from '@pp/dbus';
import type { ApiCall, ApiMethod, ViewMethod } from './api';
import { API, ERROR_PREFIX, FORWARDING, PATH, type ApiMethodName, type ForwardingMethodName } from './spec';

/** What clients call. */
export type ApiMethods = {
  readonly [Name in ApiMethodName]: Name extends 'GetDevices' ? ViewMethod : ApiMethod;
};
export type SomeApiMethods<Name extends ApiMethodName> = Pick<ApiMethods, Name>;

/** What helpers call. */
export type ForwardingMethods = { readonly [Name in ForwardingMethodName]: ApiMethod };

/** What both interfaces answer with. */
export interface Services {
  readonly api: ApiMethods;
  readonly forwarding: ForwardingMethods;
}

/**
 * Serves org.chromium.PatchPanel and its Forwarding1: asks the bus who calls, lets the method answer, and turns a refusal into an error
 * reply. Calls that come before `services` are there wait for them.
 */
export function serve(bus: Bus, services: Promise<Services>): () => void {
  const ends = [
    serveInterface(
      bus,
      API,
      services.then(({ api }) => api),
    ),
    serveInterface(
      bus,
      FORWARDING,
      services.then(({ forwarding }) => forwarding),
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function serveInterface<const S extends InterfaceSpec>(
  bus: Bus,
  spec: S,
  methods: Promise<Readonly<Record<S['methods'][number]['name'], ApiMethod | ViewMethod>>>,
): () => void {
  const handlers = spec.methods.map(({ name }: { readonly name: S['methods'][number]['name'] }) => [
    name,
    handler(bus, methods, name),
  ]);
  return bus.serve(PATH, spec, Object.fromEntries(handlers) as Handlers<S>);
}

function handler<Name extends string>(
  bus: Bus,
  methods: Promise<Readonly<Record<Name, ApiMethod | ViewMethod>>>,
  name: Name,
): MethodHandler {
  return async (call) => {
    const caller = await bus.credentials(call.sender);
    const method = (await methods)[name];
    const answer = await method(apiCall(call, caller));
    if (!answer.ok) throw errorOf(answer);
    const { value } = answer;
    return { body: () => [typeof value === 'function' ? value() : value] };
  };
}

function apiCall(call: MethodCall, caller: ApiCall['caller']): ApiCall {
  return {
    caller,
    body: call.body[0] as Uint8Array,
    takeFd: () => (typeof call.body[1] === 'number' ? call.takeFd(call.body[1]) : null),
  };
}

const errorOf = ({ reason, sentence }: Refusal): DBusError =>
  new DBusError(`${ERROR_PREFIX}.${reason}`, sentence);
