/* Netlink sockets. The kernel works on a request inside send(), for as long as it takes, so sending has a thread of its own; who knows
 * that a request is short may send it from the event loop's thread, which costs less than to wake another and to be woken by it.
 *
 * The thread and the source share a `sender`, which the last of them frees. Closing does not wait for a request under way: the
 * descriptor stays open until the thread has come back from it. What was queued and not begun is dropped. */
#include "netlink.h"

#include "addon.h"
#include "held.h"

#include <linux/netlink.h>

enum { ON_DATAGRAMS, ON_ERROR };

/* More than any datagram. The kernel makes those of a dump as long as the last receive had room for, up to 32 KiB. */
#define DATAGRAM_ROOM (256 << 10)
/* The kernel refuses requests longer than the send buffer; a cap, not an allocation. */
#define SEND_BUFFER_BYTES (8 << 20)

typedef struct message {
  struct message *next;
  int error; /* of `call`, which failed */
  const char *call;
  size_t length;
  uint8_t data[];
} message;

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int fd;
  int users; /* the source and the thread */
  bool stopping;
  bool sending; /* the thread is at a message that is in no list */
  message *queue, **queue_end;
  message *failed, **failed_end;
  uv_async_t *wake; /* the source's; not touched once `stopping` is set */
} sender;

typedef struct {
  pp_source source;
  sender *sending;
  bool started;
  uv_async_t wake;
} netlink;

static void free_messages(message *list) {
  while (list != NULL) {
    message *next = list->next;
    pp_free(list);
    list = next;
  }
}

static void append(message ***end, message *item) {
  item->next = NULL;
  **end = item;
  *end = &item->next;
}

/* Called with the lock held, which is gone on return. */
static void leave_sender(sender *self) {
  bool last = --self->users == 0;
  pthread_mutex_unlock(&self->lock);
  if (!last) return;
  close(self->fd);
  free_messages(self->queue);
  free_messages(self->failed);
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->lock);
  pp_free(self);
}

/* Has the lock. */
static message *take_next(sender *self) {
  self->sending = false;
  while (self->queue == NULL && !self->stopping) pthread_cond_wait(&self->changed, &self->lock);
  if (self->stopping) return NULL;
  message *next = self->queue;
  self->queue = next->next;
  if (self->queue == NULL) self->queue_end = &self->queue;
  self->sending = true;
  return next;
}

/* 0, or the errno of a send that failed. */
static int send_all(int fd, const void *data, size_t length) {
  ssize_t sent;
  do sent = send(fd, data, length, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

static void *run_sender(void *data) {
  sender *self = data;
  pthread_mutex_lock(&self->lock);
  for (message *next; (next = take_next(self)) != NULL;) {
    pthread_mutex_unlock(&self->lock);
    next->error = send_all(self->fd, next->data, next->length);
    pthread_mutex_lock(&self->lock);
    if (next->error == 0 || self->stopping) {
      pp_free(next);
    } else {
      append(&self->failed_end, next);
      uv_async_send(self->wake);
    }
  }
  leave_sender(self);
  return NULL;
}

static int start_thread(netlink *self) {
  pthread_t thread;
  self->sending->users++;
  int error = pp_start_thread(&thread, run_sender, self->sending);
  if (error != 0) self->sending->users--;
  return error;
}

static void on_send_failed(uv_async_t *wake) {
  netlink *self = wake->data;
  napi_handle_scope scope;
  if (self->source.closed || napi_open_handle_scope(self->source.env->napi, &scope) != napi_ok) return;
  pthread_mutex_lock(&self->sending->lock);
  message *failed = self->sending->failed;
  self->sending->failed = NULL;
  self->sending->failed_end = &self->sending->failed;
  pthread_mutex_unlock(&self->sending->lock);
  for (message *each = failed; each != NULL; each = each->next)
    pp_source_fail(&self->source, ON_ERROR, each->error, each->call);
  free_messages(failed);
  napi_close_handle_scope(self->source.env->napi, scope);
}

/* One datagram to `room`: its length, 0 when there is none to tell of, -1 with errno. */
static ssize_t receive(int fd, uint8_t *room, size_t size) {
  struct sockaddr_nl from = {0};
  struct iovec bytes = {room, size};
  struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &bytes, .msg_iovlen = 1};
  ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT);
  if (length < 0) return errno == EINTR ? 0 : -1;
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    errno = ENOBUFS; /* what was cut off is lost */
    return -1;
  }
  return from.nl_pid == 0 ? length : 0; /* another process is not believed */
}

