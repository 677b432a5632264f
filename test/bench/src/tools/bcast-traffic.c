/*
 * Sends and counts UDP broadcasts, by packet sockets. Payloads are numbered, so that no two are alike; senders are 192.168.77.10 to .73.
 *
 *   bcast-traffic flood IF RATE MILLISECONDS   sends RATE a second; prints how many were sent
 *   bcast-traffic count IF                     prints "ready"; then for each line of input, how many came in since the last one
 */
#include "../packets.h"
#include <poll.h>

#define PAYLOAD 100
#define FRAME (14 + 20 + 8 + PAYLOAD)
#define PORT 6969

static unsigned char frames[BATCH][2048];
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];

/* Only UDP to PORT that comes in. */
static int open_socket(const char *ifname, size_t part) {
  struct sock_filter code[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, SKF_AD_OFF + SKF_AD_PKTTYPE}, {BPF_JMP | BPF_JEQ | BPF_K, 5, 0, PACKET_OUTGOING},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 17},
      {BPF_LD | BPF_H | BPF_ABS, 0, 0, 36},                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PORT},
      {BPF_RET | BPF_K, 0, 0, 64},                                   {BPF_RET | BPF_K, 0, 0, 0},
  };
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){frames[i], part};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  return packet_socket(ifname, ETH_P_IP, 32 << 20, code, sizeof code / sizeof *code);
}

static void set_checksum(unsigned char *ip) {
  uint32_t sum = 0;
  ip[10] = ip[11] = 0;
  for (int i = 0; i < 20; i += 2) sum += ip[i] << 8 | ip[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = ~sum >> 8;
  ip[11] = ~sum;
}

/* Without UDP checksum: a relay must write one. */
static void broadcast(unsigned char *f, uint32_t number) {
  unsigned char *ip = f + 14, *udp = ip + 20;
  memset(f, 0, FRAME);
  memset(f, 0xff, 6);
  f[6] = 2, f[11] = 9, f[12] = 8;
  ip[0] = 0x45, ip[3] = 20 + 8 + PAYLOAD, ip[4] = number >> 8, ip[5] = number, ip[8] = 64, ip[9] = 17;
  ip[12] = 192, ip[13] = 168, ip[14] = 77, ip[15] = 10 + number % 64;
  memset(ip + 16, 0xff, 4);
  udp[0] = 5000 >> 8, udp[1] = 5000 & 255, udp[2] = PORT >> 8, udp[3] = PORT & 255, udp[5] = 8 + PAYLOAD;
  memcpy(udp + 8, &number, sizeof number);
  set_checksum(ip);
}

static void flood(int fd, double rate, int64_t span) {
  uint32_t sent = 0;
  int64_t start = now_ns(), passed;
  while ((passed = now_ns() - start) < span) {
    long due = passed * rate / 1e9 - sent;
    if (due > BATCH) due = BATCH;
    for (int i = 0; i < due; i++) broadcast(frames[i], sent + i);
    send_all(fd, messages, due);
    if (due > 0) sent += due;
    else nanosleep(&(struct timespec){0, 50000}, NULL);
  }
  printf("%u\n", sent);
}

static void count(int fd) {
  char line[64];
  long received = 0;
  say_ready();
  for (struct pollfd ready[2] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};;) {
    if (poll(ready, 2, -1) < 0) die("poll");
    for (int n; (n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0;) received += n;
    if (ready[1].revents == 0) continue;
    if (fgets(line, sizeof line, stdin) == NULL) return;
    printf("%ld\n", received);
    fflush(stdout);
    received = 0;
  }
}

int main(int argc, char **argv) {
  if (argc == 5 && strcmp(argv[1], "flood") == 0) {
    flood(open_socket(argv[2], FRAME), atof(argv[3]), atoll(argv[4]) * 1000000);
  } else if (argc == 3 && strcmp(argv[1], "count") == 0) {
    count(open_socket(argv[2], 2048));
  } else {
    fprintf(stderr, "bcast-traffic flood IF RATE MILLISECONDS | count IF\n");
    return 2;
  }
  return 0;
}
