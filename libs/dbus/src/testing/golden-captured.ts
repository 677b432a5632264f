import { Variant } from '../wire/values';
import { hex, type GoldenMessage } from './golden-message';

/** Captured on a socket of dbus-daemon 1.14.10. */
export const CAPTURED_MESSAGES: readonly GoldenMessage[] = [
  {
    name: 'gdbus to dbus-daemon, a call',
    hex: hex(
      '6c0100010c000000030000007d00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000',
      '02017300140000006f72672e667265656465736b746f702e444275730000000006017300140000006f72672e66726565',
      '6465736b746f702e44427573000000000801670001730000030173000c0000004765744e616d654f776e657200000000',
      '070000006e6f2e7375636800',
    ),
    header: {
      type: 'call',
      serial: 3,
      noReplyExpected: false,
      sender: undefined,
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'GetNameOwner',
      signature: 's',
    },
    unixFds: 0,
    body: ['no.such'],
  },
  {
    name: 'dbus-daemon to gdbus, an error',
    hex: hex(
      '6c03010138000000040000007500000006017300040000003a312e310000000004017300290000006f72672e66726565',
      '6465736b746f702e444275732e4572726f722e4e616d654861734e6f4f776e6572000000000000000501750003000000',
      '080167000173000007017300140000006f72672e667265656465736b746f702e444275730000000033000000436f756c',
      '64206e6f7420676574206f776e6572206f66206e616d6520276e6f2e73756368273a206e6f2073756368206e616d6500',
    ),
    header: {
      type: 'error',
      serial: 4,
      noReplyExpected: true,
      sender: 'org.freedesktop.DBus',
      destination: ':1.1',
      replySerial: 3,
      errorName: 'org.freedesktop.DBus.Error.NameHasNoOwner',
      signature: 's',
    },
    unixFds: 0,
    body: ["Could not get owner of name 'no.such': no such name"],
  },
  {
    name: 'dbus-daemon to dbus-send, a return',
    hex: hex(
      '6c02010138000000030000004500000006017300040000003a312e300000000005017500020000000801670005617b73',
      '767d00000000000007017300140000006f72672e667265656465736b746f702e44427573000000003000000000000000',
      '0900000050726f63657373494400017500000000e15400000a000000556e697855736572494400017500000000000000',
    ),
    header: {
      type: 'return',
      serial: 3,
      noReplyExpected: true,
      sender: 'org.freedesktop.DBus',
      destination: ':1.0',
      replySerial: 2,
      signature: 'a{sv}',
    },
    unixFds: 0,
    body: [
      new Map([
        ['ProcessID', new Variant('u', 21729)],
        ['UnixUserID', new Variant('u', 0)],
      ]),
    ],
  },
  {
    name: 'busctl to dbus-daemon, a call',
    hex: hex(
      '6c01040108000000020000007f00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000',
      '030173000c0000004e616d654861734f776e65720000000002017300140000006f72672e667265656465736b746f702e',
      '444275730000000006017300140000006f72672e667265656465736b746f702e44427573000000000801670001730000',
      '03000000612e6200',
    ),
    header: {
      type: 'call',
      serial: 2,
      noReplyExpected: false,
      sender: undefined,
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'NameHasOwner',
      signature: 's',
    },
    unixFds: 0,
    body: ['a.b'],
  },
  {
    name: 'dbus-daemon to busctl, a signal',
    hex: hex(
      '6c04010109000000020000008d00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000',
      '02017300140000006f72672e667265656465736b746f702e4442757300000000030173000c0000004e616d6541637175',
      '697265640000000006017300040000003a312e3200000000080167000173000007017300140000006f72672e66726565',
      '6465736b746f702e4442757300000000040000003a312e3200',
    ),
    header: {
      type: 'signal',
      serial: 2,
      noReplyExpected: true,
      sender: 'org.freedesktop.DBus',
      destination: ':1.2',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'NameAcquired',
      signature: 's',
    },
    unixFds: 0,
    body: [':1.2'],
  },
];
