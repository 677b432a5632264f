/*
 * The thinnest client of org.chromium.PatchPanel there can be, so that what is timed is the service and the bus.
 *
 *   connect-client BUS_SOCKET
 *
 * Reads from standard input, one a line:
 *   connect PID      ConnectNamespace; answered by "NANOSECONDS HOST_IFNAME", from sending the request to having the reply
 *   release IFNAME   closes that lifeline; answered by "ok"
 *   termina CID      TerminaVmStartup; answered by "NANOSECONDS"
 *   shutdown CID     TerminaVmShutdown; answered by "NANOSECONDS"
 *   call MEMBER HEX  a method with that body and no descriptor; answered by "NANOSECONDS"
 *   ping             org.freedesktop.DBus.Peer.Ping of the service; answered by "NANOSECONDS"
 * An error reply ends it with the error's sentence.
 */
#include "../program.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVICE "org.chromium.PatchPanel"
#define LIFELINES 1024
#define ROOM 65536

/* D-Bus Specification, "Header Fields" and "Message Format". */
enum { CALL = 1, RETURN = 2, ERROR = 3 };
enum { PATH = 1, INTERFACE = 2, MEMBER = 3, REPLY_SERIAL = 5, DESTINATION = 6, SIGNATURE = 8, UNIX_FDS = 9 };

struct message {
  uint8_t bytes[1024];
  size_t length;
};

static struct {
  char ifname[16];
  int fd;
} lifelines[LIFELINES];

static int bus;
static uint32_t last_serial;

static void align(struct message *m, size_t to) {
  while (m->length % to) m->bytes[m->length++] = 0;
}

static void put(struct message *m, const void *bytes, size_t size) {
  memcpy(m->bytes + m->length, bytes, size);
  m->length += size;
}

static void put_u32(struct message *m, uint32_t value) {
  align(m, 4);
  put(m, &value, 4);
}

static void put_text(struct message *m, const char *text) {
  put_u32(m, strlen(text));
  put(m, text, strlen(text) + 1);
}

static void put_signature(struct message *m, const char *signature) {
  uint8_t length = strlen(signature);
  put(m, &length, 1);
  put(m, signature, length + 1);
}

/* A header field whose value is a text of the type 's' or 'o'. */
static void field_text(struct message *m, uint8_t code, const char *type, const char *text) {
  align(m, 8);
  put(m, &code, 1);
  put_signature(m, type);
  put_text(m, text);
}

/* A call without its body: `signature` NULL for none, `fds` descriptors beside it. */
static void begin_call(struct message *m, const char *destination, const char *path, const char *interface, const char *member,
                       const char *signature, uint32_t fds) {
  uint8_t fixed[4] = {'l', CALL, 0, 1}, code;
  m->length = 0;
  put(m, fixed, 4);
  put_u32(m, 0); /* length of the body, by end_call */
  put_u32(m, ++last_serial);
  put_u32(m, 0); /* length of the fields, below */
  field_text(m, PATH, "o", path);
  field_text(m, DESTINATION, "s", destination);
  field_text(m, INTERFACE, "s", interface);
  field_text(m, MEMBER, "s", member);
  if (signature) {
    align(m, 8);
    put(m, (code = SIGNATURE, &code), 1);
    put_signature(m, "g");
    put_signature(m, signature);
  }
  if (fds) {
    align(m, 8);
    put(m, (code = UNIX_FDS, &code), 1);
    put_signature(m, "u");
    put_u32(m, fds);
  }
  *(uint32_t *)(m->bytes + 12) = m->length - 16;
  align(m, 8);
}

static void send_call(struct message *m, size_t body_start, int fd) {
  *(uint32_t *)(m->bytes + 4) = m->length - body_start;
  struct iovec data = {.iov_base = m->bytes, .iov_len = m->length};
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    *rights = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  if (sendmsg(bus, &message, MSG_NOSIGNAL) != (ssize_t)m->length) die("send");
}

static size_t padded(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* REPLY_SERIAL among the fields; every field is 8-aligned and its value's size follows from its type. */
static uint32_t reply_serial(const uint8_t *fields, size_t length) {
  for (size_t at = 0; at + 4 <= length;) {
    uint8_t code = fields[at], type = fields[at + 2];
    size_t value = padded(at + 4, type == 'g' ? 1 : 4);
    uint32_t word = 0;
    memcpy(&word, fields + value, type == 'g' ? 1 : 4);
    if (code == REPLY_SERIAL) return word;
    size_t size = type == 'u' ? 4 : type == 'g' ? word + 2 : 4 + word + 1;
    at = padded(value + size, 8);
  }
  return 0;
}

/* Waits for the reply to the last call; gives its body. Signals are passed over; an error ends the program. */
static const uint8_t *await_reply(uint32_t *body_length) {
  static uint8_t in[ROOM];
  static size_t have, used;
  memmove(in, in + used, have -= used);
  used = 0;
  for (;;) {
    uint32_t head[4];
    memcpy(head, in + used, sizeof head);
    size_t body = used + 16 + padded(have - used >= 16 ? head[3] : 0, 8);
    if (have - used < 16 || have < body + head[1]) {
      ssize_t got = recv(bus, in + have, sizeof in - have, 0);
      if (got <= 0) die("the bus closed the connection");
      have += got;
      continue;
    }
    uint8_t type = in[used + 1];
    uint32_t serial = reply_serial(in + used + 16, head[3]);
    used = body + head[1];
    if ((type != RETURN && type != ERROR) || serial != last_serial) continue;
    if (type == ERROR) {
      fprintf(stderr, "%s\n", head[1] > 4 ? (const char *)in + body + 4 : "an error without a sentence");
      exit(1);
    }
    *body_length = head[1];
    return in + body;
  }
}

static void open_bus(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  bus = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bus < 0 || connect(bus, (struct sockaddr *)&address, sizeof address) < 0) die(path);
  char hello[128], answer[256];
  int length = snprintf(hello, sizeof hello, "%cAUTH EXTERNAL ", 0);
  char uid[16];
  snprintf(uid, sizeof uid, "%u", geteuid());
  for (char *digit = uid; *digit; digit++) length += snprintf(hello + length, sizeof hello - length, "%02x", *digit);
  length += snprintf(hello + length, sizeof hello - length, "\r\n");
  if (write(bus, hello, length) != length || read(bus, answer, sizeof answer) <= 0) die("AUTH");
  if (write(bus, "NEGOTIATE_UNIX_FD\r\n", 19) != 19 || read(bus, answer, sizeof answer) <= 0) die("NEGOTIATE_UNIX_FD");
  if (write(bus, "BEGIN\r\n", 7) != 7) die("BEGIN");
  struct message m;
  uint32_t size;
  begin_call(&m, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", NULL, 0);
  send_call(&m, m.length, -1);
  await_reply(&size);
}

/* ConnectNamespaceResponse.host_ifname, field 4 of the protobuf in the body's byte array. */
static void host_ifname(const uint8_t *body, char ifname[16]) {
  uint32_t length;
  memcpy(&length, body, 4);
  for (const uint8_t *at = body + 4, *end = at + length; at < end;) {
    uint8_t tag = *at++;
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      value |= (uint64_t)(*at & 0x7f) << shift;
      if (!(*at++ & 0x80)) break;
    }
    if (tag == (4 << 3 | 2)) {
      snprintf(ifname, 16, "%.*s", (int)value, at);
      return;
    }
    if ((tag & 7) == 2) at += value;
  }
  die("a reply without host_ifname");
}

