/** What `nft -j list table` says of the elements of its sets and maps. */
interface Listed {
  readonly nftables: readonly Readonly<Record<string, SetFact | undefined>>[];
}

interface SetFact {
  readonly name: string;
  readonly type: string | readonly string[];
  readonly elem?: readonly unknown[];
}

/** The elements of all named sets and maps of a table, each as SET:KEYHEX[:CHAIN], as floor/connect-floor.c takes them. */
export function elementsOf(listing: unknown): readonly string[] {
  const { nftables } = listing as Listed;
  return nftables.flatMap(({ set, map }) => {
    const fact = set ?? map;
    return fact === undefined ? [] : (fact.elem ?? []).map((element) => elementText(fact, element));
  });
}

function elementText({ name, type }: SetFact, element: unknown): string {
  const [first, verdict] = Array.isArray(element) ? (element as unknown[]) : [element];
  const key = isMeasured(first) ? first.elem.val : first;
  const fields = isConcat(key) ? key.concat : [key];
  const types = typeof type === 'string' ? [type] : type;
  const hex = types.map((fieldType, i) => fieldHex(fieldType, fields[i], types.length > 1)).join('');
  const chain = (verdict as { readonly jump?: { readonly target: string } } | undefined)?.jump?.target;
  return [name, hex, ...(chain === undefined ? [] : [chain])].join(':');
}

/** Of a set whose elements have a measure each, which the kernel makes of the set's own. */
const isMeasured = (key: unknown): key is { readonly elem: { readonly val: unknown } } =>
  typeof key === 'object' && key !== null && 'elem' in key;

const isConcat = (key: unknown): key is { readonly concat: readonly unknown[] } =>
  typeof key === 'object' && key !== null && 'concat' in key;

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17 };

/** As the kernel compares keys: network order but for marks, ifnames in 16 bytes, fields of a concatenation in words of 4 bytes. */
function fieldHex(type: string, value: unknown, isConcatenated: boolean): string {
  const bytes = fieldBytes(type, value);
  const padded = isConcatenated ? Math.ceil(bytes.length / 4) * 4 : bytes.length;
  return Buffer.concat([bytes], padded).toString('hex');
}

function fieldBytes(type: string, value: unknown): Uint8Array {
  const text = String(value);
  switch (type) {
    case 'ifname':
      return Buffer.concat([Buffer.from(text)], 16);
    case 'ipv4_addr':
      return Uint8Array.from(text.split('.').map(Number));
    case 'ether_addr':
      return Uint8Array.from(text.split(':'), (octet) => parseInt(octet, 16));
    case 'inet_proto':
      return Uint8Array.of(PROTOCOLS[text] ?? Number(text));
    case 'inet_service':
      return Uint8Array.of(Number(text) >> 8, Number(text) & 0xff);
    default:
      throw new Error(`an element with a field of type ${type}: teach the floor to write it`);
  }
}
