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
  const sets = new Map<string, SetElement[]>(); // BOUNDED: by the sets of our table
  for (const element of elements) {
    const encoded = sets.get(element.set) ?? [];
    encoded.push(encode(element));
    sets.set(element.set, encoded);
  }
  return [...sets].flatMap(([name, encoded]) => requests({ table: OUR_TABLE, name }, encoded));
}

function encode(element: Element): SetElement {
  const { fields, data } = setNamed(element.set);
  return {
    key: encodeKey(fields, element.key),
    ...(element.jump === undefined ? {} : { jump: element.jump }),
    ...(element.data === undefined ? {} : { data: encodeKey(data, element.data) }),
    get text() {
      return elementText(element);
    },
  };
}