static void hold(const char *ifname, int fd) {
  for (int i = 0; i < LIFELINES; i++) {
    if (lifelines[i].ifname[0]) continue;
    snprintf(lifelines[i].ifname, sizeof lifelines[i].ifname, "%s", ifname);
    lifelines[i].fd = fd;
    return;
  }
  die("too many lifelines");
}

/* A protobuf whose field 1 is that number, as a byte array. */
static void put_number(struct message *m, uint32_t number) {
  uint8_t request[8] = {1 << 3};
  uint32_t size = 1;
  for (; number >= 0x80; number >>= 7) request[size++] = number | 0x80;
  request[size++] = number;
  put_u32(m, size);
  put(m, request, size);
}

static void connect_namespace(uint32_t pid) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
  struct message m;
  begin_call(&m, SERVICE, "/org/chromium/PatchPanel", SERVICE, "ConnectNamespace", "ayh", 1);
  size_t body = m.length;
  put_number(&m, pid); /* ConnectNamespaceRequest.pid */
  put_u32(&m, 0); /* index of the descriptor */
  int64_t start = now_ns();
  send_call(&m, body, ends[1]);
  uint32_t size;
  const uint8_t *reply = await_reply(&size);
  int64_t took = now_ns() - start;
  close(ends[1]);
  char ifname[16];
  host_ifname(reply, ifname);
  hold(ifname, ends[0]);
  printf("%lld %s\n", (long long)took, ifname);
}

static void release(const char *ifname) {
  for (int i = 0; i < LIFELINES; i++) {
    if (strcmp(lifelines[i].ifname, ifname)) continue;
    close(lifelines[i].fd);
    lifelines[i].ifname[0] = 0;
  }
  puts("ok");
}

/* A call that takes a VM's cid and no descriptor. */
static void vm_call(const char *member, uint32_t cid) {
  struct message m;
  uint32_t size;
  begin_call(&m, SERVICE, "/org/chromium/PatchPanel", SERVICE, member, "ay", 0);
  size_t body = m.length;
  put_number(&m, cid);
  int64_t start = now_ns();
  send_call(&m, body, -1);
  await_reply(&size);
  printf("%lld\n", (long long)(now_ns() - start));
}

static void any_call(const char *member, const char *hex) {
  struct message m;
  uint32_t size = strlen(hex) / 2;
  begin_call(&m, SERVICE, "/org/chromium/PatchPanel", SERVICE, member, "ay", 0);
  size_t body = m.length;
  put_u32(&m, size);
  for (uint32_t i = 0; i < size; i++) {
    unsigned byte;
    if (sscanf(hex + 2 * i, "%2x", &byte) != 1) die("body");
    put(&m, &(uint8_t){byte}, 1);
  }
  int64_t start = now_ns();
  send_call(&m, body, -1);
  await_reply(&size);
  printf("%lld\n", (long long)(now_ns() - start));
}

static void ping(void) {
  struct message m;
  uint32_t size;
  begin_call(&m, SERVICE, "/org/chromium/PatchPanel", "org.freedesktop.DBus.Peer", "Ping", NULL, 0);
  int64_t start = now_ns();
  send_call(&m, m.length, -1);
  await_reply(&size);
  printf("%lld\n", (long long)(now_ns() - start));
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "connect-client BUS_SOCKET\n");
    return 2;
  }
  open_bus(argv[1]);
  char line[256], word[16], member[40], hex[161];
  unsigned pid, cid;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "connect %u", &pid) == 1) connect_namespace(pid);
    else if (sscanf(line, "termina %u", &cid) == 1) vm_call("TerminaVmStartup", cid);
    else if (sscanf(line, "shutdown %u", &cid) == 1) vm_call("TerminaVmShutdown", cid);
    else if (sscanf(line, "call %39s %160s", member, hex) == 2) any_call(member, hex);
    else if (sscanf(line, "release %15s", word) == 1) release(word);
    else ping();
    fflush(stdout);
  }
  return 0;
}
