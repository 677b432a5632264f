/*
 * Makes traffic, as simple as it can be, for machines with two cores.
 *
 *   traffic udp ADDRESS PORT MILLISECONDS BYTES    sends datagrams of BYTES as fast as it can; prints how many the kernel took
 *   traffic udp-paced ADDRESS PORT MILLISECONDS BYTES RATE
 *                                                  sends RATE datagrams a second, whatever the kernel says; prints how many it took
 *   traffic tcp ADDRESS PORT MILLISECONDS          sends a stream for that long; prints the bytes that the kernel took
 *   traffic tcp-sink ADDRESS PORT                  prints "ready"; accepts one stream after the other, throws it away, and prints for
 *                                                  each "BYTES NANOSECONDS" from its first byte to its end
 */
#include "../program.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define CHUNK (256 << 10)

static char chunk[CHUNK];

static struct sockaddr_in address(const char *ip, const char *port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = inet_addr(ip)};
}

static int connected(int type, const char *ip, const char *port) {
  struct sockaddr_in to = address(ip, port);
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
  return fd;
}

static int64_t send_datagrams(int fd, int64_t until, size_t size) {
  struct iovec data = {.iov_base = chunk, .iov_len = size};
  struct mmsghdr batch[BATCH] = {0};
  for (int i = 0; i < BATCH; i++) batch[i].msg_hdr = (struct msghdr){.msg_iov = &data, .msg_iovlen = 1};
  int64_t sent = 0;
  while (now_ns() < until) {
    int n = sendmmsg(fd, batch, BATCH, 0);
    if (n > 0) sent += n;
    else if (errno != ECONNREFUSED && errno != ENOBUFS && errno != EPERM) die("sendmmsg");
  }
  return sent;
}

/* In steps of one millisecond; what is refused is not sent again. */
static int64_t send_paced(int fd, int64_t until, size_t size, int64_t rate) {
  int64_t start = now_ns(), offered = 0, sent = 0;
  for (int64_t now = start; now < until; now = now_ns()) {
    for (int64_t due = (now - start) * rate / 1000000000LL; offered < due; offered++)
      if (send(fd, chunk, size, 0) >= 0) sent++;
    usleep(1000);
  }
  return sent;
}

static int64_t send_stream(int fd, int64_t until) {
  int64_t sent = 0;
  while (now_ns() < until) {
    ssize_t n = send(fd, chunk, CHUNK, MSG_NOSIGNAL);
    if (n < 0) die("send");
    sent += n;
  }
  return sent;
}

static void swallow(int fd) {
  int64_t bytes = 0, start = 0;
  for (ssize_t n; (n = recv(fd, chunk, CHUNK, MSG_TRUNC)) != 0; bytes += n) { /* MSG_TRUNC: tcp(7), not even copied */
    if (n < 0) die("recv");
    if (start == 0) start = now_ns();
  }
  printf("%lld %lld\n", (long long)bytes, (long long)(now_ns() - start));
  fflush(stdout);
  close(fd);
}

static void sink(const char *ip, const char *port) {
  struct sockaddr_in at = address(ip, port);
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 8) < 0) die("listen");
  say_ready();
  for (;;) {
    int peer = accept(fd, NULL, NULL);
    if (peer < 0) die("accept");
    swallow(peer);
  }
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "tcp-sink") == 0) {
    sink(argv[2], argv[3]);
  } else if (argc == 6 && strcmp(argv[1], "udp") == 0) {
    int fd = connected(SOCK_DGRAM, argv[2], argv[3]);
    printf("%lld\n", (long long)send_datagrams(fd, now_ns() + atoll(argv[4]) * 1000000, atoi(argv[5])));
  } else if (argc == 7 && strcmp(argv[1], "udp-paced") == 0) {
    int fd = connected(SOCK_DGRAM, argv[2], argv[3]);
    int64_t until = now_ns() + atoll(argv[4]) * 1000000;
    printf("%lld\n", (long long)send_paced(fd, until, atoi(argv[5]), atoll(argv[6])));
  } else if (argc == 5 && strcmp(argv[1], "tcp") == 0) {
    int fd = connected(SOCK_STREAM, argv[2], argv[3]);
    printf("%lld\n", (long long)send_stream(fd, now_ns() + atoll(argv[4]) * 1000000));
  } else {
    fprintf(stderr, "traffic udp|udp-paced|tcp|tcp-sink ADDRESS PORT [MILLISECONDS [BYTES [RATE]]]\n");
    return 2;
  }
  return 0;
}
