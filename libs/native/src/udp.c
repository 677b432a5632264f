/* UDP sockets that say where a datagram came in, and are told where one goes out. */
#include "batch.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { ON_DATAGRAMS, ON_ERROR };

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} ip_address;

typedef struct {
  pp_source source;
  bool ipv6;
  unsigned slots;
  size_t slot_bytes;
  ip_address target; /* of udpSendToTargets */
  socklen_t target_length;
  /* Sender and destination that JavaScript was told of last; a length of 0: it was told of several. */
  ip_address told_from;
  size_t told_length;
  uint8_t told_to[sizeof(struct in6_addr)];
} udp;

typedef struct {
  pp_text device, address, target;
  int port, scope_id, multicast_loop, multicast_ifindex, hop_limit, receive_bytes, slot_bytes, target_port;
  bool ipv6, reuse_address, broadcast;
} udp_options;

static bool read_options(pp_env *env, napi_value from, udp_options *out) {
  return pp_read_bool(env, pp_get(env, from, "ipv6"), "ipv6", &out->ipv6) &&
         pp_read_text(env, pp_get(env, from, "device"), "device", &out->device) &&
         pp_read_text(env, pp_get(env, from, "address"), "address", &out->address) &&
         pp_read_int(env, pp_get(env, from, "port"), "port", &out->port) &&
         pp_read_int(env, pp_get(env, from, "scopeId"), "scopeId", &out->scope_id) &&
         pp_read_bool(env, pp_get(env, from, "reuseAddress"), "reuseAddress", &out->reuse_address) &&
         pp_read_bool(env, pp_get(env, from, "broadcast"), "broadcast", &out->broadcast) &&
         pp_read_int(env, pp_get(env, from, "multicastLoop"), "multicastLoop", &out->multicast_loop) &&
         pp_read_int(env, pp_get(env, from, "multicastIfindex"), "multicastIfindex", &out->multicast_ifindex) &&
         pp_read_int(env, pp_get(env, from, "hopLimit"), "hopLimit", &out->hop_limit) &&
         pp_read_int(env, pp_get(env, from, "receiveBufferBytes"), "receiveBufferBytes", &out->receive_bytes) &&
         pp_read_int(env, pp_get(env, from, "slotBytes"), "slotBytes", &out->slot_bytes) &&
         pp_read_text(env, pp_get(env, from, "target"), "target", &out->target) &&
         pp_read_int(env, pp_get(env, from, "targetPort"), "targetPort", &out->target_port) &&
         pp_batch_fits(env, 1, (size_t)out->slot_bytes);
}

/* Parses address and port; the length of the address, or 0 after throwing. */
static socklen_t make_address(pp_env *env, bool ipv6, const char *text, int port, int scope_id, ip_address *out) {
  memset(out, 0, sizeof *out);
  if (port < 0 || port > 65535) {
    pp_throw_type(env, "port", "0 to 65535");
    return 0;
  }
  out->any.sa_family = ipv6 ? AF_INET6 : AF_INET;
  if (inet_pton(out->any.sa_family, text, ipv6 ? (void *)&out->v6.sin6_addr : (void *)&out->v4.sin_addr) != 1) {
    pp_throw(env, EINVAL, "IPv%d address \"%s\"", ipv6 ? 6 : 4, text);
    return 0;
  }
  if (ipv6) {
    out->v6.sin6_port = htons((uint16_t)port);
    out->v6.sin6_scope_id = (uint32_t)scope_id;
    return sizeof out->v6;
  }
  out->v4.sin_port = htons((uint16_t)port);
  return sizeof out->v4;
}

static bool set_number(pp_env *env, int fd, int level, int option, int value, const char *name) {
  if (setsockopt(fd, level, option, &value, sizeof value) == 0) return true;
  pp_throw(env, errno, "setsockopt %s", name);
  return false;
}

#define SET(level, option, value) set_number(env, fd, level, option, value, #option)

