/** How a restarted manager tells its own objects from everybody else's. */

/** ifgroup of every link of ours; the nft table drops what comes from this group and is not yet allowed by an element. "PP". */
export const LINK_GROUP = 0x5050;
/** Links about to be deleted in one request are moved here first. */
export const DOOMED_GROUP = 0x5051;
/** rtm_protocol of our routes and FRA_PROTOCOL of our rules; not in iproute2's rt_protos. */
export const ROUTE_PROTOCOL = 80;
export const ALIAS_PREFIX = 'patchpanel:';
export const TABLE = 'patchpanel';
/** RT_TABLE_MAIN, linux/rtnetlink.h. */
export const MAIN_TABLE = 254;