/* All datagrams that wait, one after the other, in one call: a batch of requests has as many answers. */
static void on_ready(pp_source *source, int events) {
  (void)events;
  uint8_t *scratch = source->env->scratch;
  size_t used = 0;
  int error = 0;
  while (error == 0 && used + DATAGRAM_ROOM <= PP_SCRATCH_BYTES) {
    ssize_t length = receive(source->fd, scratch + used, PP_SCRATCH_BYTES - used);
    if (length < 0) error = errno;
    else used += NLMSG_ALIGN((size_t)length);
  }
  if (used == 0 && error == EAGAIN) return;
  pp_source_await(source, false);
  napi_value length = pp_number(source->env, used);
  if (used > 0) pp_source_call(source, ON_DATAGRAMS, 1, &length);
  if (error != 0 && error != EAGAIN) pp_source_fail(source, ON_ERROR, error, "recvmsg netlink"); /* ENOBUFS: what follows is good */
}

static void on_close(pp_source *source) {
  netlink *self = (netlink *)source;
  pthread_mutex_lock(&self->sending->lock);
  self->sending->stopping = true;
  pthread_cond_signal(&self->sending->changed);
  leave_sender(self->sending);
  pp_source_close_handle(source, (uv_handle_t *)&self->wake);
}

static const pp_source_type NETLINK = {"netlink socket", sizeof(netlink), on_ready, on_close};

/* Extended acks tell what was wrong, capped acks do not echo the request, strict checks make the kernel filter dumps. Kernels before
 * 4.20 lack some: they answer as they can. */
void pp_netlink_details(int fd) {
  const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    setsockopt(fd, SOL_NETLINK, options[i], &(int){1}, sizeof(int));
}

static int open_socket(pp_env *env, int protocol, int receive_bytes, const pp_bytes *filter) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) {
    pp_throw(env, errno, "socket AF_NETLINK %d", protocol);
    return -1;
  }
  if (!pp_attach_filter(env, fd, filter)) {
    close(fd);
    return -1;
  }
  pp_set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_BYTES);
  if (receive_bytes > 0) pp_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_bytes);
  pp_netlink_details(fd);
  struct sockaddr_nl any = {.nl_family = AF_NETLINK};
  if (bind(fd, (struct sockaddr *)&any, sizeof any) == 0) return fd;
  pp_throw(env, errno, "bind AF_NETLINK");
  close(fd);
  return -1;
}

static sender *make_sender(int fd, uv_async_t *wake) {
  sender *self = pp_alloc(sizeof *self);
  pthread_mutex_init(&self->lock, NULL);
  pthread_cond_init(&self->changed, NULL);
  self->fd = fd;
  self->users = 1;
  self->queue_end = &self->queue;
  self->failed_end = &self->failed;
  self->wake = wake;
  return self;
}

/* (protocol, receiveBufferBytes, filter, onDatagrams, onError) */
static napi_value open_netlink(pp_env *env, napi_value *args) {
  PP_INT(protocol, args[0]);
  PP_INT(receive_bytes, args[1]);
  PP_BYTES(filter, args[2]);
  int fd = open_socket(env, protocol, receive_bytes, &filter);
  if (fd < 0) return NULL;
  napi_value handle;
  netlink *self = (netlink *)pp_source_open(env, &NETLINK, fd, args + 3, 2, &handle);
  if (self == NULL) {
    close(fd);
    return NULL;
  }
  self->source.lends_fd = true; /* by the sender */
  self->source.users++;         /* for `wake` */
  uv_async_init(env->loop, &self->wake, on_send_failed);
  uv_unref((uv_handle_t *)&self->wake); /* the poll handle keeps the loop alive */
  self->wake.data = self;
  self->sending = make_sender(fd, &self->wake);
  pp_source_want(&self->source, UV_READABLE);
  return handle;
}

