/* Relays: pairs of connected stream sockets whose bytes the kernel moves from one to the other by way of a pipe (splice(2)), so that
 * they never enter this process.
 *
 * Each direction is a flow: a pipe is filled from one socket only when it is empty, and emptied into the other before it is filled
 * again. So a full socket stops the flow, nothing is read that has no place, and "try again" has one meaning. A flow without bytes
 * has no pipe: an idle pair is two descriptors. All pairs are watched by one epoll instance, which libuv watches in turn. */
#include "addon.h"

#include <fcntl.h>
#include <sys/epoll.h>

enum { ON_CONNECTED, ON_REFUSED, ON_END };

enum { CLIENT, TARGET };

#define PIPE_BYTES 262144
/* Fills of one flow before others have their turn. */
#define ROUNDS 4
#define EVENTS_A_WAKE 64
/* Empty pipes kept for the next flows. */
#define MAX_SPARE_PIPES 16
#define ENDS 2

typedef struct byte_pipe {
  struct byte_pipe *next; /* in the list of spare ones */
  int read, write;
} byte_pipe;

/* Bytes from one side to the other. */
typedef struct {
  byte_pipe *pipe; /* NULL: nothing is held */
  size_t held;
  uint64_t total;
  bool ended; /* the source has said its last byte */
  bool shut;  /* and the destination was told so */
} flow;

typedef struct {
  uint32_t slot, generation;
  bool connecting;    /* the target's socket is not connected yet */
  int fds[ENDS];      /* -1: there is no target now */
  int watched[ENDS];  /* what epoll was told to look for; -1: it does not know the descriptor */
  flow flows[ENDS];   /* by their source */
} pair;

typedef struct {
  pp_source source; /* on the epoll instance */
  pair **slots;
  uint32_t slot_count, first_free, generation; /* all slots below first_free are taken */
  byte_pipe *spare;
  size_t spare_count;
} relay;

static void close_pipe(byte_pipe *pipe) {
  close(pipe->read);
  close(pipe->write);
  pp_free(pipe);
}

