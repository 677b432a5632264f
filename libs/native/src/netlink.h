#ifndef PP_NETLINK_H
#define PP_NETLINK_H

/* Extended acks that do not echo the request, and strict checks of dump requests, where the kernel has them. */
void pp_netlink_details(int fd);

#endif
