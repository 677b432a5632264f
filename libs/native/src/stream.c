/* Connected sockets that carry bytes and descriptors: UNIX stream, datagram and seqpacket, and vsock.
 *
 * Bytes are received into the scratch buffer. What is written goes out at once if the kernel takes it, else it waits in a queue of
 * chunks here; descriptors are duplicated into their chunk and leave with its first byte. */
#include "addon.h"
#include "socket.h"

#include <fcntl.h>

enum { ON_DATA, ON_END, ON_ERROR, ON_DRAIN, ON_CONNECT };

#define READ_BYTES 65536
#define READS_A_WAKE 8
#define CHUNKS_A_SEND 16
/* write() answers false above this. */
#define LONG_QUEUE_BYTES 262144

typedef struct chunk {
  struct chunk *next;
  size_t length, sent, fd_count;
  int *fds;
  uint8_t data[];
} chunk;

typedef struct {
  pp_source source;
  bool bytewise; /* no message boundaries */
  bool ends;     /* receiving nothing means the end; a datagram may be empty */
  bool connecting, paused, ended, finishing, finished, full;
  bool failed; /* reported: nothing goes in or out any more */
  int error;   /* found by write(), to be reported from the loop */
  chunk *head, **tail;
  size_t queued;
} stream;

static void close_fds(const int *fds, size_t count) {
  for (size_t i = 0; i < count; i++) close(fds[i]);
}

static void drop_fds(chunk *piece) {
  close_fds(piece->fds, piece->fd_count);
  piece->fd_count = 0;
  pp_free(piece->fds);
  piece->fds = NULL;
}

static void pop_chunk(stream *self) {
  chunk *piece = self->head;
  self->head = piece->next;
  if (self->head == NULL) self->tail = &self->head;
  self->queued -= piece->length - piece->sent;
  drop_fds(piece);
  pp_free(piece);
}

static void on_close(pp_source *source) {
  stream *self = (stream *)source;
  while (self->head != NULL) pop_chunk(self);
}

static void update_wanted(stream *self) {
  bool read = !self->failed && !self->connecting && !self->paused && !self->ended;
  bool write = self->error != 0 || (!self->failed && (self->connecting || self->head != NULL));
  int events = (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0);
  if (events != self->source.wanted) pp_source_want(&self->source, events);
}

/* The stream is over: tells so and drops what is queued. */
static void fail(stream *self, int code, const char *call) {
  self->failed = true;
  self->error = 0;
  while (self->head != NULL) pop_chunk(self);
  pp_source_fail(&self->source, ON_ERROR, code, call);
}

/* Sends the first chunk, with those after it that carry no descriptors; one that does goes alone. */
static ssize_t send_head(stream *self) {
  struct iovec pieces[CHUNKS_A_SEND];
  size_t count = 0;
  for (chunk *piece = self->head; piece != NULL && count < CHUNKS_A_SEND; piece = piece->next) {
    if (count > 0 && piece->fd_count > 0) break;
    pieces[count++] = (struct iovec){piece->data + piece->sent, piece->length - piece->sent};
    if (piece->fd_count > 0 || !self->bytewise) break;
  }
  struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
  return pp_send_with_fds(self->source.fd, &message, self->head->fds, self->head->fd_count);
}

static void consume(stream *self, size_t sent) {
  if (!self->bytewise) {
    pop_chunk(self);
    return;
  }
  drop_fds(self->head); /* they went with the first byte */
  while (self->head != NULL && sent >= self->head->length - self->head->sent) {
    sent -= self->head->length - self->head->sent;
    pop_chunk(self);
  }
  if (self->head == NULL) return;
  self->head->sent += sent;
  self->queued -= sent;
}

