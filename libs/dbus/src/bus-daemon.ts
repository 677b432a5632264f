/** The message bus itself (D-Bus Specification, "Message Bus Messages"). */
export const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const;

/** For match rules: signals of the bus itself, whose name nobody else can have. */
export const FROM_BUS = { sender: BUS.destination, path: BUS.path, interface: BUS.interface } as const;
