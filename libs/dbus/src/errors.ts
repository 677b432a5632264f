/** The errors of the D-Bus specification and of its reference implementation that we send or act on. */
export const DBUS_ERROR = {
  accessDenied: 'org.freedesktop.DBus.Error.AccessDenied',
  disconnected: 'org.freedesktop.DBus.Error.Disconnected',
  failed: 'org.freedesktop.DBus.Error.Failed',
  invalidArgs: 'org.freedesktop.DBus.Error.InvalidArgs',
  limitsExceeded: 'org.freedesktop.DBus.Error.LimitsExceeded',
  nameHasNoOwner: 'org.freedesktop.DBus.Error.NameHasNoOwner',
  noReply: 'org.freedesktop.DBus.Error.NoReply',
  unknownInterface: 'org.freedesktop.DBus.Error.UnknownInterface',
  unknownMethod: 'org.freedesktop.DBus.Error.UnknownMethod',
  unknownObject: 'org.freedesktop.DBus.Error.UnknownObject',
  unknownProperty: 'org.freedesktop.DBus.Error.UnknownProperty',
} as const;

/** An error reply, received or to be sent: `name` is the D-Bus error name, `message` its sentence. */
export class DBusError extends Error {
  override readonly name: string;

  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

/** The other end broke the protocol: nothing after this byte can be trusted, so the connection ends. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Bytes, a signature or a name that the D-Bus specification forbids; the message says what and where. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}
