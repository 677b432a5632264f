/* Whole Ethernet frames, by packet sockets (packet(7)). */
#pragma once
#include "program.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define BATCH 64

/* What passes `code` of the frames of `protocol` (0: none), waiting in `room` bytes. */
static inline int packet_socket(const char *ifname, int protocol, int room, struct sock_filter *code, size_t length) {
  struct sock_fprog filter = {length, code};
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = if_nametoindex(ifname)};
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  return fd;
}

static inline void own_mac(int fd, const char *ifname, unsigned char mac[6]) {
  struct ifreq own = {0};
  strncpy(own.ifr_name, ifname, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &own) < 0) die("address");
  memcpy(mac, own.ifr_hwaddr.sa_data, 6);
}

/* Sends them all: a queue that is full is tried again. */
static inline void send_all(int fd, struct mmsghdr *messages, int count) {
  for (int sent = 0; sent < count;) {
    int n = sendmmsg(fd, messages + sent, count - sent, 0);
    if (n > 0) sent += n;
    else if (errno != ENOBUFS && errno != EAGAIN) die("sendmmsg");
  }
}
