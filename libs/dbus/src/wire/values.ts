/**
 * How D-Bus values look in JavaScript: y n q i u d number, b boolean, x t bigint, s o g string, h the index of a descriptor,
 * `ay` Uint8Array, other arrays and structs Array, dicts Map, v Variant.
 */
export type Body = readonly unknown[];

/** A value with its own signature. */
export class Variant {
  constructor(
    readonly signature: string,
    readonly value: unknown,
  ) {}
}