/* Sends what the kernel takes; 0, or the errno that ends the stream. */
static int flush(stream *self) {
  while (self->head != NULL) {
    ssize_t sent = send_head(self);
    if (sent < 0) return errno == EAGAIN ? 0 : errno;
    consume(self, (size_t)sent);
  }
  if (self->finishing && !self->finished) {
    self->finished = true;
    if (shutdown(self->source.fd, SHUT_WR) != 0 && errno != ENOTCONN) return errno; /* ENOTCONN: the peer is gone already */
  }
  return 0;
}

static size_t take_fds(struct msghdr *message, int *fds) {
  size_t count = 0;
  for (struct cmsghdr *entry = CMSG_FIRSTHDR(message); entry != NULL; entry = CMSG_NXTHDR(message, entry)) {
    if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
    size_t more = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds + count, CMSG_DATA(entry), more * sizeof(int));
    count += more;
  }
  return count;
}

static void call_data(stream *self, size_t length, const int *fds, size_t count) {
  pp_env *env = self->source.env;
  napi_value args[2] = {pp_number(env, (double)length)};
  napi_create_array_with_length(env->napi, count, &args[1]);
  for (size_t i = 0; i < count; i++) napi_set_element(env->napi, args[1], (uint32_t)i, pp_number(env, fds[i]));
  pp_source_call(&self->source, ON_DATA, 2, args);
}

/* One recvmsg; false when there is probably nothing more to read now. */
static bool receive(stream *self) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(PP_MAX_FDS * sizeof(int)) + 256]; /* and credentials, if the socket passes them */
  } control;
  int fds[PP_MAX_FDS];
  struct iovec bytes = {self->source.env->scratch, self->bytewise ? READ_BYTES : PP_SCRATCH_BYTES};
  struct msghdr message = {
      .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(self->source.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN) fail(self, errno, "recvmsg");
    return false;
  }
  size_t count = take_fds(&message, fds);
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    /* There is room for all that can come, so this process has too many open: the message must not get a part of its own. */
    close_fds(fds, count);
    count = 0;
    pp_source_fail(&self->source, ON_ERROR, EMFILE, "recvmsg descriptors");
    if (self->source.closed) return false;
  }
  if (length == 0 && self->ends) {
    close_fds(fds, count);
    self->ended = true;
    pp_source_call(&self->source, ON_END, 0, NULL);
    return false;
  }
  call_data(self, (size_t)length, fds, count);
  /* Bytes without descriptors fill the buffer while there are more; what comes behind them is worth a look only before an error. */
  return !self->bytewise || count > 0 || length == READ_BYTES || self->error != 0;
}

static bool may_read(const stream *self) {
  return !self->source.closed && !self->failed && !self->connecting && !self->paused && !self->ended;
}

static void finish_connect(stream *self) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(self->source.fd, SOL_SOCKET, SO_ERROR, &error, &length);
  self->connecting = false;
  if (error != 0)
    fail(self, error, "connect");
  else
    pp_source_call(&self->source, ON_CONNECT, 0, NULL);
}

static void write_more(stream *self) {
  bool waiting = self->full || (self->finishing && !self->finished);
  int error = flush(self);
  if (error != 0) {
    fail(self, error, "sendmsg");
  } else if (waiting && self->head == NULL) {
    self->full = false;
    pp_source_call(&self->source, ON_DRAIN, 0, NULL);
  }
}

static void on_ready(pp_source *source, int events) {
  stream *self = (stream *)source;
  if (self->connecting) finish_connect(self);
  /* Reading comes first, and after a failed write too: the peer's last words are often the reason. */
  if ((events & UV_READABLE) != 0 || self->error != 0) {
    for (int i = 0; i < READS_A_WAKE && may_read(self); i++)
      if (!receive(self)) break;
  }
  if (source->closed) return;
  if (self->error != 0)
    fail(self, self->error, "sendmsg");
  else if ((events & UV_WRITABLE) != 0 && !self->failed)
    write_more(self);
  if (!source->closed) update_wanted(self);
}

static const pp_source_type STREAM = {"stream", sizeof(stream), on_ready, on_close};

