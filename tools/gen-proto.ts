/**
 * Translates proto/*.proto, all of one package, into libs/proto/src/gen (or `--out DIR`):
 *   messages.ts  an interface for each message, a constant for each enum, and the table of fields
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

interface FieldJson {
  readonly type: string;
  readonly id: number;
  readonly rule?: 'repeated';
  readonly protoName?: string;
}

/** A message, an enum or a package, as `pbjs -t json` tells it. */
interface NodeJson {
  readonly fields?: Readonly<Record<string, FieldJson>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly nested?: Readonly<Record<string, NodeJson>>;
}

interface Message {
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly json: FieldJson; readonly target: Target }[];
}

/** What a field's type word means. `type` is its TypeScript type, `kind` what the field table says of it. */
interface Target {
  readonly kind: 'int32' | 'uint32' | 'uint64' | 'bool' | 'string' | 'bytes' | 'enum' | 'message';
  readonly type: string;
  /** The enum's or message's name. */
  readonly of?: string;
}

const ROOT = resolve(import.meta.dirname, '..');
/** The published API first, then our own inner interface. */
const PROTOS = ['proto/patchpanel_service.proto', 'proto/forwarding.proto', 'proto/counters.proto'];
const PACKAGE = 'patchpanel';
const MARK = `// Written by tools/gen-proto.ts from proto/*.proto; never edited.\n`;

const SCALARS: Readonly<Record<string, Target>> = {
  int32: { kind: 'int32', type: 'number' },
  uint32: { kind: 'uint32', type: 'number' },
  uint64: { kind: 'uint64', type: 'bigint' },
  bool: { kind: 'bool', type: 'boolean' },
  string: { kind: 'string', type: 'string' },
  bytes: { kind: 'bytes', type: 'Uint8Array' },
};

function main(): void {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: join(ROOT, 'libs/proto/src/gen') } },
  });
  mkdirSync(values.out, { recursive: true });
  const root = JSON.parse(pbjs('-t', 'json')) as NodeJson;
  writeFileSync(join(values.out, 'messages.ts'), MARK + messagesModule(packageOf(root)));
}

function pbjs(...options: readonly string[]): string {
  const files = PROTOS.map((file) => join(ROOT, file));
  return execFileSync(join(ROOT, 'node_modules/.bin/pbjs'), [...options, ...files], { encoding: 'utf8' });
}

function packageOf(root: NodeJson): NodeJson {
  const found = root.nested?.[PACKAGE];
  if (found === undefined) throw new Error(`${PROTOS.join(', ')} have no package ${PACKAGE}`);
  return found;
}

/** Nested enums are called by their message and their own name: NetworkDevice.GuestType is NetworkDeviceGuestType. */
function messagesModule(root: NodeJson): string {
  const messages = Object.entries(root.nested ?? {});
  const enums = messages.flatMap(([message, node]) =>
    Object.entries(node.nested ?? {}).map(([name, nested]) => enumText(message + name, nested)),
  );
  const read = messages.map(([name, node]) => readMessage(name, node, root));
  return [HEAD, ...enums, ...read.map(interfaceText), tableText(read)].join('\n');
}

const HEAD = `
/** What the wire says of a field. \`protoName\` is its name in the .proto file, \`of\` the message it holds. */
export interface Field {
  readonly name: string;
  readonly protoName: string;
  readonly kind: 'int32' | 'uint32' | 'uint64' | 'bool' | 'string' | 'bytes' | 'enum' | 'message';
  readonly repeated: boolean;
  readonly of?: MessageName;
}
`;

function enumText(name: string, node: NodeJson): string {
  if (node.values === undefined) throw new Error(`${name}: only enums may be nested in a message`);
  const rows = Object.entries(node.values).map(([value, number]) => `  ${value}: ${String(number)},\n`);
  return `export const ${name} = {\n${rows.join('')}} as const;\n`;
}

function readMessage(name: string, node: NodeJson, root: NodeJson): Message {
  const fields = Object.entries(node.fields ?? {}).map(([field, json]) => ({
    name: field,
    json,
    target: targetOf(json, name, root),
  }));
  return { name, fields };
}

/** Refuses what the strict decoder does not know, so that a new kind of field is met here and not on the bus. */
function targetOf(field: FieldJson, message: string, root: NodeJson): Target {
  const scalar = SCALARS[field.type];
  if (scalar !== undefined) {
    if (field.rule === 'repeated' && scalar.kind !== 'string')
      throw new Error(`${message}: packed fields are not supported`);
    return scalar;
  }
  if (root.nested?.[field.type]?.values === undefined && root.nested?.[field.type] !== undefined) {
    return { kind: 'message', type: field.type, of: field.type };
  }
  const path = field.type.includes('.') ? field.type.split('.') : [message, field.type];
  const found = path.reduce<NodeJson | undefined>((node, step) => node?.nested?.[step], root);
  if (found?.values === undefined)
    throw new Error(`${message}: fields of type ${field.type} are not supported`);
  return { kind: 'enum', type: 'number', of: path.join('') };
}

function interfaceText({ name, fields }: Message): string {
  if (fields.length === 0) return `export type ${name} = Readonly<Record<never, never>>;\n`;
  const rows = fields.map(({ name: field, json, target }) => {
    const single = target.kind === 'message' ? `${target.type} | undefined` : target.type;
    const note =
      target.kind === 'enum' ? `  /** ${target.of ?? ''}, or a number that is none of them. */\n` : '';
    return `${note}  readonly ${field}: ${json.rule === 'repeated' ? `readonly ${target.type}[]` : single};\n`;
  });
  return `export interface ${name} {\n${rows.join('')}}\n`;
}

function tableText(messages: readonly Message[]): string {
  const names = messages.map(({ name }) => `  readonly ${name}: ${name};\n`).join('');
  const tables = messages.map((message) => `  ${message.name}: {${fieldRows(message)}},\n`).join('');
  return `/** Every message by its name. */
export interface Messages {\n${names}}

export type MessageName = keyof Messages;

/** Every field of every message by its number. */
export const FIELDS: Readonly<Record<MessageName, Readonly<Record<number, Field>>>> = {\n${tables}};
`;
}

function fieldRows({ fields }: Message): string {
  if (fields.length === 0) return '';
  const rows = fields.map(({ name, json, target }) => {
    const of = target.kind === 'message' ? `, of: '${target.type}'` : '';
    const protoName = json.protoName ?? name;
    const repeated = String(json.rule === 'repeated');
    return `    ${String(json.id)}: { name: '${name}', protoName: '${protoName}', kind: '${target.kind}', repeated: ${repeated}${of} },\n`;
  });
  return `\n${rows.join('')}  `;
}

main();
