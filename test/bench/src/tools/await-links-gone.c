/*
 * Says when the last of many links is gone.
 *
 *   await-links-gone PREFIX COUNT
 *
 * Prints "ready", then the CLOCK_MONOTONIC nanoseconds at which the kernel told of the COUNTth deletion of a link whose name begins so.
 */
#include "../program.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

static const char *name_of(struct nlmsghdr *h) {
  int left = IFLA_PAYLOAD(h);
  for (struct rtattr *a = IFLA_RTA(NLMSG_DATA(h)); RTA_OK(a, left); a = RTA_NEXT(a, left))
    if (a->rta_type == IFLA_IFNAME) return RTA_DATA(a);
  return "";
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "await-links-gone PREFIX COUNT\n");
    return 2;
  }
  int left_to_go = atoi(argv[2]), room = 64 << 20;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
  if (fd < 0 || bind(fd, (struct sockaddr *)&links, sizeof links) < 0) die("netlink");
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) die("buffer");
  say_ready();
  static _Alignas(8) char in[65536];
  int64_t at = 0;
  while (left_to_go > 0) {
    ssize_t got = recv(fd, in, sizeof in, 0);
    if (got < 0) die("recv");
    at = now_ns();
    size_t left = got;
    for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
      if (h->nlmsg_type == RTM_DELLINK && strncmp(name_of(h), argv[1], strlen(argv[1])) == 0) left_to_go--;
  }
  printf("%lld\n", (long long)at);
  return 0;
}
