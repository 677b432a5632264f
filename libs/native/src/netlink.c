/* Netlink sockets. A request runs inside send(2), and the kernel may hold the caller there for tens of milliseconds (deleting a
 * link), so each socket sends from a thread of its own, started with its first message. Answers are received on the event loop. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>

#include "addon.h"

enum { ON_DATAGRAM, ON_ERROR };

#define DATAGRAMS_A_WAKE 64
#define SENDER_STACK (128 * 1024)

typedef struct message {
  struct message *next;
  size_t length;
  uint8_t data[];
} message;

/* Shared by the loop and the sending thread; the last of the two to leave frees it. Plain malloc: pp_alloc is the loop's. */
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  message *head, **tail;
  uv_async_t *async; /* NULL once the socket is closed */
  int fd;            /* a duplicate, so that closing the socket never meets a send under way */
  int error;         /* of a send, for the loop to report */
} sender;

typedef struct {
  pp_source source;
  uv_async_t async;
  sender *sender; /* NULL before the first message */
  uint32_t port;
} netlink;

static void sender_free(sender *self) {
  while (self->head != NULL) {
    message *next = self->head->next;
    free(self->head);
    self->head = next;
  }
  close(self->fd);
  pthread_mutex_destroy(&self->lock);
  pthread_cond_destroy(&self->wake);
  free(self);
}

static void send_one(sender *self, message *piece) {
  pthread_mutex_unlock(&self->lock);
  ssize_t sent;
  do sent = send(self->fd, piece->data, piece->length, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  int error = sent < 0 ? errno : 0;
  free(piece);
  pthread_mutex_lock(&self->lock);
  if (error == 0 || self->async == NULL) return;
  self->error = error;
  uv_async_send(self->async);
}

static void *run_sender(void *data) {
  sender *self = data;
  pthread_mutex_lock(&self->lock);
  while (self->async != NULL) {
    message *piece = self->head;
    if (piece == NULL) {
      pthread_cond_wait(&self->wake, &self->lock);
      continue;
    }
    self->head = piece->next;
    if (self->head == NULL) self->tail = &self->head;
    send_one(self, piece);
  }
  pthread_mutex_unlock(&self->lock);
  sender_free(self);
  return NULL;
}

/* The thread, detached: it ends by itself after `async` became NULL. errno, or 0. */
static int start_sender(netlink *self) {
  sender *made = calloc(1, sizeof *made);
  if (made == NULL) return ENOMEM;
  made->tail = &made->head;
  made->async = &self->async;
  made->fd = fcntl(self->source.fd, F_DUPFD_CLOEXEC, 0);
  int error = made->fd < 0 ? errno : 0;
  pthread_mutex_init(&made->lock, NULL);
  pthread_cond_init(&made->wake, NULL);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, SENDER_STACK);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  if (error == 0) error = pthread_create(&thread, &attributes, run_sender, made);
  pthread_attr_destroy(&attributes);
  if (error == 0)
    self->sender = made;
  else
    sender_free(made);
  return error;
}

static void on_send_failed(uv_async_t *async) {
  netlink *self = async->data;
  pthread_mutex_lock(&self->sender->lock);
  int error = self->sender->error;
  self->sender->error = 0;
  pthread_mutex_unlock(&self->sender->lock);
  napi_handle_scope scope;
  if (error == 0 || napi_open_handle_scope(self->source.env->napi, &scope) != napi_ok) return;
  pp_source_fail(&self->source, ON_ERROR, error, "send netlink");
  napi_close_handle_scope(self->source.env->napi, scope);
}

/* Only the kernel is heard (port 0): any process may send to our port. */
static void deliver(netlink *self, const uint8_t *bytes, size_t length, const struct sockaddr_nl *from) {
  pp_source *source = &self->source;
  napi_value buffer, datagram;
  void *copy;
  if (from->nl_pid != 0) return;
  if (napi_create_arraybuffer(source->env->napi, length, &copy, &buffer) != napi_ok) return;
  if (length > 0) memcpy(copy, bytes, length);
  napi_create_typedarray(source->env->napi, napi_uint8_array, length, buffer, 0, &datagram);
  pp_source_call(source, ON_DATAGRAM, 1, &datagram);
}

