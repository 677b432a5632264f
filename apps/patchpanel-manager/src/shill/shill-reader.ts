import { Variant, type Bus } from '@pp/dbus';
import type { Properties, ShillDevice, ShillService, ShillState } from './shill-network';

export const SHILL = 'org.chromium.flimflam';
/** BOUNDED: so many objects of a list are read. */
const MAX_OBJECTS = 64;
const NOTHING: Properties = new Map();

/** Reads all of shill that matters; null: it does not answer. An object that went meanwhile has no properties. */
export async function readShill(bus: Pick<Bus, 'call'>): Promise<ShillState | null> {
  const manager = await propertiesOf(bus, '/', 'Manager');
  if (manager === null) return null;
  const devices = new Map<string, Promise<ShillDevice>>();
  const device = (path: string): Promise<ShillDevice> => {
    const known = devices.get(path) ?? readDevice(bus, path);
    devices.set(path, known);
    return known;
  };
  return {
    devices: await Promise.all(paths(manager, 'Devices').map(device)),
    services: await Promise.all(paths(manager, 'Services').map((path) => readService(bus, path, device))),
  };
}

async function readDevice(bus: Pick<Bus, 'call'>, path: string): Promise<ShillDevice> {
  const properties = (await propertiesOf(bus, path, 'Device')) ?? NOTHING;
  const configs = paths(properties, 'IPConfigs').map((each) => propertiesOf(bus, each, 'IPConfig'));
  return { properties, ipConfigs: (await Promise.all(configs)).map((config) => config ?? NOTHING) };
}

async function readService(
  bus: Pick<Bus, 'call'>,
  path: string,
  device: (path: string) => Promise<ShillDevice>,
): Promise<ShillService> {
  const properties = (await propertiesOf(bus, path, 'Service')) ?? NOTHING;
  const of = properties.get('Device');
  return { properties, device: typeof of === 'string' && of !== '/' ? await device(of) : null };
}

async function propertiesOf(
  bus: Pick<Bus, 'call'>,
  path: string,
  name: 'Manager' | 'Device' | 'Service' | 'IPConfig',
): Promise<Properties | null> {
  try {
    const { body } = await bus.call({
      destination: SHILL,
      path,
      interface: `${SHILL}.${name}`,
      member: 'GetProperties',
    });
    const [properties] = body;
    if (!(properties instanceof Map)) return null;
    return new Map(
      [...properties].map(([key, value]) => [String(key), value instanceof Variant ? value.value : value]),
    );
  } catch {
    return null; // it is not there, or that object is not there any more: its signal comes
  }
}

function paths(properties: Properties, name: string): readonly string[] {
  const list = properties.get(name);
  return Array.isArray(list) ? list.filter((path) => typeof path === 'string').slice(0, MAX_OBJECTS) : [];
}
