/** Where a bus listens; `guid`, when given, must be that of the server. */
export interface UnixAddress {
  /** As the addon takes it: a path, or '@' and an abstract name. */
  readonly path: string;
  readonly guid: string | undefined;
  /** The address as it was written, for messages. */
  readonly text: string;
}

/** D-Bus Specification, "Well-known Message Bus Instances". */
const DEFAULT_SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';

export function systemBusAddress(env: Readonly<Record<string, string | undefined>>): string {
  const address = env['DBUS_SYSTEM_BUS_ADDRESS'];
  return address === undefined || address === '' ? DEFAULT_SYSTEM_BUS : address;
}

/**
 * The addresses of a list, in the order in which to try them (D-Bus Specification, "Server Addresses"). Throws an Error whose
 * sentence says what to write instead.
 */
export function parseBusAddresses(list: string): readonly UnixAddress[] {
  const addresses = list.split(';').filter((text) => text !== '');
  if (addresses.length === 0)
    throw new Error('an empty D-Bus address: write unix:path=/run/dbus/system_bus_socket');
  return addresses.map(parseBusAddress);
}

function parseBusAddress(text: string): UnixAddress {
  const colon = text.indexOf(':');
  const transport = text.slice(0, Math.max(colon, 0));
  if (transport !== 'unix')
    throw new Error(`the D-Bus address '${text}' is not supported: only unix:path= and unix:abstract= are`);
  const keys = parseKeys(text, text.slice(colon + 1));
  const [path, abstract] = [keys.get('path'), keys.get('abstract')];
  if ((path === undefined) === (abstract === undefined)) {
    throw new Error(`the D-Bus address '${text}' must have either path= or abstract=`);
  }
  const socket = path === undefined ? `@${abstract ?? ''}` : path.startsWith('@') ? `./${path}` : path;
  return { path: socket, guid: keys.get('guid'), text };
}

function parseKeys(text: string, pairs: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>(); // BOUNDED: by the length of the address
  for (const pair of pairs.split(',')) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new Error(`the D-Bus address '${text}' has '${pair}' where key=value should be`);
    const key = pair.slice(0, equals);
    if (keys.has(key)) throw new Error(`the D-Bus address '${text}' has the key ${key} twice`);
    keys.set(key, unescapeValue(text, pair.slice(equals + 1)));
  }
  return keys;
}

/** Any byte may come as %xx; those outside [-0-9A-Za-z_/.\*] must, but as libdbus we take them as they are. */
function unescapeValue(text: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new Error(`the D-Bus address '${text}' has a wrong %xx escape`, { cause });
  }
}
