import { assertNever } from '@pp/base';
import type { Op } from './op';

/** The steps, in order, that undo a step that was done. */
export function inverse(op: Op): readonly Op[] {
  switch (op.do) {
    case 'netns.add':
      return [{ do: 'netns.del', netns: op.netns }];
    case 'netns.del':
      return [{ do: 'netns.add', netns: op.netns }];
    case 'link.add':
      return [{ do: 'link.del', link: op.link }];
    case 'link.del':
      return restoredLink(op);
    case 'link.set':
      return [{ do: 'link.set', link: op.was, was: op.link }];
    case 'address.add':
      return [{ do: 'address.del', address: op.address }];
    case 'address.del':
      return [{ do: 'address.add', address: op.address }];
    case 'route.add':
      return [{ do: 'route.del', route: op.route }];
    case 'route.del':
      return [{ do: 'route.add', route: op.route }];
    case 'rule.add':
      return [{ do: 'rule.del', rule: op.rule }];
    case 'rule.del':
      return [{ do: 'rule.add', rule: op.rule }];
    case 'nft.load':
      return [{ do: 'nft.load', text: op.was, was: op.text }];
    case 'nft.elements':
      return [{ do: 'nft.elements', add: op.del, del: op.add }];
    case 'sysctl.set':
      return restoredSysctl(op);
    default:
      return assertNever(op);
  }
}

function restoredLink({ link, lost }: Extract<Op, { do: 'link.add' | 'link.del' }>): readonly Op[] {
  return [
    { do: 'link.add', link },
    ...(lost?.linkSysctls ?? []).map((sysctl): Op => ({
      do: 'sysctl.set',
      sysctl,
      was: sysctl.value,
      onlyIf: null,
    })),
    ...(lost?.addresses ?? []).map((address): Op => ({ do: 'address.add', address })),
    ...(lost?.routes ?? []).map((route): Op => ({ do: 'route.add', route })),
  ];
}

/** Only while it still holds what we wrote: what others wrote since is theirs. */
const restoredSysctl = ({ sysctl, was }: Extract<Op, { do: 'sysctl.set' }>): readonly Op[] => [
  { do: 'sysctl.set', sysctl: { key: sysctl.key, value: was }, was: sysctl.value, onlyIf: sysctl.value },
];
