import { DBUS_ERROR, DBusError } from '../errors';
import { introspectionXml } from './introspect';
import { serveInterface, type ObjectTree, type ServedInterface } from './object-tree';
import type { InterfaceSpec, MethodCall } from './spec';

// D-Bus Specification, "Standard Interfaces"

export const PEER = 'org.freedesktop.DBus.Peer';

const PEER_SPEC: InterfaceSpec = {
  name: PEER,
  methods: [
    { name: 'Ping', in: [], out: [] },
    { name: 'GetMachineId', in: [], out: [{ name: 'machine_uuid', type: 's' }] },
  ],
};

const INTROSPECTABLE_SPEC: InterfaceSpec = {
  name: 'org.freedesktop.DBus.Introspectable',
  methods: [{ name: 'Introspect', in: [], out: [{ name: 'xml_data', type: 's' }] }],
};

const INTERFACE_ARG = { name: 'interface_name', type: 's' };
const PROPERTY_ARG = { name: 'property_name', type: 's' };

const PROPERTIES_SPEC: InterfaceSpec = {
  name: 'org.freedesktop.DBus.Properties',
  methods: [
    { name: 'Get', in: [INTERFACE_ARG, PROPERTY_ARG], out: [{ name: 'value', type: 'v' }] },
    { name: 'Set', in: [INTERFACE_ARG, PROPERTY_ARG, { name: 'value', type: 'v' }], out: [] },
    { name: 'GetAll', in: [INTERFACE_ARG], out: [{ name: 'properties', type: 'a{sv}' }] },
  ],
};

const STANDARD_SPECS = [PEER_SPEC, INTROSPECTABLE_SPEC, PROPERTIES_SPEC];

/** What every object answers. No interface of ours has properties. */
export function standardInterfaces(
  tree: ObjectTree,
  machineId: () => Promise<string>,
): readonly ServedInterface[] {
  const noProperty = (call: MethodCall): never => {
    const [interfaceName, property] = call.body;
    refuseUnknownInterface(tree, call);
    throw new DBusError(
      DBUS_ERROR.unknownProperty,
      `${String(interfaceName)} has no property ${String(property)}`,
    );
  };
  return [
    serveInterface(PEER_SPEC, {
      Ping: () => ({}),
      GetMachineId: async () => ({ body: [await machineId()] }),
    }),
    serveInterface(INTROSPECTABLE_SPEC, {
      Introspect: (call) => ({ body: [introspect(tree, call.path)] }),
    }),
    serveInterface(PROPERTIES_SPEC, {
      Get: noProperty,
      Set: noProperty,
      GetAll: (call) => {
        refuseUnknownInterface(tree, call);
        return { body: [new Map()] };
      },
    }),
  ];
}

function introspect(tree: ObjectTree, path: string): string {
  const own = [...(tree.find(path)?.values() ?? [])].map(({ spec }) => spec);
  return introspectionXml([...own, ...STANDARD_SPECS], tree.children(path));
}

/** An empty name means all interfaces. */
function refuseUnknownInterface(tree: ObjectTree, { path, body: [name] }: MethodCall): void {
  const isStandard = STANDARD_SPECS.some((spec) => spec.name === name);
  if (name === '' || isStandard || tree.find(path)?.has(String(name)) === true) return;
  throw new DBusError(DBUS_ERROR.unknownInterface, `${path} has no interface ${String(name)}`);
}
