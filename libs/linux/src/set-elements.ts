import { ALL_SETS, describe, elementText, TABLE } from '@pp/datapath';
import type { Element, Op, SetSpec } from '@pp/datapath';
import { batch, putKey, SetEditor } from '@pp/netlink';
import type { NetlinkRequest, Part, SetElement, TableRef } from '@pp/netlink';

export const OUR_TABLE: TableRef = { family: 'inet', name: TABLE };

export type ElementsOp = Extract<Op, { do: 'nft.elements' }>;

interface OurSet extends SetSpec {
  readonly editor: SetEditor;
}

const OUR_SETS: ReadonlyMap<string, OurSet> = new Map(
  ALL_SETS.map((spec) => [
    spec.name,
    { ...spec, editor: new SetEditor({ table: OUR_TABLE, name: spec.name }) },
  ]),
);

/** One batch that deletes, then adds: a key may change its verdict. */
export function elementsBatch(op: ElementsOp): readonly NetlinkRequest[] {
  const requests: NetlinkRequest[] = []; // BOUNDED: by the elements
  bySet(op.del).forEach((elements, { editor }) => requests.push(...editor.del(elements)));
  bySet(op.add).forEach((elements, { editor }) => requests.push(...editor.add(elements)));
  return batch(() => describe(op), requests);
}

function bySet(elements: readonly Element[]): ReadonlyMap<OurSet, readonly SetElement[]> {
  const sets = new Map<OurSet, SetElement[]>(); // BOUNDED: by the sets of our table
  for (const element of elements) {
    const set = setNamed(element.set);
    const encoded = new EncodedElement(set, element);
    const others = sets.get(set);
    if (others === undefined) sets.set(set, [encoded]);
    else others.push(encoded);
  }
  return sets;
}

/** A name that is none of ours is a fault of the caller. */
function setNamed(name: string): OurSet {
  const set = OUR_SETS.get(name);
  if (set === undefined) throw new Error(`no set named ${name} in the table`);
  return set;
}

/** Its text is made only for a refusal. */
class EncodedElement implements SetElement {
  constructor(
    private readonly set: SetSpec,
    private readonly element: Element,
  ) {}

  get key(): Part {
    return (out) => {
      putKey(out, this.set.fields, this.element.key);
    };
  }

  get jump(): string | undefined {
    return this.element.jump;
  }

  get data(): Part | undefined {
    const { data } = this.element;
    if (data === undefined) return undefined;
    return (out) => {
      putKey(out, this.set.data, data);
    };
  }

  get text(): string {
    return elementText(this.element);
  }
}
