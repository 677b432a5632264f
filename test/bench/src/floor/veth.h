/* What a connected namespace is made of, as rtnetlink requests. */
#pragma once
#include "netlink.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>

#define PROTOCOL 80 /* patchpanel's */
#define ADD (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)

/* Locally administered, different for each use. */
static inline void next_mac(uint8_t mac[6]) {
  static uint32_t counter;
  uint32_t n = htonl(++counter);
  mac[0] = 0x02;
  mac[1] = 0x77;
  memcpy(mac + 2, &n, 4);
}

/* A veth has a queue for each CPU unless it is told otherwise, takes away all but one and waits for an RCU grace period at either end. */
static inline void one_queue(struct batch *b) {
  attr_u32(b, IFLA_NUM_TX_QUEUES, 1);
  attr_u32(b, IFLA_NUM_RX_QUEUES, 1);
}

/* A veth in `group`, down, without multicast, its peer made directly in the namespace of `pid`, with a MAC of its own unless one is given. */
static inline void add_veth(struct batch *b, const char *name, const char *peer_name, int pid, uint32_t group,
                            const uint8_t *peer_mac) {
  uint8_t mac[6];
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_change = IFF_MULTICAST};
  size_t request = begin(b, RTM_NEWLINK, ADD, &link, sizeof link);
  attr_text(b, IFLA_IFNAME, name);
  attr_u32(b, IFLA_GROUP, group);
  one_queue(b);
  next_mac(mac);
  attr(b, IFLA_ADDRESS, mac, sizeof mac);
  size_t info = nest(b, IFLA_LINKINFO);
  attr_text(b, IFLA_INFO_KIND, "veth");
  size_t data = nest(b, IFLA_INFO_DATA);
  size_t peer = nest(b, VETH_INFO_PEER);
  memcpy(grow(b, sizeof link), &link, sizeof link);
  attr_text(b, IFLA_IFNAME, peer_name);
  attr_u32(b, IFLA_NET_NS_PID, pid);
  next_mac(mac);
  attr(b, IFLA_ADDRESS, peer_mac ? peer_mac : mac, sizeof mac);
  one_queue(b);
  nest_end(b, peer);
  nest_end(b, data);
  nest_end(b, info);
  end(b, request);
}

static inline uint32_t index_of(int rt, struct batch *b, const char *name) {
  union {
    struct nlmsghdr h;
    char bytes[8192];
  } reply = {0};
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
  size_t request = begin(b, RTM_GETLINK, NLM_F_ACK, &link, sizeof link);
  attr_text(b, IFLA_IFNAME, name);
  end(b, request);
  talk(rt, b, "link index", reply.bytes, sizeof reply);
  return ((struct ifinfomsg *)NLMSG_DATA(&reply.h))->ifi_index;
}

/* Which the kernel ignores when it makes a link; of one that is up it costs a look at all IPv6 routes. */
static inline void set_alias(struct batch *b, uint32_t index, const char *alias) {
  struct ifinfomsg link = {.ifi_index = index};
  size_t request = begin(b, RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
  attr(b, IFLA_IFALIAS, alias, strlen(alias));
  end(b, request);
}

static inline void set_up(struct batch *b, uint32_t index) {
  struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  end(b, begin(b, RTM_SETLINK, NLM_F_ACK, &link, sizeof link));
}

static inline void add_address(struct batch *b, uint32_t index, in_addr_t address, int prefix) {
  in_addr_t broadcast = address | htonl(0xffffffffu >> prefix);
  struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = index};
  size_t request = begin(b, RTM_NEWADDR, ADD, &head, sizeof head);
  attr(b, IFA_LOCAL, &address, sizeof address);
  attr(b, IFA_ADDRESS, &address, sizeof address);
  attr(b, IFA_BROADCAST, &broadcast, sizeof broadcast);
  end(b, request);
}

static inline void add_default_route(struct batch *b, in_addr_t gateway, uint32_t index) {
  struct rtmsg head = {
      .rtm_family = AF_INET,
      .rtm_table = RT_TABLE_MAIN,
      .rtm_protocol = PROTOCOL,
      .rtm_scope = RT_SCOPE_UNIVERSE,
      .rtm_type = RTN_UNICAST,
  };
  size_t request = begin(b, RTM_NEWROUTE, ADD, &head, sizeof head);
  attr(b, RTA_GATEWAY, &gateway, sizeof gateway);
  attr_u32(b, RTA_OIF, index);
  end(b, request);
}

static inline void set_group(struct batch *b, const char *name, uint32_t group) {
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
  size_t request = begin(b, RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
  attr_text(b, IFLA_IFNAME, name);
  attr_u32(b, IFLA_GROUP, group);
  end(b, request);
}

static inline void delete_link(struct batch *b, const char *name) {
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
  size_t request = begin(b, RTM_DELLINK, NLM_F_ACK, &link, sizeof link);
  attr_text(b, IFLA_IFNAME, name);
  end(b, request);
}

/* rtnetlink deletes a whole group in one request when no name and no index is given. */
static inline void delete_group(struct batch *b, uint32_t group) {
  struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
  size_t request = begin(b, RTM_DELLINK, NLM_F_ACK, &link, sizeof link);
  attr_u32(b, IFLA_GROUP, group);
  end(b, request);
}

/* A netlink socket in the namespace of `pid`; the thread comes back to its own. */
static inline int route_socket_in(int pid) {
  static int own = -1;
  if (own < 0) own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  int netns = open(path, O_RDONLY | O_CLOEXEC);
  if (netns < 0) die(path);
  if (setns(netns, CLONE_NEWNET) < 0) die("setns");
  int fd = netlink_open(NETLINK_ROUTE);
  if (setns(own, CLONE_NEWNET) < 0) die("setns back");
  close(netns);
  return fd;
}

struct pair {
  const char *host, *peer, *alias;
  in_addr_t gateway; /* the host's end; the peer's is the next one */
  int prefix;
  uint32_t group;
  const uint8_t *peer_mac; /* NULL: a new one for each */
};

/* The links, addresses and the default route of one connected namespace; `rt` is a socket of the host. */
static inline void connect_pair(int rt, struct batch *b, const struct pair *p, int pid) {
  add_veth(b, p->host, p->peer, pid, p->group, p->peer_mac);
  talk(rt, b, "veth", NULL, 0);
  uint32_t index = index_of(rt, b, p->host);
  set_alias(b, index, p->alias);
  set_up(b, index);
  add_address(b, index, p->gateway, p->prefix);
  talk(rt, b, "host end", NULL, 0);
  int inside = route_socket_in(pid);
  index = index_of(inside, b, p->peer);
  set_up(b, index);
  add_address(b, index, htonl(ntohl(p->gateway) + 1), p->prefix);
  add_default_route(b, p->gateway, index);
  talk(inside, b, "peer end", NULL, 0);
  close(inside);
}
