/* The least of netlink that the floors need: build requests in one buffer, send them in one call, count the answers. Any fault ends the program. */
#pragma once
#include "../program.h"
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define NL_ROOM 65536

struct batch {
  char bytes[NL_ROOM];
  size_t length;
  int acks; /* answers to wait for */
};

static inline int netlink_open(int family) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
  if (fd < 0) die("socket");
  struct sockaddr_nl any = {.nl_family = AF_NETLINK};
  if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0) die("bind");
  return fd;
}

/* `size` zeroed bytes at the end of the batch, padded to 4. */
static inline void *grow(struct batch *b, size_t size) {
  size_t start = b->length;
  if (start + NLMSG_ALIGN(size) > NL_ROOM) {
    errno = ENOBUFS;
    die("batch");
  }
  b->length += NLMSG_ALIGN(size);
  return memset(b->bytes + start, 0, NLMSG_ALIGN(size));
}

/* Starts a request; `head` is the family's own header. Gives its offset for `end`. */
static inline size_t begin(struct batch *b, int type, int flags, const void *head, size_t head_size) {
  size_t start = b->length;
  struct nlmsghdr *h = grow(b, sizeof *h);
  h->nlmsg_type = type;
  h->nlmsg_flags = NLM_F_REQUEST | flags;
  if (flags & NLM_F_ACK) b->acks++;
  memcpy(grow(b, head_size), head, head_size);
  return start;
}

static inline void end(struct batch *b, size_t start) {
  ((struct nlmsghdr *)(b->bytes + start))->nlmsg_len = b->length - start;
}

static inline void attr(struct batch *b, int type, const void *value, size_t size) {
  struct nlattr *a = grow(b, NLA_HDRLEN + size);
  a->nla_type = type;
  a->nla_len = NLA_HDRLEN + size;
  memcpy((char *)a + NLA_HDRLEN, value, size);
}

static inline void attr_text(struct batch *b, int type, const char *text) { attr(b, type, text, strlen(text) + 1); }

static void attr_u32(struct batch *b, int type, uint32_t value) { attr(b, type, &value, sizeof value); }

static inline size_t nest(struct batch *b, int type) {
  size_t start = b->length;
  struct nlattr *a = grow(b, NLA_HDRLEN);
  a->nla_type = type | NLA_F_NESTED;
  return start;
}

static inline void nest_end(struct batch *b, size_t start) {
  ((struct nlattr *)(b->bytes + start))->nla_len = b->length - start;
}

static inline void check_ack(const struct nlmsghdr *h, const char *what) {
  const struct nlmsgerr *e = NLMSG_DATA(h);
  if (e->error == 0) return;
  errno = -e->error;
  die(what);
}

/* Sends the batch and waits for its acks; `reply` gets the first answer that is no ack, if wanted. Empties the batch. */
static inline void talk(int fd, struct batch *b, const char *what, char *reply, size_t reply_size) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, b->bytes, b->length, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) die(what);
  static char in[NL_ROOM];
  while (b->acks > 0) {
    ssize_t got = recv(fd, in, sizeof in, 0);
    if (got < 0) die(what);
    size_t left = got;
    for (struct nlmsghdr *h = (void *)in; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type == NLMSG_ERROR) {
        check_ack(h, what);
        b->acks--;
      } else if (reply && h->nlmsg_len <= reply_size) {
        memcpy(reply, h, h->nlmsg_len);
      }
    }
  }
  b->length = 0;
}
