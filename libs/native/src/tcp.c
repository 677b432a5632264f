/* TCP sockets by descriptor: listening, with each connection handed over as a descriptor, and connecting. */
#include "addon.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { ON_CONNECTIONS, ON_ERROR };

/* Columns of the table's rows; the addresses come beside it. */
enum { COLUMN_FD, COLUMN_PORT };

/* A peer that is gone without a word is noticed after IDLE + PROBES * INTERVAL seconds. */
#define KEEPALIVE_IDLE 60
#define KEEPALIVE_INTERVAL 10
#define KEEPALIVE_PROBES 6

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} ip_address;

/* Either family, by its looks; the length of the address, or 0 after throwing. */
static socklen_t make_address(pp_env *env, const char *text, int port, ip_address *out) {
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons((uint16_t)port);
    return sizeof out->v4;
  }
  if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons((uint16_t)port);
    return sizeof out->v6;
  }
  pp_throw(env, EINVAL, "IP address \"%s\"", text);
  return 0;
}

static bool read_address(pp_env *env, napi_value address, napi_value port, pp_text *text, ip_address *out, socklen_t *length) {
  int64_t number;
  if (!pp_read_text(env, address, "address", text) || !pp_read_number(env, port, "port", 0, 65535, &number)) return false;
  *length = make_address(env, text->data, (int)number, out);
  return *length != 0;
}

/* Accepted sockets inherit these from the listening one (tcp(7), socket(7)). */
static void set_common_options(int fd) {
  const int on = 1, idle = KEEPALIVE_IDLE, interval = KEEPALIVE_INTERVAL, probes = KEEPALIVE_PROBES;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

/* Non-blocking, connecting. */
static napi_value connect_tcp(pp_env *env, napi_value *args) {
  pp_text text;
  ip_address address;
  socklen_t length;
  if (!read_address(env, args[0], args[1], &text, &address, &length)) return NULL;
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return pp_throw(env, errno, "socket TCP");
  set_common_options(fd);
  if (connect(fd, &address.any, length) == 0 || errno == EINPROGRESS) return pp_number(env, fd);
  pp_throw(env, errno, "connect %s", text.data);
  close(fd);
  return NULL;
}

/* An IPv4 peer of an IPv6 socket is shown as IPv4 (RFC 4291 §2.5.5.2). */
static const char *show_peer(const ip_address *peer, char *out, int32_t *port) {
  if (peer->any.sa_family == AF_INET) {
    *port = ntohs(peer->v4.sin_port);
    return inet_ntop(AF_INET, &peer->v4.sin_addr, out, INET6_ADDRSTRLEN);
  }
  const struct in6_addr *v6 = &peer->v6.sin6_addr;
  *port = ntohs(peer->v6.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(v6)) return inet_ntop(AF_INET, v6->s6_addr + 12, out, INET6_ADDRSTRLEN);
  return inet_ntop(AF_INET6, v6, out, INET6_ADDRSTRLEN);
}

/* These are about one connection or about a packet that came in on it, not about the listening socket (accept(2)). */
static bool is_of_connection(int code) {
  return code == ECONNABORTED || code == EINTR || code == EPROTO || code == ENETDOWN || code == ENOPROTOOPT ||
         code == EHOSTDOWN || code == ENONET || code == EHOSTUNREACH || code == EOPNOTSUPP || code == ENETUNREACH ||
         code == EPERM;
}

static void on_ready(pp_source *source, int events) {
  (void)events;
  pp_env *env = source->env;
  int32_t *table = env->table;
  int count = 0, error = 0;
  napi_value args[2];
  napi_create_array(env->napi, &args[1]);
  for (int tries = 0; tries < PP_BATCH; tries++) {
    ip_address peer;
    socklen_t length = sizeof peer;
    int fd = accept4(source->fd, &peer.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (is_of_connection(errno)) continue;
      error = errno;
      break;
    }
    char text[INET6_ADDRSTRLEN] = "";
    table[count * PP_COLUMNS + COLUMN_FD] = fd;
    show_peer(&peer, text, &table[count * PP_COLUMNS + COLUMN_PORT]);
    napi_set_element(env->napi, args[1], (uint32_t)count++, pp_string(env, text));
  }
  args[0] = pp_number(env, count);
  if (count > 0) pp_source_call(source, ON_CONNECTIONS, 2, args);
  if (error != 0 && error != EAGAIN) pp_source_fail(source, ON_ERROR, error, "accept");
}

static const pp_source_type LISTENER = {"TCP listener", sizeof(pp_source), on_ready, NULL};

static bool bind_listener(pp_env *env, int fd, const pp_text *text, const pp_text *device, const ip_address *address,
                          socklen_t length, int backlog) {
  const int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  set_common_options(fd);
  if (!pp_bind_device(env, fd, device)) return false;
  if (bind(fd, &address->any, length) != 0)
    pp_throw(env, errno, "bind %s", text->data);
  else if (listen(fd, backlog) != 0)
    pp_throw(env, errno, "listen %s", text->data);
  else
    return true;
  return false;
}

/* (address, port, device, backlog, onConnections(count, addresses), onError) */
static napi_value listen_tcp(pp_env *env, napi_value *args) {
  pp_text text, device;
  ip_address address;
  socklen_t length;
  if (!read_address(env, args[0], args[1], &text, &address, &length)) return NULL;
  if (!pp_read_text(env, args[2], "device", &device)) return NULL;
  PP_INT(backlog, args[3]);
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return pp_throw(env, errno, "socket TCP");
  napi_value handle;
  pp_source *source = NULL;
  if (bind_listener(env, fd, &text, &device, &address, length, backlog))
    source = pp_source_open(env, &LISTENER, fd, args + 4, 2, &handle);
  if (source == NULL) {
    close(fd);
    return NULL;
  }
  pp_source_want(source, UV_READABLE);
  return handle;
}

static napi_value listener_port(pp_env *env, napi_value *args) {
  pp_source *source = pp_source_of(env, args[0], &LISTENER);
  if (source == NULL) return NULL;
  ip_address address;
  socklen_t length = sizeof address;
  if (getsockname(source->fd, &address.any, &length) != 0) return pp_throw(env, errno, "getsockname");
  return pp_number(env, ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port));
}

static napi_value pause_listener(pp_env *env, napi_value *args) { return pp_source_pause(env, args, &LISTENER); }

const pp_function pp_tcp_functions[] = {
    {"tcpConnect", connect_tcp}, {"tcpListen", listen_tcp}, {"tcpPort", listener_port}, {"tcpPause", pause_listener}, {NULL, NULL},
};
