/* Packet sockets: frames of an interface, by batch, behind a filter in the kernel. */
#include "batch.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>

enum { ON_FRAMES, ON_ERROR };

typedef struct {
  pp_source source;
  int ifindex;
  uint16_t protocol; /* network order */
  unsigned batch;
  size_t frame_bytes;
} packet;

static void describe(pp_batch *batch, int index, int32_t *row) {
  const struct sockaddr_ll *from = (const struct sockaddr_ll *)&batch->senders[index];
  const struct tpacket_auxdata *more = pp_batch_control(batch, index, SOL_PACKET, PACKET_AUXDATA);
  row[COLUMN_IFINDEX] = from->sll_ifindex;
  row[COLUMN_PACKET_TYPE] = from->sll_pkttype;
  row[COLUMN_PROTOCOL] = ntohs(from->sll_protocol);
  row[COLUMN_STATUS] = more == NULL ? 0 : (int32_t)more->tp_status;
  row[COLUMN_VLAN] = more != NULL && (more->tp_status & TP_STATUS_VLAN_VALID) != 0 ? more->tp_vlan_tci : -1;
}

/* Reports a batch of what waits. */
static void on_ready(pp_source *source, int events) {
  (void)events;
  packet *self = (packet *)source;
  pp_batch batch;
  int count = pp_batch_receive(source->env, source->fd, self->batch, self->frame_bytes, &batch);
  if (count < 0) { /* ENETDOWN: the interface went down or away; said once, and the socket lives on */
    if (errno != EAGAIN) pp_source_fail(source, ON_ERROR, errno, "recvmmsg packets");
    return;
  }
  int32_t *table = source->env->table;
  for (int i = 0; i < count; i++) describe(&batch, i, table + i * PP_COLUMNS);
  napi_value number = pp_number(source->env, count);
  pp_source_call(source, ON_FRAMES, 1, &number);
}

static const pp_source_type PACKET = {"packet socket", sizeof(packet), on_ready, NULL};

static bool set_option(pp_env *env, int fd, int level, int option, const void *value, socklen_t length, const char *name) {
  if (setsockopt(fd, level, option, value, length) == 0) return true;
  pp_throw(env, errno, "setsockopt %s", name);
  return false;
}

typedef struct {
  int ifindex, receive_bytes, batch, frame_bytes;
  int64_t protocol;
  bool datagram, ignore_outgoing;
  pp_bytes filter;
} packet_options;

static bool read_options(pp_env *env, napi_value from, packet_options *out) {
  return pp_read_bool(env, pp_get(env, from, "datagram"), "datagram", &out->datagram) &&
         pp_read_number(env, pp_get(env, from, "protocol"), "protocol", 0, UINT16_MAX, &out->protocol) &&
         pp_read_int(env, pp_get(env, from, "ifindex"), "ifindex", &out->ifindex) &&
         pp_read_bytes(env, pp_get(env, from, "filter"), "filter", &out->filter) &&
         pp_read_bool(env, pp_get(env, from, "ignoreOutgoing"), "ignoreOutgoing", &out->ignore_outgoing) &&
         pp_read_int(env, pp_get(env, from, "receiveBufferBytes"), "receiveBufferBytes", &out->receive_bytes) &&
         pp_read_int(env, pp_get(env, from, "batch"), "batch", &out->batch) &&
         pp_read_int(env, pp_get(env, from, "frameBytes"), "frameBytes", &out->frame_bytes) &&
         pp_batch_fits(env, (unsigned)out->batch, (size_t)out->frame_bytes);
}

/* The socket hears nothing (protocol 0) until it is bound, filter and all. */
static bool set_up(pp_env *env, int fd, const packet_options *options) {
  int on = 1;
  if (options->receive_bytes > 0) pp_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options->receive_bytes);
  if (!pp_attach_filter(env, fd, &options->filter)) return false;
  if (!set_option(env, fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on, "PACKET_AUXDATA")) return false;
  if (options->ignore_outgoing &&
      !set_option(env, fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on, "PACKET_IGNORE_OUTGOING"))
    return false;
  struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                .sll_protocol = htons((uint16_t)options->protocol),
                                .sll_ifindex = options->ifindex};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return true;
  pp_throw(env, errno, "bind packet socket to interface %d", options->ifindex);
  return false;
}

