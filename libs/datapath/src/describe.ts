import { assertNever } from '@pp/base';
import type { Element } from './desired';
import { elementText } from './nft/render';
import type { Op } from './op';
import { addressText, attributesText, routeText, ruleText } from './text';

/** A step as an operator would say it: "link.add veth arc_ns0". */
export function describe(op: Op): string {
  switch (op.do) {
    case 'netns.add':
    case 'netns.del':
      return `${op.do} ${op.netns.name}${op.netns.from === null ? '' : ` of pid ${op.netns.from.pid}`}`;
    case 'link.add':
      return `link.add ${op.link.kind} ${op.link.ifname}`;
    case 'link.del':
      return `link.del ${op.link.ifname}`;
    case 'link.set':
      return `link.set ${op.link.ifname} ${attributesText(op.link)}`;
    case 'address.add':
    case 'address.del':
      return `${op.do} ${addressText(op.address)}`;
    case 'route.add':
    case 'route.del':
      return `${op.do} ${routeText(op.route)}`;
    case 'rule.add':
    case 'rule.del':
      return `${op.do} ${ruleText(op.rule)}`;
    case 'nft.load':
      return op.text === null ? 'nft.load nothing' : 'nft.load table inet patchpanel';
    case 'nft.elements':
      return ['nft.elements', ...elementsText('add', op.add), ...elementsText('del', op.del)].join(' ');
    case 'sysctl.set':
      return `sysctl.set ${op.sysctl.key} = ${op.sysctl.value}${op.onlyIf === null ? '' : ` if it is ${op.onlyIf}`}`;
    default:
      return assertNever(op);
  }
}

/** The first one in full: enough to find the guest by. */
function elementsText(verb: string, [first, ...rest]: readonly Element[]): readonly string[] {
  if (first === undefined) return [];
  return [
    `${verb} ${first.set} { ${elementText(first)} }${rest.length === 0 ? '' : ` and ${rest.length} more`}`,
  ];
}