/* NULL with errno set if there can be no more. */
static byte_pipe *take_pipe(relay *self) {
  byte_pipe *pipe = self->spare;
  if (pipe != NULL) {
    self->spare = pipe->next;
    self->spare_count--;
    return pipe;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return NULL;
  fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* refused beyond a user's share (pipe(7)): then it is smaller */
  pipe = pp_alloc(sizeof *pipe);
  pipe->read = ends[0];
  pipe->write = ends[1];
  return pipe;
}

/* Lets go of a flow's pipe. One that holds bytes still is of no use to others. */
static void drop_pipe(relay *self, flow *of) {
  byte_pipe *pipe = of->pipe;
  of->pipe = NULL;
  if (pipe == NULL) return;
  if (of->held > 0 || self->spare_count >= MAX_SPARE_PIPES) {
    close_pipe(pipe);
    return;
  }
  pipe->next = self->spare;
  self->spare = pipe;
  self->spare_count++;
}

/* The close that follows is a reset: the peer must not take a broken connection for one that has ended. */
static void set_reset(int fd) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* What came in and was not asked for any more would turn the close into a reset, which takes back what the peer has not got yet. */
static void discard_input(int fd) {
  for (int i = 0; i < 16 && recv(fd, NULL, 1 << 20, MSG_DONTWAIT | MSG_TRUNC) > 0; i++) {
  }
}

static void close_side(relay *self, pair *of, int side) {
  int fd = of->fds[side];
  if (fd < 0) return;
  if (of->watched[side] >= 0) epoll_ctl(self->source.fd, EPOLL_CTL_DEL, fd, NULL);
  of->watched[side] = -1;
  of->fds[side] = -1;
  close(fd);
}

static void free_pair(relay *self, pair *gone) {
  self->slots[gone->slot] = NULL;
  if (gone->slot < self->first_free) self->first_free = gone->slot;
  for (int side = 0; side < ENDS; side++) {
    close_side(self, gone, side);
    drop_pipe(self, &gone->flows[side]);
  }
  pp_free(gone);
}

static void on_close(pp_source *source) {
  relay *self = (relay *)source;
  for (uint32_t i = 0; i < self->slot_count; i++)
    if (self->slots[i] != NULL) free_pair(self, self->slots[i]);
  while (self->spare != NULL) {
    byte_pipe *pipe = self->spare;
    self->spare = pipe->next;
    close_pipe(pipe);
  }
  pp_free(self->slots);
}

/* One splice; 0: the source has ended. -1 with errno EAGAIN: it would wait. */
static ssize_t splice_some(int from, int to, size_t length) {
  ssize_t moved;
  do moved = splice(from, NULL, to, NULL, length, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  while (moved < 0 && errno == EINTR);
  return moved;
}

/* Fills the pipe, which is empty. False: nothing more to do now; *error tells if the flow is broken. */
static bool fill(relay *self, flow *of, int from, int *error) {
  if (of->pipe == NULL) of->pipe = take_pipe(self);
  ssize_t got = of->pipe == NULL ? -1 : splice_some(from, of->pipe->write, PIPE_BYTES);
  if (got > 0) of->held = (size_t)got;
  if (got == 0) of->ended = true;
  if (got < 0 && errno != EAGAIN) *error = errno;
  return got > 0;
}

static bool empty(flow *of, int to, int *error) {
  ssize_t put = splice_some(of->pipe->read, to, of->held);
  if (put < 0) {
    if (errno != EAGAIN) *error = errno;
    return false;
  }
  of->held -= (size_t)put;
  of->total += (uint64_t)put;
  return true;
}

/* Moves what can be moved now from one side; 0, or the errno that ends the pair. */
static int move(relay *self, pair *of, int side) {
  flow *stream = &of->flows[side];
  int error = 0, to = of->fds[!side];
  for (int round = 0; round < ROUNDS * 2; round++) {
    if (stream->held > 0 ? !empty(stream, to, &error) : stream->ended || !fill(self, stream, of->fds[side], &error)) break;
  }
  if (stream->held == 0) drop_pipe(self, stream);
  if (stream->ended && stream->held == 0 && !stream->shut) {
    stream->shut = true;
    if (shutdown(to, SHUT_WR) != 0 && errno != ENOTCONN) return errno; /* ENOTCONN: the peer is gone already */
  }
  return error;
}

/* What to look for at a side; -1: nothing, not even a hang-up, which would be reported for ever. */
static int wanted(const pair *of, int side) {
  const flow *from = &of->flows[side], *to = &of->flows[!side];
  if (of->connecting) return side == TARGET ? EPOLLOUT : -1;
  int events = (from->held == 0 && !from->ended ? EPOLLIN : 0) | (to->held > 0 ? EPOLLOUT : 0);
  return events == 0 && (from->held > 0 || (from->ended && to->shut)) ? -1 : events;
}

/* 0, or the errno. */
static int update_watch(relay *self, pair *of, int side) {
  int events = of->fds[side] < 0 ? -1 : wanted(of, side), before = of->watched[side];
  if (events == before) return 0;
  int call = events < 0 ? EPOLL_CTL_DEL : before < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  struct epoll_event event = {.events = (uint32_t)(events < 0 ? 0 : events),
                              .data.u64 = (uint64_t)of->generation << 32 | of->slot << 1 | (uint32_t)side};
  if (epoll_ctl(self->source.fd, call, of->fds[side], &event) != 0) return errno;
  of->watched[side] = events;
  return 0;
}

static int update_watches(relay *self, pair *of) {
  int error = update_watch(self, of, CLIENT);
  return error != 0 ? error : update_watch(self, of, TARGET);
}

static void tell(relay *self, int callback, uint32_t slot, int code) {
  pp_env *env = self->source.env;
  napi_value args[2] = {pp_number(env, slot), pp_number(env, code)};
  pp_source_call(&self->source, callback, 2, args);
}

/* The pair is over; `error` 0: both sides have said all. */
static void finish(relay *self, pair *over, int error) {
  pp_env *env = self->source.env;
  napi_value args[4] = {pp_number(env, over->slot), pp_number(env, (double)over->flows[CLIENT].total),
                        pp_number(env, (double)over->flows[TARGET].total), pp_number(env, error)};
  for (int side = 0; side < ENDS; side++) (error == 0 ? discard_input : set_reset)(over->fds[side]);
  free_pair(self, over);
  pp_source_call(&self->source, ON_END, 4, args);
}

static int socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

/* Calls JavaScript last, which may close anything. */
static void finish_connect(relay *self, pair *of) {
  int error = socket_error(of->fds[TARGET]);
  if (error != 0) {
    close_side(self, of, TARGET);
    tell(self, ON_REFUSED, of->slot, error);
    return;
  }
  of->connecting = false;
  error = update_watches(self, of);
  if (error != 0)
    finish(self, of, error);
  else
    tell(self, ON_CONNECTED, of->slot, 0);
}

/* A side is gone in both directions and nothing was wanted of it. What it said last is still delivered; nothing can reach it. */
static bool is_over(pair *of, int side, uint32_t events, int *error) {
  const flow *from = &of->flows[side];
  if ((events & (EPOLLERR | EPOLLHUP)) == 0 || (events & (EPOLLIN | EPOLLOUT)) != 0) return false;
  *error = socket_error(of->fds[side]);
  return *error != 0 || (from->ended && from->held == 0);
}

static void on_event(relay *self, uint64_t name, uint32_t events) {
  uint32_t slot = (uint32_t)name >> 1;
  pair *of = slot < self->slot_count ? self->slots[slot] : NULL;
  if (of == NULL || of->generation != (uint32_t)(name >> 32)) return; /* it ended earlier in this batch */
  if (of->connecting) {
    finish_connect(self, of);
    return;
  }
  int error = 0;
  bool over = is_over(of, name & 1, events, &error);
  for (int side = 0; side < ENDS && !over; side++) {
    error = move(self, of, side);
    over = error != 0;
  }
  over = over || (of->flows[CLIENT].shut && of->flows[TARGET].shut);
  if (!over) {
    error = update_watches(self, of);
    over = error != 0;
  }
  if (over) finish(self, of, error);
}

static void on_ready(pp_source *source, int polled) {
  (void)polled;
  struct epoll_event events[EVENTS_A_WAKE];
  int count = epoll_wait(source->fd, events, EVENTS_A_WAKE, 0);
  for (int i = 0; i < count && !source->closed; i++) on_event((relay *)source, events[i].data.u64, events[i].events);
}

static const pp_source_type RELAY = {"relay", sizeof(relay), on_ready, on_close};

/* (onConnected(slot), onRefused(slot, errno), onEnd(slot, fromClient, fromTarget, errno)) */
static napi_value open_relay(pp_env *env, napi_value *args) {
  int waiter = epoll_create1(EPOLL_CLOEXEC);
  if (waiter < 0) return pp_throw(env, errno, "epoll_create1");
  napi_value handle;
  pp_source *source = pp_source_open(env, &RELAY, waiter, args, 3, &handle);
  if (source == NULL) {
    close(waiter);
    return NULL;
  }
  pp_source_want(source, UV_READABLE);
  return handle;
}

/* The first slot that is free. */
static uint32_t find_slot(relay *self) {
  while (self->first_free < self->slot_count && self->slots[self->first_free] != NULL) self->first_free++;
  if (self->first_free < self->slot_count) return self->first_free;
  uint32_t count = self->slot_count == 0 ? 64 : self->slot_count * 2;
  pair **slots = pp_alloc(count * sizeof(pair *));
  if (self->slot_count > 0) memcpy(slots, self->slots, self->slot_count * sizeof(pair *));
  pp_free(self->slots);
  self->slots = slots;
  self->slot_count = count;
  return self->first_free;
}

static bool check_stream(pp_env *env, int fd) {
  int type;
  socklen_t length = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
    pp_throw(env, errno, "getsockopt %d", fd);
    return false;
  }
  if (type != SOCK_STREAM) pp_throw(env, EPROTOTYPE, "relay of %d", fd);
  return type == SOCK_STREAM;
}

static void set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if ((flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* (relay, client, target): the slot */
static napi_value join_relay(pp_env *env, napi_value *args) {
  relay *self = (relay *)pp_source_of(env, args[0], &RELAY);
  if (self == NULL) return NULL;
  PP_INT(client, args[1]);
  PP_INT(target, args[2]);
  if (!check_stream(env, client) || !check_stream(env, target)) return NULL;
  if (client == target) return pp_throw(env, EINVAL, "relay of %d to itself", client); /* it would be closed twice */
  pair *made = pp_alloc(sizeof *made);
  *made = (pair){.slot = find_slot(self),
                 .generation = ++self->generation,
                 .connecting = true,
                 .fds = {client, target},
                 .watched = {-1, -1}};
  set_nonblocking(client);
  set_nonblocking(target);
  int error = update_watch(self, made, TARGET);
  if (error != 0) {
    pp_free(made);
    return pp_throw(env, error, "epoll %d", target);
  }
  self->slots[made->slot] = made;
  return pp_number(env, made->slot);
}

static pair *pair_of(pp_env *env, napi_value *args, relay **self) {
  *self = (relay *)pp_source_of(env, args[0], &RELAY);
  uint32_t slot;
  if (*self == NULL || !pp_read_u32(env, args[1], "slot", &slot)) return NULL;
  if (slot < (*self)->slot_count && (*self)->slots[slot] != NULL) return (*self)->slots[slot];
  pp_throw(env, ENOENT, "pair %u of the relay", slot);
  return NULL;
}

/* (relay, slot, target): another target, after a refusal or instead of one that does not answer */
static napi_value retarget(pp_env *env, napi_value *args) {
  relay *self;
  pair *of = pair_of(env, args, &self);
  if (of == NULL) return NULL;
  PP_INT(target, args[2]);
  if (!of->connecting) return pp_throw(env, EISCONN, "retarget");
  if (!check_stream(env, target)) return NULL;
  close_side(self, of, TARGET);
  of->fds[TARGET] = target;
  set_nonblocking(target);
  int error = update_watch(self, of, TARGET);
  if (error == 0) return NULL;
  of->fds[TARGET] = -1; /* it stays the caller's */
  return pp_throw(env, error, "epoll %d", target);
}

static napi_value relay_bytes(pp_env *env, napi_value *args) {
  relay *self;
  pair *of = pair_of(env, args, &self);
  if (of == NULL) return NULL;
  napi_value both;
  napi_create_array_with_length(env->napi, ENDS, &both);
  for (uint32_t side = 0; side < ENDS; side++)
    napi_set_element(env->napi, both, side, pp_number(env, (double)of->flows[side].total));
  return both;
}

static napi_value drop_pair(pp_env *env, napi_value *args) {
  relay *self;
  pair *of = pair_of(env, args, &self);
  if (of != NULL) free_pair(self, of);
  return NULL;
}

const pp_function pp_relay_functions[] = {
    {"relayOpen", open_relay},   {"relayJoin", join_relay}, {"relayRetarget", retarget},
    {"relayBytes", relay_bytes}, {"relayDrop", drop_pair},  {NULL, NULL},
};