/* Groups come by membership of this socket only, and each datagram with its ways in. */
static bool set_ipv4(pp_env *env, int fd, const udp_options *options) {
  struct ip_mreqn out = {.imr_ifindex = options->multicast_ifindex};
  if (options->multicast_ifindex >= 0 && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out) != 0) {
    pp_throw(env, errno, "setsockopt IP_MULTICAST_IF %d", options->multicast_ifindex);
    return false;
  }
  return SET(IPPROTO_IP, IP_MULTICAST_ALL, 0) && SET(IPPROTO_IP, IP_PKTINFO, 1) && SET(IPPROTO_IP, IP_RECVTTL, 1) &&
         (options->multicast_loop < 0 || SET(IPPROTO_IP, IP_MULTICAST_LOOP, options->multicast_loop)) &&
         (options->hop_limit < 0 ||
          (SET(IPPROTO_IP, IP_TTL, options->hop_limit) && SET(IPPROTO_IP, IP_MULTICAST_TTL, options->hop_limit)));
}

static bool set_ipv6(pp_env *env, int fd, const udp_options *options) {
  return SET(IPPROTO_IPV6, IPV6_V6ONLY, 1) && SET(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) &&
         SET(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && SET(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
         (options->multicast_ifindex < 0 || SET(IPPROTO_IPV6, IPV6_MULTICAST_IF, options->multicast_ifindex)) &&
         (options->multicast_loop < 0 || SET(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, options->multicast_loop)) &&
         (options->hop_limit < 0 || (SET(IPPROTO_IPV6, IPV6_UNICAST_HOPS, options->hop_limit) &&
                                     SET(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, options->hop_limit)));
}

static bool set_options(pp_env *env, int fd, const udp_options *options) {
  if (options->receive_bytes > 0) pp_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options->receive_bytes);
  if (options->reuse_address && !SET(SOL_SOCKET, SO_REUSEADDR, 1)) return false;
  if (options->broadcast && !SET(SOL_SOCKET, SO_BROADCAST, 1)) return false;
  if (!pp_bind_device(env, fd, &options->device)) return false;
  return options->ipv6 ? set_ipv6(env, fd, options) : set_ipv4(env, fd, options);
}

static bool join_group(pp_env *env, int fd, bool ipv6, const char *group, int ifindex) {
  ip_address address;
  if (make_address(env, ipv6, group, 0, 0, &address) == 0) return false;
  struct ip_mreqn v4 = {.imr_multiaddr = address.v4.sin_addr, .imr_ifindex = ifindex};
  struct ipv6_mreq v6 = {.ipv6mr_multiaddr = address.v6.sin6_addr, .ipv6mr_interface = (unsigned)ifindex};
  int status = ipv6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &v6, sizeof v6)
                    : setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof v4);
  if (status == 0) return true;
  pp_throw(env, errno, "join %s on interface %d", group, ifindex);
  return false;
}

static bool join_groups(pp_env *env, int fd, bool ipv6, napi_value from) {
  napi_value addresses = pp_get(env, from, "groupAddresses"), ifindexes = pp_get(env, from, "groupIfindexes");
  uint32_t count = 0;
  napi_get_array_length(env->napi, addresses, &count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value address = NULL, number = NULL; /* no value, where the environment is being ended */
    pp_text group;
    int ifindex;
    napi_get_element(env->napi, addresses, i, &address);
    napi_get_element(env->napi, ifindexes, i, &number);
    if (!pp_read_text(env, address, "group", &group) || !pp_read_int(env, number, "ifindex", &ifindex)) return false;
    if (!join_group(env, fd, ipv6, group.data, ifindex)) return false;
  }
  return true;
}

static bool bind_socket(pp_env *env, int fd, const udp_options *options) {
  ip_address address;
  socklen_t length = make_address(env, options->ipv6, options->address.data, options->port, options->scope_id, &address);
  if (length == 0) return false;
  if (bind(fd, &address.any, length) == 0) return true;
  pp_throw(env, errno, "bind %s port %d", options->address.data, options->port);
  return false;
}

