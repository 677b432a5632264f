/*
 * The least that relays UDP broadcasts from one interface to another: receives by packet socket behind a filter in the kernel, writes the
 * UDP checksum and sends. No rules, no loop guard, no rates, no counters.
 *
 *   bcast-floor FROM TO      prints "ready"; relays until it is killed
 */
#include "../packets.h"

static unsigned char frames[BATCH][2048], mac[6];
static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];

static int open_socket(const char *ifname, int protocol) {
  struct sock_filter code[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, SKF_AD_OFF + SKF_AD_PKTTYPE}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, PACKET_BROADCAST},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},                          {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 17},
      {BPF_RET | BPF_K, 0, 0, 0xffff},                               {BPF_RET | BPF_K, 0, 0, 0},
  };
  return packet_socket(ifname, protocol, 4 << 20, code, sizeof code / sizeof *code);
}

static uint32_t sum_of(const unsigned char *bytes, int length) {
  uint32_t sum = 0;
  for (int i = 0; i + 1 < length; i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  return length % 2 == 1 ? sum + (bytes[length - 1] << 8) : sum;
}

static void finish(unsigned char *f, int length) {
  unsigned char *ip = f + 14, *udp = ip + (ip[0] & 15) * 4;
  int udp_length = f + length - udp;
  memcpy(f + 6, mac, 6);
  if (udp_length < 8) return;
  udp[6] = udp[7] = 0;
  uint32_t sum = sum_of(ip + 12, 8) + 17 + udp_length + sum_of(udp, udp_length);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  udp[6] = ~sum >> 8;
  udp[7] = ~sum;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "bcast-floor FROM TO\n");
    return 2;
  }
  int from = open_socket(argv[1], ETH_P_IP), to = open_socket(argv[2], 0);
  own_mac(to, argv[2], mac);
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){frames[i], 2048};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  say_ready();
  for (;;) {
    int n = recvmmsg(from, messages, BATCH, MSG_WAITFORONE, NULL);
    if (n < 0) die("recvmmsg");
    for (int i = 0; i < n; i++) {
      parts[i].iov_len = messages[i].msg_len;
      finish(frames[i], messages[i].msg_len);
    }
    send_all(to, messages, n);
    for (int i = 0; i < n; i++) parts[i].iov_len = 2048;
  }
}