/* (fd, connecting, onData(length, fds), onEnd, onError, onDrain, onConnect) */
static napi_value open_stream(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_BOOL(connecting, args[1]);
  int type;
  socklen_t length = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return pp_throw(env, errno, "getsockopt %d", fd);
  napi_value handle;
  stream *self = (stream *)pp_source_open(env, &STREAM, fd, args + 2, 5, &handle);
  if (self == NULL) return NULL;
  self->bytewise = type == SOCK_STREAM;
  self->ends = type != SOCK_DGRAM;
  self->connecting = connecting;
  self->tail = &self->head;
  update_wanted(self);
  return handle;
}

static bool dup_fds(pp_env *env, chunk *piece, const int *fds, size_t count) {
  if (count == 0) return true;
  piece->fds = pp_alloc(count * sizeof *piece->fds);
  for (; piece->fd_count < count; piece->fd_count++) {
    int copy = fcntl(fds[piece->fd_count], F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
      pp_throw(env, errno, "dup %d", fds[piece->fd_count]);
      return false;
    }
    piece->fds[piece->fd_count] = copy;
  }
  return true;
}

static chunk *make_chunk(pp_env *env, const pp_bytes *data, const int *fds, size_t count) {
  chunk *piece = pp_alloc(sizeof *piece + data->length);
  if (!dup_fds(env, piece, fds, count)) {
    drop_fds(piece);
    pp_free(piece);
    return NULL;
  }
  piece->length = data->length;
  memcpy(piece->data, data->data, data->length);
  return piece;
}

static napi_value write_stream(pp_env *env, napi_value *args) {
  stream *self = (stream *)pp_source_of(env, args[0], &STREAM);
  if (self == NULL) return NULL;
  PP_BYTES(data, args[1]);
  int fds[PP_MAX_FDS];
  size_t count;
  if (!pp_read_fds(env, args[2], fds, PP_MAX_FDS, &count)) return NULL;
  if (self->finishing) return pp_throw(env, EPIPE, "write after end");
  if (self->bytewise && data.length == 0 && count > 0) return pp_throw(env, EINVAL, "write of descriptors without a byte");
  napi_value more;
  napi_get_boolean(env->napi, false, &more);
  if (self->failed || self->error != 0) return more;
  if (data.length > 0 || !self->bytewise) {
    chunk *piece = make_chunk(env, &data, fds, count);
    if (piece == NULL) return NULL;
    bool first = self->head == NULL;
    *self->tail = piece;
    self->tail = &piece->next;
    self->queued += piece->length;
    if (first && !self->connecting) self->error = flush(self);
    update_wanted(self);
  }
  self->full = self->full || self->queued > LONG_QUEUE_BYTES;
  napi_get_boolean(env->napi, !self->full && self->error == 0, &more);
  return more;
}

/* True: all has gone. */
static napi_value end_stream(pp_env *env, napi_value *args) {
  stream *self = (stream *)pp_source_of(env, args[0], &STREAM);
  if (self == NULL) return NULL;
  if (!self->failed && self->error == 0 && !self->finishing) {
    self->finishing = true;
    if (self->head == NULL && !self->connecting) self->error = flush(self);
    update_wanted(self);
  }
  napi_value finished;
  napi_get_boolean(env->napi, self->finished && self->error == 0, &finished);
  return finished;
}

static napi_value pause_stream(pp_env *env, napi_value *args) {
  stream *self = (stream *)pp_source_of(env, args[0], &STREAM);
  if (self == NULL) return NULL;
  PP_BOOL(paused, args[1]);
  self->paused = paused;
  update_wanted(self);
  return NULL;
}

const pp_function pp_stream_functions[] = {
    {"streamOpen", open_stream}, {"streamWrite", write_stream}, {"streamEnd", end_stream},
    {"streamPause", pause_stream}, {NULL, NULL},
};
