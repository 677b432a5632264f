import { ALIAS_PREFIX, DOOMED_GROUP, LINK_GROUP } from '@pp/datapath';
import type { Link } from '@pp/netlink';

/** It carries our tag: the group that our links are born with, the one they die with, or the alias. */
export const isOurs = ({ group, alias }: Pick<Link, 'group' | 'alias'>): boolean =>
  group === LINK_GROUP || group === DOOMED_GROUP || alias.startsWith(ALIAS_PREFIX);
