import { describe, elementText, setNamed, TABLE } from '@pp/datapath';
import type { Element, Op } from '@pp/datapath';
import { addElements, batch, delElements, encodeKey } from '@pp/netlink';
import type { NetlinkRequest, SetElement, SetRef, TableRef } from '@pp/netlink';

export const OUR_TABLE: TableRef = { family: 'inet', name: TABLE };

export type ElementsOp = Extract<Op, { do: 'nft.elements' }>;

/** One batch that deletes, then adds: a key may change its verdict. */
export const elementsBatch = (op: ElementsOp): readonly NetlinkRequest[] =>
  batch(() => describe(op), [...bySet(op.del, delElements), ...bySet(op.add, addElements)]);

function bySet(
  elements: readonly Element[],
  requests: (set: SetRef, elements: readonly SetElement[]) => readonly NetlinkRequest[],
): readonly NetlinkRequest[] {
  if (elements.length === 0) return [];
  const sets = new Map<string, SetElement[]>(); // BOUNDED: by the sets of our table
  for (const element of elements) {
    const encoded = new EncodedElement(element);
    const others = sets.get(element.set);
    if (others === undefined) sets.set(element.set, [encoded]);
    else others.push(encoded);
  }
  const all: NetlinkRequest[] = []; // BOUNDED: by `elements`
  sets.forEach((encoded, name) => all.push(...requests({ table: OUR_TABLE, name }, encoded)));
  return all;
}

/** Its text is made only for a refusal. */
class EncodedElement implements SetElement {
  readonly key: Uint8Array;
  readonly jump: string | undefined;
  readonly data: Uint8Array | undefined;
  readonly #element: Element;

  constructor(element: Element) {
    const { fields, data } = setNamed(element.set);
    this.key = encodeKey(fields, element.key);
    this.jump = element.jump;
    this.data = element.data === undefined ? undefined : encodeKey(data, element.data);
    this.#element = element;
  }

  get text(): string {
    return elementText(this.#element);
  }
}