/* What came with the datagram, into its row; the address that it was sent to (NULL: not known). */
static const void *describe(pp_batch *batch, int index, bool ipv6, int32_t *row) {
  const ip_address *from = (const ip_address *)&batch->senders[index];
  const int *hops = ipv6 ? pp_batch_control(batch, index, IPPROTO_IPV6, IPV6_HOPLIMIT)
                         : pp_batch_control(batch, index, IPPROTO_IP, IP_TTL);
  row[COLUMN_PORT] = ntohs(ipv6 ? from->v6.sin6_port : from->v4.sin_port);
  row[COLUMN_HOP_LIMIT] = hops == NULL ? -1 : *hops;
  row[COLUMN_IFINDEX] = 0;
  if (ipv6) {
    const struct in6_pktinfo *info = pp_batch_control(batch, index, IPPROTO_IPV6, IPV6_PKTINFO);
    if (info == NULL) return NULL;
    row[COLUMN_IFINDEX] = (int32_t)info->ipi6_ifindex;
    return &info->ipi6_addr;
  }
  const struct in_pktinfo *info = pp_batch_control(batch, index, IPPROTO_IP, IP_PKTINFO);
  if (info == NULL) return NULL;
  row[COLUMN_IFINDEX] = info->ipi_ifindex;
  return &info->ipi_addr;
}

static const void *host_of(const ip_address *address) {
  return address->any.sa_family == AF_INET6 ? (const void *)&address->v6.sin6_addr : (const void *)&address->v4.sin_addr;
}

/* Of a host's address, NULL for none. */
static napi_value address_text(pp_env *env, bool ipv6, const void *host) {
  char text[INET6_ADDRSTRLEN] = "";
  if (host != NULL) inet_ntop(ipv6 ? AF_INET6 : AF_INET, host, text, sizeof text);
  return pp_string(env, text);
}

static bool same_host(const void *a, const void *b, size_t length) {
  return a == b || (a != NULL && b != NULL && memcmp(a, b, length) == 0);
}

/* Texts cost more than all else, and in a stream they are the same. Two that hold for all, or two for each; NULL: as last time. */
static napi_value address_texts(udp *self, pp_batch *batch, const void *const *to, int count) {
  pp_env *env = self->source.env;
  size_t length = self->ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
  bool alike = true;
  for (int i = 1; i < count && alike; i++)
    alike = same_host(host_of((const ip_address *)&batch->senders[i]), host_of((const ip_address *)&batch->senders[0]), length) &&
            same_host(to[i], to[0], length);
  const void *from = host_of((const ip_address *)&batch->senders[0]);
  bool known = alike && to[0] != NULL && self->told_length == length && memcmp(host_of(&self->told_from), from, length) == 0 &&
               memcmp(self->told_to, to[0], length) == 0;
  if (known) return NULL;
  napi_value texts = NULL;
  self->told_length = alike && to[0] != NULL ? length : 0;
  if (self->told_length > 0) {
    memcpy(&self->told_from, &batch->senders[0], sizeof self->told_from);
    memcpy(self->told_to, to[0], length);
  }
  int rows = alike ? 1 : count;
  napi_create_array_with_length(env->napi, (size_t)rows * 2, &texts);
  for (int i = 0; i < rows; i++) {
    const void *sender = host_of((const ip_address *)&batch->senders[i]);
    napi_set_element(env->napi, texts, (uint32_t)i * 2, address_text(env, self->ipv6, sender));
    napi_set_element(env->napi, texts, (uint32_t)i * 2 + 1, address_text(env, self->ipv6, to[i]));
  }
  return texts;
}

