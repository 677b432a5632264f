// Written by tools/gen-proto.ts from proto/*.proto; never edited.
import type { Writer } from 'protobufjs/minimal';

interface StaticType {
  encode(message: object, writer: Writer): Writer;
  decode(bytes: Uint8Array): object;
}

export const patchpanel: Readonly<Record<string, StaticType>>;
