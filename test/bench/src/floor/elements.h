/* What a guest adds to the sets and maps of the manager's table, as requests of nf_tables. */
#pragma once
#include "netlink.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define TABLE "patchpanel"
#define MOST_ELEMENTS 64

struct element {
  const char *set, *chain; /* chain: NULL but in verdict maps */
  uint8_t key[64];
  size_t key_size;
};

static struct element elements[MOST_ELEMENTS];
static int element_count;

static inline size_t unhex(const char *hex, uint8_t *out, size_t room) {
  size_t n = 0;
  unsigned byte;
  while (n < room && sscanf(hex + 2 * n, "%2x", &byte) == 1) out[n++] = byte;
  return n;
}

static inline struct element parse_element(char *text) {
  struct element e = {.set = strtok(text, ":")};
  char *key = strtok(NULL, ":");
  e.chain = strtok(NULL, ":");
  if (!key || !(e.key_size = unhex(key, e.key, sizeof e.key))) {
    fprintf(stderr, "element: use SET:KEYHEX[:CHAIN]\n");
    exit(2);
  }
  return e;
}

static inline void batch_mark(struct batch *b, int type) {
  struct nfgenmsg head = {.nfgen_family = AF_UNSPEC, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
  end(b, begin(b, type, 0, &head, sizeof head));
}

static inline void element_request(struct batch *b, int type, int flags, const struct element *e) {
  struct nfgenmsg head = {.nfgen_family = NFPROTO_INET};
  size_t request = begin(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags | NLM_F_ACK, &head, sizeof head);
  attr_text(b, NFTA_SET_ELEM_LIST_TABLE, TABLE);
  attr_text(b, NFTA_SET_ELEM_LIST_SET, e->set);
  size_t list = nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
  size_t item = nest(b, NFTA_LIST_ELEM);
  size_t key = nest(b, NFTA_SET_ELEM_KEY);
  attr(b, NFTA_DATA_VALUE, e->key, e->key_size);
  nest_end(b, key);
  if (e->chain) {
    size_t data = nest(b, NFTA_SET_ELEM_DATA);
    size_t verdict = nest(b, NFTA_DATA_VERDICT);
    attr_u32(b, NFTA_VERDICT_CODE, htonl(NFT_JUMP));
    attr_text(b, NFTA_VERDICT_CHAIN, e->chain);
    nest_end(b, verdict);
    nest_end(b, data);
  }
  nest_end(b, item);
  nest_end(b, list);
  end(b, request);
}

/* All of `elements` in one transaction; `nf` is a socket of netfilter. */
static inline void change_elements(int nf, struct batch *b, int type, int flags) {
  if (element_count == 0) return;
  batch_mark(b, NFNL_MSG_BATCH_BEGIN);
  for (int i = 0; i < element_count; i++) element_request(b, type, flags, &elements[i]);
  batch_mark(b, NFNL_MSG_BATCH_END);
  talk(nf, b, "elements", NULL, 0);
}

/* Takes all of `texts`. */
static inline void parse_elements(int count, char **texts) {
  if (count > MOST_ELEMENTS) {
    fprintf(stderr, "at most %d elements\n", MOST_ELEMENTS);
    exit(2);
  }
  for (; element_count < count; element_count++) elements[element_count] = parse_element(texts[element_count]);
}

/* The address of a pair of ifname . ether_addr in that set; NULL if there is none. */
static inline const uint8_t *mac_in(const char *set) {
  for (int i = 0; i < element_count; i++)
    if (strcmp(elements[i].set, set) == 0) return elements[i].key + 16;
  return NULL;
}
