import type { Place } from '@pp/lab';
import { loadNative } from '@pp/native';
import {
  encodeEthernet,
  encodeIcmp6,
  encodeIpv6,
  encodeNd,
  ETHERTYPE_IPV6,
  Icmp6Type,
  linkAddressOption,
  NextHeader,
} from '@pp/wire';
import { bytesOf } from './ndproxy-rig';

export interface MadeUp {
  readonly what: 'solicit' | 'echo';
  readonly count: number;
  /** To this address, and the Ethernet address behind it. */
  readonly to: string;
  readonly mac: Uint8Array;
  /** Ethernet address of the sender. */
  readonly own: Uint8Array;
}

/** Sends messages from `place` by its interface, each from a link-local address that nobody has. */
export function sendMadeUp(place: Place, ifindex: number, { what, count, to, mac, own }: MadeUp): void {
  const native = loadNative();
  const netns = native.openNetns({ pid: place.pid });
  const nobody = (): void => undefined;
  const socket = native.runInNetns(netns, () =>
    native.openPacket({ mode: 'raw', protocol: 0, ifindex, onFrames: nobody, onError: nobody }),
  );
  const destination = bytesOf(to);
  const message =
    what === 'echo'
      ? { type: Icmp6Type.echoRequest, code: 0, body: new Uint8Array(8) }
      : encodeNd({
          kind: 'neighbor-solicit',
          target: destination,
          options: [linkAddressOption('source', own)],
        });
  const frame = (number: number): Uint8Array => {
    const source = bytesOf('fe80::bad:0');
    new DataView(source.buffer).setUint16(14, number);
    const packet = { trafficClass: 0, flowLabel: 0, nextHeader: NextHeader.icmp6, hopLimit: 255 };
    const payload = encodeIpv6({
      ...packet,
      source,
      destination,
      payload: encodeIcmp6(message, source, destination),
    });
    return encodeEthernet({ destination: mac, source: own, etherType: ETHERTYPE_IPV6, payload });
  };
  for (let sent = 0; sent < count; sent += 64)
    socket.send(Array.from({ length: 64 }, (_, i) => frame(sent + i)));
  socket.close();
  native.closeFd(netns);
}
