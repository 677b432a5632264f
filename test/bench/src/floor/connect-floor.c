/*
 * The floor under ConnectNamespace: the same kernel objects by raw netlink, one socket per family and namespace.
 *
 *   connect-floor HOST_IFNAME PEER_IFNAME GATEWAY PREFIX_LENGTH ALIAS GROUP [SET:KEYHEX[:CHAIN]]...
 *
 * Reads "connect PID" and "delete" from standard input, one a line, and answers each with the nanoseconds that it took.
 */
#include "veth.h"
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define TABLE "patchpanel"

struct element {
  const char *set, *chain; /* chain: NULL but in verdict maps */
  uint8_t key[64];
  size_t key_size;
};

static struct pair links;
static struct element elements[16];
static int element_count;

static int rt, nf;
static struct batch b;

static size_t unhex(const char *hex, uint8_t *out, size_t room) {
  size_t n = 0;
  unsigned byte;
  while (n < room && sscanf(hex + 2 * n, "%2x", &byte) == 1) out[n++] = byte;
  return n;
}

static struct element parse_element(char *text) {
  struct element e = {.set = strtok(text, ":")};
  char *key = strtok(NULL, ":");
  e.chain = strtok(NULL, ":");
  if (!key || !(e.key_size = unhex(key, e.key, sizeof e.key))) {
    fprintf(stderr, "element: use SET:KEYHEX[:CHAIN]\n");
    exit(2);
  }
  return e;
}

static void batch_mark(int type) {
  struct nfgenmsg head = {.nfgen_family = AF_UNSPEC, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  end(&b, begin(&b, type, 0, &head, sizeof head));
}

static void element_request(int type, int flags, const struct element *e) {
  struct nfgenmsg head = {.nfgen_family = NFPROTO_INET};
  size_t request = begin(&b, NFNL_SUBSYS_NFTABLES << 8 | type, flags | NLM_F_ACK, &head, sizeof head);
  attr_text(&b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
  attr_text(&b, NFTA_SET_ELEM_LIST_SET, e->set);
  size_t list = nest(&b, NFTA_SET_ELEM_LIST_ELEMENTS);
  size_t item = nest(&b, NFTA_LIST_ELEM);
  size_t key = nest(&b, NFTA_SET_ELEM_KEY);
  attr(&b, NFTA_DATA_VALUE, e->key, e->key_size);
  nest_end(&b, key);
  if (e->chain) {
    size_t data = nest(&b, NFTA_SET_ELEM_DATA);
    size_t verdict = nest(&b, NFTA_DATA_VERDICT);
    attr_u32(&b, NFTA_VERDICT_CODE, htonl(NFT_JUMP));
    attr_text(&b, NFTA_VERDICT_CHAIN, e->chain);
    nest_end(&b, verdict);
    nest_end(&b, data);
  }
  nest_end(&b, item);
  nest_end(&b, list);
  end(&b, request);
}

static void change_elements(int type, int flags) {
  if (element_count == 0) return;
  batch_mark(NFNL_MSG_BATCH_BEGIN);
  for (int i = 0; i < element_count; i++) element_request(type, flags, &elements[i]);
  batch_mark(NFNL_MSG_BATCH_END);
  talk(nf, &b, "elements", NULL, 0);
}

static void connect_namespace(int pid) {
  connect_pair(rt, &b, &links, pid);
  change_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
}

static void delete_namespace(void) {
  change_elements(NFT_MSG_DELSETELEM, 0);
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
  for (int i = 7; i < argc && element_count < 16; i++) {
    struct element *e = &elements[element_count++];
    *e = parse_element(argv[i]);
    if (strcmp(e->set, "guest_mac") == 0) links.peer_mac = e->key + 16; /* ifname . ether_addr: the peer must have that address */
  }
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
