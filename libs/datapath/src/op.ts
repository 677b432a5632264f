import type { Address, Element, Link, Netns, Part, Route, Rule, Sysctl } from './desired';

/** What vanishes with a link without a step of its own. */
export type Lost = Pick<Part, 'addresses' | 'routes' | 'linkSysctls'>;

/** One step towards the desired state, as data: it can be printed, tested and undone. */
export type Op =
  | { readonly do: 'netns.add' | 'netns.del'; readonly netns: Netns }
  /** `lost`, of a link.del: the kernel drops it with the link; undoing puts it back. Adapters need not look at it. */
  | { readonly do: 'link.add' | 'link.del'; readonly link: Link; readonly lost?: Lost }
  | { readonly do: 'link.set'; readonly link: Link; readonly was: Link }
  | { readonly do: 'address.add' | 'address.del'; readonly address: Address }
  | { readonly do: 'route.add' | 'route.del'; readonly route: Route }
  | { readonly do: 'rule.add' | 'rule.del'; readonly rule: Rule }
  /** The table as one `nft -f` text, replacing the one that `was` describes; null: the table is deleted, or was absent. */
  | { readonly do: 'nft.load'; readonly text: string | null; readonly was: string | null }
  /** One nfnetlink batch: all or nothing. */
  | { readonly do: 'nft.elements'; readonly add: readonly Element[]; readonly del: readonly Element[] }
  /** `onlyIf` set: written only while the key still holds that value; else the step is done without writing. */
  | {
      readonly do: 'sysctl.set';
      readonly sysctl: Sysctl;
      readonly was: string;
      readonly onlyIf: string | null;
    };
