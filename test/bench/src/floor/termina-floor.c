/*
 * The floor under TerminaVmStartup: the same TAP, qdisc, address, route and elements by ioctl and raw netlink, one socket per family.
 *
 *   termina-floor IFNAME OWNER HOST_ADDRESS PREFIX_LENGTH GUEST CONTAINERS CONTAINERS_LENGTH ALIAS GROUP [SET:KEYHEX[:CHAIN]]...
 *
 * Reads "start" and "stop" from standard input, one a line, and answers each with the nanoseconds that it took.
 */
#include "elements.h"
#include "veth.h"
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>

static struct {
  const char *ifname, *alias;
  unsigned long owner;
  in_addr_t host, guest, containers;
  int prefix, containers_prefix;
  uint32_t group;
  const uint8_t *mac;
} tap;

static int rt, nf;
static struct batch b;

/* A TAP that stays when its descriptor, which is returned, is closed. */
static int make_tap(void) {
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) die("/dev/net/tun");
  struct ifreq request = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL)};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", tap.ifname);
  if (ioctl(fd, TUNSETIFF, &request) < 0) die("TUNSETIFF");
  if (ioctl(fd, TUNSETOWNER, tap.owner) < 0) die("TUNSETOWNER");
  struct ifreq mac = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
  memcpy(mac.ifr_hwaddr.sa_data, tap.mac, 6);
  if (ioctl(fd, SIOCSIFHWADDR, &mac) < 0) die("SIOCSIFHWADDR");
  if (ioctl(fd, TUNSETPERSIST, 1UL) < 0) die("TUNSETPERSIST");
  return fd;
}

static void set_group_alias_up(uint32_t index) {
  struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  size_t request = begin(&b, RTM_SETLINK, NLM_F_ACK, &link, sizeof link);
  attr_u32(&b, IFLA_GROUP, tap.group);
  attr(&b, IFLA_IFALIAS, tap.alias, strlen(tap.alias));
  end(&b, request);
}

/* As the manager has it: a TAP has a queue of its own. */
static void set_no_queue(uint32_t index) {
  struct tcmsg head = {.tcm_ifindex = index, .tcm_parent = TC_H_ROOT};
  size_t request = begin(&b, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, &head, sizeof head);
  attr_text(&b, TCA_KIND, "noqueue");
  end(&b, request);
}

static void add_containers_route(uint32_t index) {
  struct rtmsg head = {
      .rtm_family = AF_INET,
      .rtm_dst_len = tap.containers_prefix,
      .rtm_table = RT_TABLE_MAIN,
      .rtm_protocol = PROTOCOL,
      .rtm_scope = RT_SCOPE_UNIVERSE,
      .rtm_type = RTN_UNICAST,
  };
  size_t request = begin(&b, RTM_NEWROUTE, ADD, &head, sizeof head);
  attr(&b, RTA_DST, &tap.containers, sizeof tap.containers);
  attr(&b, RTA_GATEWAY, &tap.guest, sizeof tap.guest);
  attr_u32(&b, RTA_OIF, index);
  end(&b, request);
}

static void start_guest(void) {
  int fd = make_tap();
  uint32_t index = index_of(rt, &b, tap.ifname);
  set_no_queue(index);
  set_group_alias_up(index);
  add_address(&b, index, tap.host, tap.prefix);
  add_containers_route(index);
  talk(rt, &b, "tap", NULL, 0);
  change_elements(nf, &b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
  close(fd);
}

static void stop_guest(void) {
  change_elements(nf, &b, NFT_MSG_DELSETELEM, 0);
  delete_link(&b, tap.ifname);
  talk(rt, &b, "delete", NULL, 0);
}

static void parse(int argc, char **argv) {
  if (argc < 10) {
    fprintf(stderr, "termina-floor IFNAME OWNER HOST_ADDRESS PREFIX_LENGTH GUEST CONTAINERS CONTAINERS_LENGTH ALIAS GROUP "
                    "[SET:KEYHEX[:CHAIN]]...\n");
    exit(2);
  }
  parse_elements(argc - 10, argv + 10);
  tap.ifname = argv[1];
  tap.owner = strtoul(argv[2], NULL, 0);
  tap.host = inet_addr(argv[3]);
  tap.prefix = atoi(argv[4]);
  tap.guest = inet_addr(argv[5]);
  tap.containers = inet_addr(argv[6]);
  tap.containers_prefix = atoi(argv[7]);
  tap.alias = argv[8];
  tap.group = strtoul(argv[9], NULL, 0);
  tap.mac = mac_in("host_mac"); /* the rules expect that address */
  if (!tap.mac) {
    fprintf(stderr, "no element of host_mac\n");
    exit(2);
  }
}

int main(int argc, char **argv) {
  parse(argc, argv);
  rt = netlink_open(NETLINK_ROUTE);
  nf = netlink_open(NETLINK_NETFILTER);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    int64_t start = now_ns();
    if (strncmp(line, "start", 5) == 0) start_guest();
    else stop_guest();
    printf("%lld\n", (long long)(now_ns() - start));
    fflush(stdout);
  }
  return 0;
}