static void on_ready(pp_source *source, int events) {
  (void)events;
  napi_env napi = source->env->napi;
  for (int i = 0; i < DATAGRAMS_A_WAKE && !source->closed; i++) {
    uint8_t *scratch = pp_scratch(source->env);
    struct sockaddr_nl from;
    struct iovec bytes = {scratch, PP_SCRATCH_BYTES};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &bytes, .msg_iovlen = 1};
    ssize_t length = recvmsg(source->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    napi_handle_scope scope;
    if (napi_open_handle_scope(napi, &scope) != napi_ok) return;
    if (length < 0)
      pp_source_fail(source, ON_ERROR, errno, "recv netlink");
    else if (length > PP_SCRATCH_BYTES)
      pp_source_fail(source, ON_ERROR, EMSGSIZE, "recv netlink");
    else
      deliver((netlink *)source, scratch, (size_t)length, &from);
    napi_close_handle_scope(napi, scope);
  }
}

static void on_close(pp_source *source) {
  netlink *self = (netlink *)source;
  if (self->sender != NULL) {
    sender *left = self->sender;
    pthread_mutex_lock(&left->lock);
    left->async = NULL;
    pthread_cond_signal(&left->wake);
    pthread_mutex_unlock(&left->lock); /* from here on it is the thread's */
    self->sender = NULL;
  }
  pp_source_close_handle(source, (uv_handle_t *)&self->async);
}

static const pp_source_type NETLINK = {"netlink socket", sizeof(netlink), on_ready, on_close};

/* All or nothing; errno is set on failure. */
static int open_socket(int protocol, int64_t receive_bytes, uint32_t *port) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return -1;
  int on = 1, room = (int)receive_bytes;
  struct sockaddr_nl own = {.nl_family = AF_NETLINK};
  socklen_t length = sizeof own;
  if (room > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on); /* Linux 4.20; nothing depends on it */
  if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) == 0 &&
      setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) == 0 &&
      bind(fd, (struct sockaddr *)&own, sizeof own) == 0 && getsockname(fd, (struct sockaddr *)&own, &length) == 0) {
    *port = own.nl_pid;
    return fd;
  }
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static napi_value netlink_open(pp_env *env, napi_value *args) {
  PP_INT(protocol, args[0]);
  int64_t room;
  if (!pp_read_number(env, args[1], "receiveBufferBytes", 0, INT_MAX, &room)) return NULL;
  uint32_t port = 0;
  int fd = open_socket(protocol, room, &port);
  if (fd < 0) return pp_throw(env, errno, "socket AF_NETLINK %d", protocol);
  napi_value handle;
  netlink *made = (netlink *)pp_source_open(env, &NETLINK, fd, args + 2, 2, &handle);
  if (made == NULL) {
    close(fd);
    return NULL;
  }
  made->port = port;
  made->source.users++;
  uv_async_init(env->loop, &made->async, on_send_failed);
  made->async.data = made;
  pp_source_want(&made->source, UV_READABLE);
  return handle;
}

static napi_value netlink_port(pp_env *env, napi_value *args) {
  netlink *self = (netlink *)pp_source_of(env, args[0], &NETLINK);
  return self == NULL ? NULL : pp_number(env, self->port);
}

static napi_value netlink_send(pp_env *env, napi_value *args) {
  netlink *self = (netlink *)pp_source_of(env, args[0], &NETLINK);
  if (self == NULL) return NULL;
  PP_BYTES(bytes, args[1]);
  int error = self->sender == NULL ? start_sender(self) : 0;
  if (error != 0) return pp_throw(env, error, "start the sender of a netlink socket");
  message *piece = malloc(sizeof *piece + bytes.length);
  if (piece == NULL) return pp_throw(env, ENOMEM, "netlink message of %zu bytes", bytes.length);
  piece->next = NULL;
  piece->length = bytes.length;
  memcpy(piece->data, bytes.data, bytes.length);
  sender *to = self->sender;
  pthread_mutex_lock(&to->lock);
  *to->tail = piece;
  to->tail = &piece->next;
  pthread_cond_signal(&to->wake);
  pthread_mutex_unlock(&to->lock);
  return NULL;
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
    {"netlinkOpen", netlink_open},
    {"netlinkPort", netlink_port},
    {"netlinkSend", netlink_send},
    {"netlinkMember", netlink_member},
    {NULL, NULL},
};
