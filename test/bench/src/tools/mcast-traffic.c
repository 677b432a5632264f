/*
 * Sends and hears multicast DNS (RFC 6762), each packet with the time of its sending in its name, so that no two are alike.
 *
 *   mcast-traffic send IF query|response RATE MILLISECONDS   prints how many it sent
 *   mcast-traffic hear IF MILLISECONDS                       prints "ready", and after that time "HEARD P50_NANOSECONDS"
 */
#include "../program.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#define GROUP "224.0.0.251"
#define PORT 5353
#define BATCH 64
#define BYTES 512
#define MAX_HEARD 4000000
#define DIGITS 16 /* the name's first label: nanoseconds in hexadecimal */

static int open_socket(const char *ifname) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, zero = 0, ttl = 255, size = 64 << 20;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  struct ip_mreqn group = {.imr_ifindex = (int)if_nametoindex(ifname)};
  inet_pton(AF_INET, GROUP, &group.imr_multiaddr);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &zero, sizeof zero);
  setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
  if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group) < 0) die("interface");
  if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) < 0) die("join");
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  return fd;
}

static size_t put(uint8_t *out, const char *bytes, size_t count) {
  memcpy(out, bytes, count);
  return count;
}

#define PUT(text) length += put(out + length, text, sizeof text - 1)

/* A question for a service; its name begins at byte 12. */
static size_t make_query(uint8_t *out) {
  size_t length = 0;
  PUT("\0\0\0\0\0\1\0\0\0\0\0\0");
  PUT("\x10" "0000000000000000" "\6_bench\4_udp\5local\0");
  PUT("\0\x21\0\1");
  return length;
}

/* What a responder says of a service: SRV (whose owner begins at byte 12), TXT, PTR, and the address of its host. */
static size_t make_response(uint8_t *out) {
  size_t length = 0;
  PUT("\0\0\x84\0\0\0\0\4\0\0\0\0");
  PUT("\x10" "0000000000000000" "\6_bench\4_udp\5local\0");
  PUT("\0\x21\x80\1\0\0\0\x78\0\x12\0\0\0\0\2\x77");
  PUT("\x09" "benchhost\xc0\x29"); /* "local" begins at 12 + 17 + 7 + 5 */
  PUT("\xc0\x0c\0\x10\x80\1\0\0\x11\x94\0\x0f\4a=bc\5d=efg\3h=i");
  PUT("\xc0\x1d\0\x0c\0\1\0\0\x11\x94\0\2\xc0\x0c");
  PUT("\xc0\x40\0\1\x80\1\0\0\0\x78\0\4\xc6\x12\0\7");
  return length;
}

static void send_all(const char *ifname, const char *kind, double rate, int span_ms) {
  static uint8_t packets[BATCH][BYTES];
  struct iovec pieces[BATCH];
  struct mmsghdr headers[BATCH];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
  inet_pton(AF_INET, GROUP, &to.sin_addr);
  int fd = open_socket(ifname);
  for (int i = 0; i < BATCH; i++) {
    size_t length = strcmp(kind, "query") == 0 ? make_query(packets[i]) : make_response(packets[i]);
    pieces[i] = (struct iovec){packets[i], length};
    headers[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &pieces[i], .msg_iovlen = 1}};
  }
  int64_t start = now_ns(), end = start + span_ms * 1000000LL;
  long sent = 0;
  for (int64_t now = start; now < end; now = now_ns()) {
    long due = (long)((double)(now - start) * rate / 1e9) - sent;
    if (due <= 0) {
      struct timespec pause = {0, 200000};
      nanosleep(&pause, NULL);
      continue;
    }
    int count = due > BATCH ? BATCH : (int)due;
    for (int i = 0; i < count; i++) {
      char digits[DIGITS + 1];
      snprintf(digits, sizeof digits, "%016llx", (unsigned long long)(now_ns() + i)); /* none twice */
      memcpy(packets[i] + 13, digits, DIGITS);
    }
    int done = sendmmsg(fd, headers, (unsigned)count, 0);
    if (done < 0 && errno != ENOBUFS) die("sendmmsg");
    if (done > 0) sent += done;
  }
  printf("%ld\n", sent);
}

typedef struct {
  uint64_t sent_ns; /* tells packets apart, too */
  int64_t delay_ns;
} heard_packet;

static heard_packet heard_packets[MAX_HEARD];

/* By packet, the quickest copy first. */
static int by_packet(const void *a, const void *b) {
  const heard_packet *left = a, *right = b;
  if (left->sent_ns != right->sent_ns) return left->sent_ns < right->sent_ns ? -1 : 1;
  return left->delay_ns < right->delay_ns ? -1 : left->delay_ns > right->delay_ns;
}

static int by_delay(const void *a, const void *b) {
  const heard_packet *left = a, *right = b;
  return left->delay_ns < right->delay_ns ? -1 : left->delay_ns > right->delay_ns;
}

/* A relay may put records of several packets into one, and those of one into several: every name of ours is noted. */
static long note(const uint8_t *bytes, size_t length, long heard) {
  int64_t now = now_ns();
  for (size_t at = 12; at + DIGITS < length && heard < MAX_HEARD; at++) {
    if (bytes[at] != DIGITS || bytes[at + DIGITS + 1] != 6 || memcmp(bytes + at + DIGITS + 2, "_bench", 6) != 0) continue;
    char digits[DIGITS + 1] = {0};
    memcpy(digits, bytes + at + 1, DIGITS);
    uint64_t sent = strtoull(digits, NULL, 16);
    heard_packets[heard++] = (heard_packet){sent, now - (int64_t)sent};
    at += DIGITS;
  }
  return heard;
}

/* Each packet once. */
static long without_copies(long heard) {
  qsort(heard_packets, (size_t)heard, sizeof *heard_packets, by_packet);
  long kept = 0;
  for (long i = 0; i < heard; i++)
    if (kept == 0 || heard_packets[kept - 1].sent_ns != heard_packets[i].sent_ns) heard_packets[kept++] = heard_packets[i];
  return kept;
}

static void hear_all(const char *ifname, int span_ms) {
  static uint8_t packets[BATCH][9000];
  struct iovec pieces[BATCH];
  struct mmsghdr headers[BATCH];
  int fd = open_socket(ifname);
  for (int i = 0; i < BATCH; i++) {
    pieces[i] = (struct iovec){packets[i], sizeof packets[i]};
    headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
  }
  say_ready();
  long heard = 0;
  int64_t end = now_ns() + span_ms * 1000000LL;
  for (int64_t now = now_ns(); now < end; now = now_ns()) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, (int)((end - now) / 1000000) + 1) <= 0) continue;
    int count = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) heard = note(packets[i], headers[i].msg_len, heard);
  }
  heard = without_copies(heard);
  qsort(heard_packets, (size_t)heard, sizeof *heard_packets, by_delay);
  printf("%ld %lld\n", heard, heard > 0 ? (long long)heard_packets[heard / 2].delay_ns : -1);
}

int main(int argc, char **argv) {
  if (argc == 6 && strcmp(argv[1], "send") == 0) send_all(argv[2], argv[3], atof(argv[4]), atoi(argv[5]));
  else if (argc == 4 && strcmp(argv[1], "hear") == 0) hear_all(argv[2], atoi(argv[3]));
  else {
    fprintf(stderr, "usage: mcast-traffic send IF query|response RATE MILLISECONDS | hear IF MILLISECONDS\n");
    return 2;
  }
  return 0;
}
