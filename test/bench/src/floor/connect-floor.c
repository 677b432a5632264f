/*
 * The floor under ConnectNamespace: the same kernel objects by raw netlink, one socket per family and namespace.
 *
 *   connect-floor HOST_IFNAME PEER_IFNAME GATEWAY PREFIX_LENGTH ALIAS GROUP [SET:KEYHEX[:CHAIN]]...
 *
 * Reads "connect PID" and "delete" from standard input, one a line, and answers each with the nanoseconds that it took.
 */
#include "elements.h"
#include "veth.h"

static struct pair links;
static int rt, nf;
static struct batch b;

static void connect_namespace(int pid) {
  connect_pair(rt, &b, &links, pid);
  change_elements(nf, &b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
}

static void delete_namespace(void) {
  change_elements(nf, &b, NFT_MSG_DELSETELEM, 0);
  delete_link(&b, links.host);
  talk(rt, &b, "delete", NULL, 0);
}

static void parse(int argc, char **argv) {
  if (argc < 7) {
    fprintf(stderr, "connect-floor HOST_IFNAME PEER_IFNAME GATEWAY PREFIX_LENGTH ALIAS GROUP [SET:KEYHEX[:CHAIN]]...\n");
    exit(2);
  }
  links = (struct pair){
      .host = argv[1],
      .peer = argv[2],
      .gateway = inet_addr(argv[3]),
      .prefix = atoi(argv[4]),
      .alias = argv[5],
      .group = strtoul(argv[6], NULL, 0),
  };
  parse_elements(argc - 7, argv + 7);
  links.peer_mac = mac_in("guest_mac"); /* the peer must have that address */
}

int main(int argc, char **argv) {
  parse(argc, argv);
  rt = netlink_open(NETLINK_ROUTE);
  nf = netlink_open(NETLINK_NETFILTER);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    int pid;
    int64_t start = now_ns();
    if (sscanf(line, "connect %d", &pid) == 1) connect_namespace(pid);
    else delete_namespace();
    printf("%lld\n", (long long)(now_ns() - start));
    fflush(stdout);
  }
  return 0;
}
