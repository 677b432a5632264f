/*
 * The floor under releasing many namespaces at once: veths regrouped one by one, then deleted by their group in one request.
 *
 *   release-floor PID...     one veth into the namespace of each
 *
 * Reads "make" and "release" from standard input, one a line, and answers each with the nanoseconds that it took.
 */
#include "veth.h"

#define GROUP 0x5050
#define DOOMED 0x5051

static int rt, count;
static struct batch b;

static void name_of(int i, char name[IFNAMSIZ]) { snprintf(name, IFNAMSIZ, "arc_ns%u", i % 100000u); }

static void make(char **pids) {
  for (int i = 0; i < count; i++) {
    char host[IFNAMSIZ];
    name_of(i, host);
    struct pair pair = {
        .host = host,
        .peer = "veth0",
        .alias = "patchpanel:floor",
        .gateway = htonl(0x0ac80001 + 4 * i), /* 10.200.0.1 and on */
        .prefix = 30,
        .group = GROUP,
    };
    connect_pair(rt, &b, &pair, atoi(pids[i]));
  }
}

static void release(void) {
  for (int i = 0; i < count; i++) {
    char host[IFNAMSIZ];
    name_of(i, host);
    set_group(&b, host, DOOMED);
  }
  talk(rt, &b, "regroup", NULL, 0);
  delete_group(&b, DOOMED);
  talk(rt, &b, "delete group", NULL, 0);
}

int main(int argc, char **argv) {
  count = argc - 1;
  rt = netlink_open(NETLINK_ROUTE);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    int64_t start = now_ns();
    if (strncmp(line, "make", 4) == 0) make(argv + 1);
    else release();
    printf("%lld\n", (long long)(now_ns() - start));
    fflush(stdout);
  }
  return 0;
}
