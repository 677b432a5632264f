/*
 * Asks and answers neighbour solicitations (RFC 4861), by packet sockets. Targets are 2001:db8:1::/64 with a number in the last 32 bits;
 * the asker is 2001:db8:1::a:0:0.
 *
 *   nd-traffic answer IF                        prints "ready"; advertises whatever is asked for, until it is killed
 *   nd-traffic ask IF FIRST COUNT               asks for COUNT targets, one after the other; prints a line of nanoseconds, -1 for no answer
 *   nd-traffic flood IF RATE MILLISECONDS COUNT asks RATE times a second, going round COUNT targets; prints "SENT ANSWERED"
 */
#include "../packets.h"
#include <poll.h>

#define FRAME 86 /* Ethernet 14, IPv6 40, ICMPv6 24, one option 8 */
#define NS 135
#define NA 136
#define ANSWER_NS 500000000LL
#define PAUSE_NS 2000000 /* between two questions: what a proxy does after its answer is not measured */

static unsigned char mac[6];

/* Only messages of `type` that come in. */
static int open_socket(const char *ifname, int type) {
  struct sock_filter code[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, SKF_AD_OFF + SKF_AD_PKTTYPE}, {BPF_JMP | BPF_JEQ | BPF_K, 5, 0, PACKET_OUTGOING},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 20},                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 58},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 54},                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, type},
      {BPF_RET | BPF_K, 0, 0, 0xffff},                               {BPF_RET | BPF_K, 0, 0, 0},
  };
  int fd = packet_socket(ifname, ETH_P_IPV6, 32 << 20, code, sizeof code / sizeof *code);
  struct packet_mreq all = {.mr_ifindex = if_nametoindex(ifname), .mr_type = PACKET_MR_ALLMULTI};
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0) die("allmulti");
  own_mac(fd, ifname, mac);
  return fd;
}

static void set_checksum(unsigned char *f) {
  uint32_t sum = 32 + 58;
  f[56] = f[57] = 0;
  for (int i = 22; i < FRAME; i += 2) sum += f[i] << 8 | f[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  f[56] = ~sum >> 8;
  f[57] = ~sum;
}

static void set_header(unsigned char *f, int type) {
  memset(f, 0, FRAME);
  memcpy(f + 6, mac, 6);
  f[12] = 0x86, f[13] = 0xdd, f[14] = 0x60, f[19] = 32, f[20] = 58, f[21] = 255, f[54] = type;
  f[78] = type == NS ? 1 : 2, f[79] = 1;
  memcpy(f + 80, mac, 6);
}

static void set_target(unsigned char *at, uint32_t number) {
  static const unsigned char prefix[8] = {0x20, 1, 0x0d, 0xb8, 0, 1};
  memcpy(at, prefix, 8);
  memset(at + 8, 0, 4);
  number = htonl(number);
  memcpy(at + 12, &number, 4);
}

static void solicitation(unsigned char *f, uint32_t number) {
  static const unsigned char group[13] = {0xff, 2, [11] = 1, [12] = 0xff};
  set_header(f, NS);
  set_target(f + 22, 0);
  f[33] = 0x0a; /* the asker */
  set_target(f + 62, number);
  memcpy(f + 38, group, 13);
  memcpy(f + 51, f + 75, 3);
  f[0] = f[1] = 0x33;
  memcpy(f + 2, f + 50, 4);
  set_checksum(f);
}

static uint32_t target_of(const unsigned char *f) {
  uint32_t number;
  memcpy(&number, f + 74, 4);
  return ntohl(number);
}

static unsigned char frames[2][BATCH][2048];
static struct mmsghdr messages[2][BATCH];
static struct iovec parts[2][BATCH];

static void prepare(void) {
  for (int way = 0; way < 2; way++)
    for (int i = 0; i < BATCH; i++) {
      parts[way][i] = (struct iovec){frames[way][i], way == 0 ? 2048 : FRAME};
      messages[way][i].msg_hdr = (struct msghdr){.msg_iov = &parts[way][i], .msg_iovlen = 1};
    }
}

static void answer(int fd) {
  say_ready();
  for (;;) {
    int n = recvmmsg(fd, messages[0], BATCH, MSG_WAITFORONE, NULL);
    if (n < 0) die("recvmmsg");
    for (int i = 0; i < n; i++) {
      unsigned char *asked = frames[0][i], *f = frames[1][i];
      set_header(f, NA);
      memcpy(f, asked + 6, 6);
      memcpy(f + 22, asked + 62, 16);
      memcpy(f + 38, asked + 22, 16);
      f[58] = 0x60;
      f[83] ^= 0x40, f[84] ^= asked[76], f[85] ^= asked[77] & 0xe0; /* 32 addresses behind one Ethernet address, as of a host */
      memcpy(f + 62, asked + 62, 16);
      set_checksum(f);
    }
    send_all(fd, messages[1], n);
  }
}

static int64_t ask(int fd, uint32_t number) {
  unsigned char *f = frames[1][0], reply[2048];
  solicitation(f, number);
  int64_t start = now_ns();
  if (send(fd, f, FRAME, 0) < 0) die("send");
  for (int64_t left = ANSWER_NS; left > 0; left = start + ANSWER_NS - now_ns()) {
    struct pollfd ready = {fd, POLLIN, 0};
    if (poll(&ready, 1, left / 1000000 + 1) <= 0) continue;
    if (recv(fd, reply, sizeof reply, 0) >= FRAME && target_of(reply) == number) return now_ns() - start;
  }
  return -1;
}

static long drain(int fd) {
  long received = 0;
  for (int n; (n = recvmmsg(fd, messages[0], BATCH, MSG_DONTWAIT, NULL)) > 0;) received += n;
  return received;
}

static void flood(int fd, double rate, int64_t span, uint32_t targets) {
  long sent = 0, received = 0;
  int64_t start = now_ns(), passed;
  while ((passed = now_ns() - start) < span) {
    long due = passed * rate / 1e9 - sent;
    if (due > BATCH) due = BATCH;
    for (int i = 0; i < due; i++) solicitation(frames[1][i], 1 + (sent + i) % targets);
    send_all(fd, messages[1], due);
    sent += due > 0 ? due : 0;
    received += drain(fd);
    if (due <= 0) nanosleep(&(struct timespec){0, 50000}, NULL);
  }
  for (int64_t end = now_ns() + ANSWER_NS; now_ns() < end; received += drain(fd)) nanosleep(&(struct timespec){0, 1000000}, NULL);
  printf("%ld %ld\n", sent, received);
}

int main(int argc, char **argv) {
  prepare();
  if (argc == 3 && strcmp(argv[1], "answer") == 0) {
    answer(open_socket(argv[2], NS));
  } else if (argc == 5 && strcmp(argv[1], "ask") == 0) {
    int fd = open_socket(argv[2], NA);
    uint32_t first = strtoul(argv[3], NULL, 10), count = strtoul(argv[4], NULL, 10);
    for (uint32_t i = 0; i < count; i++) {
      printf("%lld ", (long long)ask(fd, first + i));
      nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
    }
    puts("");
  } else if (argc == 6 && strcmp(argv[1], "flood") == 0) {
    flood(open_socket(argv[2], NA), atof(argv[3]), atoll(argv[4]) * 1000000, strtoul(argv[5], NULL, 10));
  } else {
    fprintf(stderr, "nd-traffic answer IF | ask IF FIRST COUNT | flood IF RATE MILLISECONDS COUNT\n");
    return 2;
  }
  return 0;
}
