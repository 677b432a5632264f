import { isInterfaceName, isMemberName, isObjectPath } from '../wire/names';
import { parseSignature, parseSingleType } from '../wire/signature';
import type { ArgSpec, InterfaceSpec, MethodHandler, MethodSpec } from './spec';

/** A method that can be called. */
export interface ServedMethod {
  readonly spec: MethodSpec;
  readonly interfaceName: string;
  readonly inSignature: string;
  readonly outSignature: string;
  readonly handler: MethodHandler;
}

export interface ServedInterface {
  readonly spec: InterfaceSpec;
  readonly methods: ReadonlyMap<string, ServedMethod>;
}

/** Joins a description with its handlers. Throws TypeError for a description that no bus would take, or a missing handler. */
export function serveInterface(
  spec: InterfaceSpec,
  handlers: Readonly<Record<string, MethodHandler>>,
): ServedInterface {
  if (!isInterfaceName(spec.name)) throw new TypeError(`'${spec.name}' is no interface name`);
  for (const { name, args } of spec.signals ?? []) signatureOfArgs(name, args);
  const methods = spec.methods.map((method): [string, ServedMethod] => {
    const handler = handlers[method.name];
    if (handler === undefined) throw new TypeError(`${spec.name}.${method.name} has no handler`);
    const inSignature = signatureOfArgs(method.name, method.in);
    const outSignature = signatureOfArgs(method.name, method.out);
    return [method.name, { spec: method, interfaceName: spec.name, inSignature, outSignature, handler }];
  });
  return { spec, methods: new Map(methods) };
}

function signatureOfArgs(member: string, args: readonly ArgSpec[]): string {
  if (!isMemberName(member)) throw new TypeError(`'${member}' is no member name`);
  for (const { type } of args) parseSingleType(type);
  const signature = args.map(({ type }) => type).join('');
  parseSignature(signature);
  return signature;
}

/** Which interfaces are served where. Every ancestor of a path exists too, as an object without interfaces of its own. */
export class ObjectTree {
  readonly #objects = new Map<string, Map<string, ServedInterface>>(); // BOUNDED: by what the program serves

  /** The returned function takes the interface away. */
  add(path: string, served: ServedInterface): () => void {
    if (!isObjectPath(path)) throw new TypeError(`'${path}' is no object path`);
    const object = this.#objects.get(path) ?? new Map<string, ServedInterface>();
    if (object.has(served.spec.name)) throw new TypeError(`${served.spec.name} is served at ${path} already`);
    this.#objects.set(path, object.set(served.spec.name, served));
    return () => {
      object.delete(served.spec.name);
      if (object.size === 0) this.#objects.delete(path);
    };
  }

  /** The interfaces at a path; undefined: there is no object. */
  find(path: string): ReadonlyMap<string, ServedInterface> | undefined {
    return (
      this.#objects.get(path) ?? (path === '/' || this.children(path).length > 0 ? NO_INTERFACES : undefined)
    );
  }

  /** Names of the nodes right below a path. */
  children(path: string): readonly string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    const below = [...this.#objects.keys()].filter((other) => other !== path && other.startsWith(prefix));
    return [...new Set(below.map((other) => other.slice(prefix.length).split('/', 1)[0] ?? ''))].sort();
  }
}

const NO_INTERFACES: ReadonlyMap<string, ServedInterface> = new Map();
