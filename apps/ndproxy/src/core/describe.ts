import {
  ipv6FromBytes,
  linkAddressOf,
  macFromBytes,
  NaFlag,
  NdOptionType,
  RaFlag,
  type NdMessage,
  type NdOption,
} from '@pp/wire';
import type { NdPacket } from './packet';

/** A message in one line, for people: "NS fe80::2 > ff02::1:ff00:1 for 2001:db8::1 slla=02:00:00:00:00:02". */
export function describe({
  source,
  destination,
  message,
}: Pick<NdPacket, 'source' | 'destination' | 'message'>): string {
  const words = [
    NAMES[message.kind],
    `${ipv6FromBytes(source)} > ${ipv6FromBytes(destination)}`,
    ...subject(message),
    ...message.options.map(optionText),
  ];
  return words.filter((word) => word !== '').join(' ');
}

const NAMES = {
  'router-solicit': 'RS',
  'router-advert': 'RA',
  'neighbor-solicit': 'NS',
  'neighbor-advert': 'NA',
  redirect: 'Redirect',
} as const;

function subject(message: NdMessage): readonly string[] {
  switch (message.kind) {
    case 'router-solicit':
      return [];
    case 'router-advert':
      return [
        flags(message.flags, { M: RaFlag.managed, O: RaFlag.other, P: RaFlag.proxy }),
        `lifetime=${message.lifetimeSec}`,
      ];
    case 'neighbor-solicit':
      return [`for ${ipv6FromBytes(message.target)}`];
    case 'neighbor-advert':
      return [
        `of ${ipv6FromBytes(message.target)}`,
        flags(message.flags, { R: NaFlag.router, S: NaFlag.solicited, O: NaFlag.override }),
      ];
    case 'redirect':
      return [`${ipv6FromBytes(message.destination)} by ${ipv6FromBytes(message.target)}`];
  }
}

const flags = (value: number, names: Readonly<Record<string, number>>): string =>
  Object.entries(names)
    .filter(([, mask]) => (value & mask) !== 0)
    .map(([name]) => name)
    .join('');

const OPTION_NAMES = new Map<number, string>([
  [NdOptionType.sourceLinkAddress, 'slla'],
  [NdOptionType.targetLinkAddress, 'tlla'],
  [NdOptionType.prefixInformation, 'prefix'],
  [NdOptionType.redirectedHeader, 'redirected'],
  [NdOptionType.mtu, 'mtu'],
  [NdOptionType.nonce, 'nonce'],
  [NdOptionType.routeInformation, 'route'],
  [NdOptionType.rdnss, 'rdnss'],
  [NdOptionType.dnssl, 'dnssl'],
]);

function optionText(option: NdOption): string {
  const name = OPTION_NAMES.get(option.type) ?? `option-${option.type}`;
  const mac = name.endsWith('lla') ? linkAddressOf(option) : null;
  return mac === null ? name : `${name}=${macFromBytes(mac)}`;
}