static napi_value netlink_port(pp_env *env, napi_value *args) {
  netlink *self = (netlink *)pp_source_of(env, args[0], &NETLINK);
  if (self == NULL) return NULL;
  struct sockaddr_nl address;
  socklen_t length = sizeof address;
  if (getsockname(self->source.fd, (struct sockaddr *)&address, &length) != 0) return pp_throw(env, errno, "getsockname");
  return pp_number(env, address.nl_pid);
}

static message *copy_of(const pp_bytes *data) {
  message *item = pp_alloc(sizeof *item + data->length);
  item->call = "send netlink";
  item->length = data->length;
  memcpy(item->data, data->data, data->length);
  return item;
}

/* As if the thread had failed to send it: told from the loop, not from inside the call. */
static void tell_failed(sender *self, message *item, int error) {
  item->error = error;
  pthread_mutex_lock(&self->lock);
  append(&self->failed_end, item);
  pthread_mutex_unlock(&self->lock);
  uv_async_send(self->wake);
}

/* While there is no thread, each message tries to start it. */
static void queue_for_thread(netlink *self, const pp_bytes *data) {
  message *item = copy_of(data);
  int error = self->started ? 0 : start_thread(self);
  if (error != 0) {
    item->call = "pthread_create";
    tell_failed(self->sending, item, error);
    return;
  }
  self->started = true;
  pthread_mutex_lock(&self->sending->lock);
  append(&self->sending->queue_end, item);
  pthread_mutex_unlock(&self->sending->lock);
  pthread_cond_signal(&self->sending->changed); /* with the lock held, the thread would wake up only to wait for it */
}

static napi_value netlink_send(pp_env *env, napi_value *args) {
  netlink *self = (netlink *)pp_source_of(env, args[0], &NETLINK);
  if (self == NULL) return NULL;
  PP_BYTES(data, args[1]);
  queue_for_thread(self, &data);
  return NULL;
}

/* (netlink, message): microseconds that the kernel held this thread; 0 where earlier messages are still to go, so that the thread sends it. */
static napi_value netlink_send_here(pp_env *env, napi_value *args) {
  netlink *self = (netlink *)pp_source_of(env, args[0], &NETLINK);
  if (self == NULL) return NULL;
  PP_BYTES(data, args[1]);
  pthread_mutex_lock(&self->sending->lock);
  bool busy = self->sending->sending || self->sending->queue != NULL;
  pthread_mutex_unlock(&self->sending->lock);
  if (busy) {
    queue_for_thread(self, &data);
    return pp_number(env, 0);
  }
  pp_moment start, end;
  pp_note_moment(&start);
  int error = send_all(self->source.fd, data.data, data.length);
  if (error != 0) tell_failed(self->sending, copy_of(&data), error);
  else pp_source_await(&self->source, true);
  pp_note_moment(&end);
  return pp_number(env, pp_held_microseconds(&start, &end));
}

static napi_value netlink_member(pp_env *env, napi_value *args) {
  netlink *self = (netlink *)pp_source_of(env, args[0], &NETLINK);
  if (self == NULL) return NULL;
  PP_INT(group, args[1]);
  PP_BOOL(member, args[2]);
  int option = member ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
  if (setsockopt(self->source.fd, SOL_NETLINK, option, &group, sizeof group) != 0)
    return pp_throw(env, errno, "%s netlink group %d", member ? "join" : "leave", group);
  return NULL;
}

const pp_function pp_netlink_functions[] = {
    {"netlinkOpen", open_netlink}, {"netlinkPort", netlink_port}, {"netlinkSend", netlink_send},
    {"netlinkSendHere", netlink_send_here}, {"netlinkMember", netlink_member}, {NULL, NULL},
};