/* Reports a batch of what waits. */
static void on_ready(pp_source *source, int events) {
  (void)events;
  pp_env *env = source->env;
  udp *self = (udp *)source;
  pp_batch batch;
  int count = pp_batch_receive(env, source->fd, self->slots, self->slot_bytes, &batch);
  if (count < 0) {
    if (errno != EAGAIN) pp_source_fail(source, ON_ERROR, errno, "recvmmsg");
    return;
  }
  int32_t *table = env->table;
  const void *destinations[PP_BATCH];
  for (int i = 0; i < count; i++) destinations[i] = describe(&batch, i, self->ipv6, table + i * PP_COLUMNS);
  napi_value args[2] = {pp_number(env, count), address_texts(self, &batch, destinations, count)};
  pp_source_call(source, ON_DATAGRAMS, args[1] == NULL ? 1 : 2, args);
}

static const pp_source_type UDP = {"UDP socket", sizeof(udp), on_ready, NULL};

/* Where udpSendToTargets sends to, on one interface where the socket has chosen one. */
static bool set_target(pp_env *env, const udp_options *options, ip_address *target, socklen_t *length) {
  *length = 0;
  if (options->target.length == 0) return true;
  int scope = options->multicast_ifindex > 0 ? options->multicast_ifindex : 0;
  *length = make_address(env, options->ipv6, options->target.data, options->target_port, scope, target);
  return *length > 0;
}