/* (options, onFrames(count), onError) */
static napi_value open_packet(pp_env *env, napi_value *args) {
  packet_options options;
  if (!read_options(env, args[0], &options)) return NULL;
  int fd = socket(AF_PACKET, (options.datagram ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return pp_throw(env, errno, "socket AF_PACKET");
  napi_value handle;
  packet *self = NULL;
  if (set_up(env, fd, &options)) self = (packet *)pp_source_open(env, &PACKET, fd, args + 1, 2, &handle);
  if (self == NULL) {
    close(fd);
    return NULL;
  }
  self->ifindex = options.ifindex;
  self->protocol = htons((uint16_t)options.protocol);
  self->batch = (unsigned)options.batch;
  self->frame_bytes = (size_t)options.frame_bytes;
  pp_source_want(&self->source, UV_READABLE);
  return handle;
}

static napi_value packet_fd(pp_env *env, napi_value *args) {
  pp_source *source = pp_source_of(env, args[0], &PACKET);
  return source == NULL ? NULL : pp_number(env, source->fd);
}

static napi_value packet_wait(pp_env *env, napi_value *args) { return pp_source_wait(env, args, &PACKET); }

static bool read_destination(pp_env *env, napi_value value, struct sockaddr_ll *to) {
  napi_valuetype type;
  napi_typeof(env->napi, value, &type);
  if (type == napi_undefined) return true;
  pp_bytes address;
  if (!pp_read_bytes(env, value, "destination", &address)) return false;
  if (address.length > sizeof to->sll_addr) {
    pp_throw(env, EINVAL, "link-layer address of %zu bytes", address.length);
    return false;
  }
  memcpy(to->sll_addr, address.data, address.length);
  to->sll_halen = (unsigned char)address.length;
  return true;
}

/* (socket, frames, ifindex, destination or undefined) */
static napi_value packet_send(pp_env *env, napi_value *args) {
  packet *self = (packet *)pp_source_of(env, args[0], &PACKET);
  if (self == NULL) return NULL;
  PP_INT(ifindex, args[2]);
  struct sockaddr_ll to = {.sll_family = AF_PACKET,
                           .sll_protocol = self->protocol,
                           .sll_ifindex = ifindex == 0 ? self->ifindex : ifindex};
  if (!read_destination(env, args[3], &to)) return NULL;
  struct iovec pieces[PP_BATCH];
  struct mmsghdr headers[PP_BATCH];
  uint32_t done = 0;
  for (int count; (count = pp_read_frames(env, args[1], done, pieces)) > 0;) {
    for (int i = 0; i < count; i++)
      headers[i] = (struct mmsghdr){
          .msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &pieces[i], .msg_iovlen = 1}};
    int sent;
    do sent = sendmmsg(self->source.fd, headers, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && done == 0 && !pp_queue_full(errno)) return pp_throw(env, errno, "sendmmsg to interface %d", to.sll_ifindex);
    if (sent > 0) done += (uint32_t)sent;
    if (sent < count) break;
  }
  return pp_number(env, done);
}

static napi_value packet_all_multi(pp_env *env, napi_value *args) {
  packet *self = (packet *)pp_source_of(env, args[0], &PACKET);
  if (self == NULL) return NULL;
  PP_INT(ifindex, args[1]);
  PP_BOOL(on, args[2]);
  struct packet_mreq request = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI};
  int option = on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP;
  if (setsockopt(self->source.fd, SOL_PACKET, option, &request, sizeof request) != 0)
    return pp_throw(env, errno, "PACKET_MR_ALLMULTI on interface %d", ifindex);
  return NULL;
}

static napi_value packet_statistics(pp_env *env, napi_value *args) {
  packet *self = (packet *)pp_source_of(env, args[0], &PACKET);
  if (self == NULL) return NULL;
  struct tpacket_stats counts;
  socklen_t length = sizeof counts;
  if (getsockopt(self->source.fd, SOL_PACKET, PACKET_STATISTICS, &counts, &length) != 0)
    return pp_throw(env, errno, "getsockopt PACKET_STATISTICS");
  return pp_int_pair(env, (int)counts.tp_packets, (int)counts.tp_drops);
}

const pp_function pp_packet_functions[] = {
    {"packetOpen", open_packet},
    {"packetFd", packet_fd},
    {"packetWait", packet_wait},
    {"packetSend", packet_send},
    {"packetAllMulti", packet_all_multi},
    {"packetStatistics", packet_statistics},
    {NULL, NULL},
};
