import { causeChain, type Logger } from '@pp/base';
import type { CloseFd } from '../byte-stream';
import { DBUS_ERROR, DBusError } from '../errors';
import type { FdBundle } from '../fd-bundle';
import type { MessageWriter } from '../message-writer';
import { decodeBody, type RawBody } from '../wire/body';
import type { Outgoing } from '../wire/encode';
import type { CallHeader } from '../wire/header';
import { isInterfaceName } from '../wire/names';
import { Admission, type AdmissionLimits } from './admission';
import { ObjectTree, serveInterface, type ServedInterface, type ServedMethod } from './object-tree';
import type { Handlers, InterfaceSpec, MethodCall, MethodSpec, Reply } from './spec';
import { PEER, standardInterfaces } from './standard';

export interface ServerOptions {
  readonly writer: MessageWriter;
  readonly log: Logger;
  readonly closeFd: CloseFd;
  readonly limits: AdmissionLimits;
  readonly machineId: () => Promise<string>;
}

/** Answers method calls: finds the method, checks the arguments, runs the handler; each call ends with its descriptors closed. */
export class Server {
  readonly #options: ServerOptions;
  readonly #tree = new ObjectTree();
  readonly #admission: Admission;
  readonly #standard: ReadonlyMap<string, ServedInterface>;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
    const standard = standardInterfaces(this.#tree, options.machineId);
    this.#standard = new Map(standard.map((served) => [served.spec.name, served]));
  }

  /** Serves until the returned function is called. */
  serve<const S extends InterfaceSpec>(path: string, spec: S, handlers: Handlers<S>): () => void {
    return this.#tree.add(path, serveInterface(spec, handlers));
  }

  receive(header: CallHeader, body: RawBody | undefined, fds: FdBundle): void {
    void this.#answer(header, body, fds);
  }

  /** Never rejects. */
  async #answer(header: CallHeader, body: RawBody | undefined, fds: FdBundle): Promise<void> {
    let release = (): void => undefined;
    try {
      const method = this.#find(header);
      release = this.#admit(header, body, fds);
      this.#reply(header, method, await method.handler(checkedCall(method, header, body, fds)));
    } catch (error) {
      this.#refuse(header, error);
    } finally {
      fds.close();
      release();
    }
  }

  /** Peer is answered at every path, as the specification has it; a call may name no interface. */
  #find({ path, interface: name, member }: CallHeader): ServedMethod {
    const object = this.#tree.find(path);
    if (object === undefined && name !== PEER) {
      throw new DBusError(DBUS_ERROR.unknownObject, `there is no object ${path}`);
    }
    const method =
      name === undefined
        ? this.#findByMember(object, member)
        : this.#interface(object, path, name).methods.get(member);
    if (method !== undefined) return method;
    throw new DBusError(DBUS_ERROR.unknownMethod, `${name ?? path} has no method ${member}`);
  }

  #interface(object: ServedObject | undefined, path: string, name: string): ServedInterface {
    const served = object?.get(name) ?? this.#standard.get(name);
    if (served !== undefined) return served;
    throw new DBusError(DBUS_ERROR.unknownInterface, `${path} has no interface ${name}`);
  }

  #findByMember(object: ServedObject | undefined, member: string): ServedMethod | undefined {
    const served = [...(object?.values() ?? []), ...this.#standard.values()];
    return served.find(({ methods }) => methods.has(member))?.methods.get(member);
  }

  #admit({ sender = '' }: CallHeader, body: RawBody | undefined, fds: FdBundle): () => void {
    const release = this.#admission.admit(sender, {
      calls: 1,
      fds: fds.count,
      bytes: body?.bytes.length ?? 0,
    });
    if (release !== undefined) return release;
    throw new DBusError(DBUS_ERROR.limitsExceeded, 'too many calls are in progress: wait for their replies');
  }

  #reply(header: CallHeader, { outSignature }: ServedMethod, { body, fds = [] }: Reply): void {
    try {
      const values = typeof body === 'function' ? body() : body;
      this.#send(header, { type: 'return', signature: outSignature, values }, fds);
    } finally {
      for (const fd of fds) this.#options.closeFd(fd);
    }
  }

  #refuse(header: CallHeader, error: unknown): void {
    const refusal =
      error instanceof DBusError && isInterfaceName(error.name) ? error : this.#fault(header, error);
    const sentence = refusal.message.replaceAll('\0', '').slice(0, MAX_SENTENCE);
    this.#send(header, { type: 'error', errorName: refusal.name, signature: 's', values: [sentence] }, []);
  }

  /** A fault of ours is told to the operator; the caller learns that it is none of theirs. */
  #fault({ member, sender }: CallHeader, error: unknown): DBusError {
    this.#options.log.error('dbus.handler', { member, sender, error: causeChain(error) });
    return new DBusError(DBUS_ERROR.failed, `${member} failed inside the service: its log says why`);
  }

  /** `answer` is complete but for whom it goes to. */
  #send({ serial, sender, noReplyExpected }: CallHeader, answer: Answer, fds: readonly number[]): void {
    if (noReplyExpected) return;
    const { type, errorName, signature, values } = answer;
    this.#options.writer.send(
      {
        type,
        errorName,
        replySerial: serial,
        destination: sender,
        signature,
        values,
        noReplyExpected: true,
      },
      fds,
    );
  }
}

type Answer = Pick<Outgoing, 'type' | 'errorName' | 'signature' | 'values'>;

type ServedObject = ReadonlyMap<string, ServedInterface>;

/** Bound for what an error quotes of a caller's values. */
const MAX_SENTENCE = 4096;

/** Throws InvalidArgs, which says what the method takes, for arguments of other types or bytes that are none. */
function checkedCall(
  { spec, interfaceName, inSignature }: ServedMethod,
  { path, member, signature, sender = '' }: CallHeader,
  raw: RawBody | undefined,
  fds: FdBundle,
): MethodCall {
  if (raw === undefined) {
    throw new DBusError(DBUS_ERROR.limitsExceeded, `the arguments of ${member} are larger than 1 MiB`);
  }
  if (signature !== inSignature && !(spec.fdMayLack === true && `${signature}h` === inSignature)) {
    throw new DBusError(
      DBUS_ERROR.invalidArgs,
      `${member} takes ${argsText(spec)}, not the types '${signature}'`,
    );
  }
  const decoded = decodeBody(raw);
  if (!decoded.ok) {
    throw new DBusError(
      DBUS_ERROR.invalidArgs,
      `${member} takes ${argsText(spec)}; what came is malformed: ${decoded.why}`,
    );
  }
  const takeFd = (index: number): number => fds.take(index);
  return {
    sender,
    path,
    interface: interfaceName,
    member,
    signature,
    body: decoded.body,
    fdCount: fds.count,
    takeFd,
  };
}

function argsText({ in: args }: MethodSpec): string {
  return args.length === 0
    ? 'no arguments'
    : args.map(({ name, type }) => `${name} of type ${type}`).join(', ');
}