/* (options, onDatagrams(count, addresses), onError) */
static napi_value open_udp(pp_env *env, napi_value *args) {
  udp_options options;
  ip_address target;
  socklen_t target_length;
  if (!read_options(env, args[0], &options) || !set_target(env, &options, &target, &target_length)) return NULL;
  int fd = socket(options.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return pp_throw(env, errno, "socket UDP");
  napi_value handle;
  udp *self = NULL;
  if (set_options(env, fd, &options) && join_groups(env, fd, options.ipv6, args[0]) && bind_socket(env, fd, &options))
    self = (udp *)pp_source_open(env, &UDP, fd, args + 1, 2, &handle);
  if (self == NULL) {
    close(fd);
    return NULL;
  }
  self->ipv6 = options.ipv6;
  self->slot_bytes = (size_t)options.slot_bytes;
  size_t fitting = PP_SCRATCH_BYTES / self->slot_bytes;
  self->slots = fitting < PP_BATCH ? (unsigned)fitting : PP_BATCH;
  self->target_length = target_length;
  if (target_length > 0) self->target = target;
  pp_source_want(&self->source, UV_READABLE);
  return handle;
}

static napi_value udp_fd(pp_env *env, napi_value *args) {
  pp_source *source = pp_source_of(env, args[0], &UDP);
  return source == NULL ? NULL : pp_number(env, source->fd);
}

static napi_value udp_port(pp_env *env, napi_value *args) {
  udp *self = (udp *)pp_source_of(env, args[0], &UDP);
  if (self == NULL) return NULL;
  ip_address address;
  socklen_t length = sizeof address;
  if (getsockname(self->source.fd, &address.any, &length) != 0) return pp_throw(env, errno, "getsockname");
  return pp_number(env, ntohs(self->ipv6 ? address.v6.sin6_port : address.v4.sin_port));
}

static napi_value udp_wait(pp_env *env, napi_value *args) { return pp_source_wait(env, args, &UDP); }

/* Packet info of a send: the interface to leave by, and the source address to bear (none: ""). */
static bool put_packet_info(pp_env *env, struct msghdr *message, bool ipv6, int ifindex, const char *source) {
  ip_address from;
  if (source[0] == 0) source = ipv6 ? "::" : "0.0.0.0";
  if (make_address(env, ipv6, source, 0, 0, &from) == 0) return false;
  struct cmsghdr *entry = message->msg_control;
  if (ipv6) {
    struct in6_pktinfo info = {.ipi6_addr = from.v6.sin6_addr, .ipi6_ifindex = (unsigned)ifindex};
    *entry = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
    memcpy(CMSG_DATA(entry), &info, sizeof info);
    message->msg_controllen = CMSG_SPACE(sizeof info);
  } else {
    struct in_pktinfo info = {.ipi_ifindex = ifindex, .ipi_spec_dst = from.v4.sin_addr};
    *entry = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    memcpy(CMSG_DATA(entry), &info, sizeof info);
    message->msg_controllen = CMSG_SPACE(sizeof info);
  }
  return true;
}

/* (socket, data, address, port, ifindex, source) */
static napi_value udp_send(pp_env *env, napi_value *args) {
  udp *self = (udp *)pp_source_of(env, args[0], &UDP);
  if (self == NULL) return NULL;
  PP_BYTES(data, args[1]);
  PP_TEXT(address, args[2]);
  PP_INT(port, args[3]);
  PP_INT(ifindex, args[4]);
  PP_TEXT(source, args[5]);
  ip_address to;
  socklen_t length = make_address(env, self->ipv6, address.data, port, ifindex, &to);
  if (length == 0) return NULL;
  union {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
  } control = {0};
  struct iovec bytes = {data.data, data.length};
  struct msghdr message = {.msg_name = &to, .msg_namelen = length, .msg_iov = &bytes, .msg_iovlen = 1};
  if (ifindex != 0 || source.length > 0) {
    message.msg_control = &control;
    if (!put_packet_info(env, &message, self->ipv6, ifindex, source.data)) return NULL;
  }
  ssize_t sent;
  do sent = sendmsg(self->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return pp_throw(env, errno, "sendmsg to %s port %d", address.data, port);
  return NULL;
}

typedef struct {
  napi_value list; /* the number of a socket among all, and the error, in turn */
  uint32_t length;
} refusals;

/* To the target of a socket, in order. One that is refused does not keep those behind it. */
static void send_to_target(udp *self, struct iovec *pieces, int count, uint32_t number, refusals *refused) {
  pp_env *env = self->source.env;
  struct mmsghdr headers[PP_BATCH];
  for (int i = 0; i < count; i++)
    headers[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &self->target,
                                              .msg_namelen = self->target_length,
                                              .msg_iov = &pieces[i],
                                              .msg_iovlen = 1}};
  for (int done = 0; done < count;) {
    int sent = sendmmsg(self->source.fd, headers + done, (unsigned)(count - done), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) done += sent;
    else if (errno != EINTR) {
      napi_value error = pp_error(env, errno, "sendmmsg");
      napi_set_element(env->napi, refused->list, refused->length++, pp_number(env, number));
      napi_set_element(env->napi, refused->list, refused->length++, error);
      done++;
    }
  }
}

/* (sockets, datagrams, refused): every datagram to the target of every socket; `refused` is filled. One may stand for an array of one. */
static napi_value udp_send_to_targets(pp_env *env, napi_value *args) {
  refusals refused = {args[2], 0};
  uint32_t sockets = 1;
  bool are_many = napi_get_array_length(env->napi, args[0], &sockets) == napi_ok;
  struct iovec pieces[PP_BATCH];
  for (uint32_t first = 0;; first += PP_BATCH) {
    int count = pp_read_frames(env, args[1], first, pieces);
    if (count <= 0) return NULL;
    for (uint32_t i = 0; i < sockets; i++) {
      napi_value handle = args[0];
      if (are_many) napi_get_element(env->napi, args[0], i, &handle);
      udp *self = (udp *)pp_source_of(env, handle, &UDP);
      if (self == NULL) return NULL;
      if (self->target_length == 0) return pp_throw(env, EDESTADDRREQ, "send of datagrams");
      send_to_target(self, pieces, count, i, &refused);
    }
  }
}

const pp_function pp_udp_functions[] = {
    {"udpOpen", open_udp}, {"udpFd", udp_fd},     {"udpPort", udp_port},
    {"udpWait", udp_wait}, {"udpSend", udp_send}, {"udpSendToTargets", udp_send_to_targets},
    {NULL, NULL},
};
