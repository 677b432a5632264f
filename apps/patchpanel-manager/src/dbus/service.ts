import { refuse, type Refusal } from '@pp/base';
import { DBusError, type Bus, type Handlers, type MethodCall, type MethodHandler } from '@pp/dbus';
import type { ApiCall, ApiMethod } from './api';
import { API, ERROR_PREFIX, PATH, type ApiMethodName } from './spec';

/** The methods that this release has. */
export type ApiMethods = { readonly [Name in ApiMethodName]?: ApiMethod };

/**
 * Serves org.chromium.PatchPanel: asks the bus who calls, lets the method answer, and turns a refusal into an error reply. Calls that
 * come before `methods` are there wait for them.
 */
export function serveApi(bus: Bus, methods: Promise<ApiMethods>): () => void {
  const handlers = Object.fromEntries(API.methods.map(({ name }) => [name, handler(bus, name, methods)]));
  return bus.serve(PATH, API, handlers as Handlers<typeof API>);
}

function handler(bus: Bus, name: ApiMethodName, methods: Promise<ApiMethods>): MethodHandler {
  return async (call) => {
    const caller = await bus.credentials(call.sender);
    if (!caller.ok) throw errorOf(caller);
    const method = (await methods)[name] ?? notBuilt(name);
    const answer = await method(apiCall(call, caller.value));
    if (!answer.ok) throw errorOf(answer);
    return { body: [answer.value] };
  };
}

function apiCall(call: MethodCall, caller: ApiCall['caller']): ApiCall {
  return {
    caller,
    body: call.body[0] as Uint8Array,
    takeFd: () => (call.fdCount === 0 ? null : call.takeFd(call.body[1] as number)),
  };
}

const errorOf = ({ reason, sentence }: Refusal): DBusError =>
  new DBusError(`${ERROR_PREFIX}.${reason}`, sentence);

const notBuilt =
  (name: string): ApiMethod =>
  () =>
    Promise.resolve(refuse('Failed', `${name} is not built yet; this release connects network namespaces`));
