/*
 * Carries frames between a TAP of the host and a second TAP that it makes in a guest's network namespace, as a VMM carries them between a
 * TAP and its guest's card: with virtio-net headers and segmentation offload on both, so that 64 kB segments pass whole and nothing is
 * summed on the way. It lives until either TAP goes.
 *
 *   tap-pump TAP PID IFNAME MAC      prints "ready"
 */
#include "../program.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define FRAME (64 * 1024 + 128)

static int open_tap(const char *ifname) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), header = 12; /* struct virtio_net_hdr_mrg_rxbuf, as crosvm has it */
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
  if (fd < 0) die("/dev/net/tun");
  if (ioctl(fd, TUNSETIFF, &request) < 0) die(ifname);
  if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0) die("TUNSETVNETHDRSZ");
  if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) < 0) die("TUNSETOFFLOAD");
  return fd;
}

static void enter(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) die(path);
  close(fd);
}

static void set_address(const char *ifname, const char *mac) {
  struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
  unsigned char *to = (unsigned char *)request.ifr_hwaddr.sa_data;
  strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
  if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) != 6) die(mac);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl(fd, SIOCSIFHWADDR, &request) < 0) die("SIOCSIFHWADDR");
  close(fd);
}

/* As many frames as wait, but not for ever: the other way has its turn. What the receiver has no room for is lost, as on a wire. */
static void carry(int from, int to) {
  static unsigned char frame[FRAME];
  for (int i = 0; i < BATCH; i++) {
    ssize_t length = read(from, frame, sizeof frame);
    if (length < 0 && errno == EAGAIN) return;
    if (length < 0) exit(0); /* its TAP is gone */
    if (write(to, frame, length) < 0 && errno == EBADFD) exit(0);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "tap-pump TAP PID IFNAME MAC\n");
    return 2;
  }
  int outside = open_tap(argv[1]);
  enter(argv[2]);
  int inside = open_tap(argv[3]);
  set_address(argv[3], argv[4]);
  say_ready();
  for (struct pollfd ready[2] = {{outside, POLLIN, 0}, {inside, POLLIN, 0}};;) {
    if (poll(ready, 2, -1) < 0) die("poll");
    if (ready[0].revents != 0) carry(outside, inside);
    if (ready[1].revents != 0) carry(inside, outside);
  }
}
