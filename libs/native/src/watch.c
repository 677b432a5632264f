/* watchFd: any pollable descriptor, reported as poll(2) says it.
 *
 * uv_poll alone will not do. It sets O_NONBLOCK on the open file, which the caller shares with whoever sent the descriptor, and it
 * reports a hang-up or an error as "readable". So each watch has an epoll instance of its own that libuv watches in turn. The
 * descriptor in it is a duplicate: the watch works on if the caller closes its own, and two watches on one file do not meet. */
#include "watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "addon.h"

enum { ON_EVENTS };

typedef struct {
  pp_source source; /* on the epoll instance */
  int watched;
} watch;

unsigned pp_poll_bits(unsigned events) {
  return ((events & EPOLLIN) != 0 ? 1 : 0) | ((events & (EPOLLHUP | EPOLLRDHUP)) != 0 ? 2 : 0) |
         ((events & EPOLLERR) != 0 ? 4 : 0);
}

static void on_ready(pp_source *source, int events) {
  (void)events;
  struct epoll_event event;
  if (epoll_wait(source->fd, &event, 1, 0) != 1) return; /* gone again */
  napi_value bits = pp_number(source->env, pp_poll_bits(event.events));
  pp_source_call(source, ON_EVENTS, 1, &bits);
}

static void on_close(pp_source *source) { close(((watch *)source)->watched); }

static const pp_source_type WATCH = {"watch", sizeof(watch), on_ready, on_close};

static napi_value watch_fd(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  int watched = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (watched < 0) return pp_throw(env, errno, "dup %d", fd);
  int waiter = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};
  if (waiter < 0 || epoll_ctl(waiter, EPOLL_CTL_ADD, watched, &event) != 0) {
    pp_throw(env, errno, "epoll %d", fd);
    goto failed;
  }
  napi_value handle;
  watch *made = (watch *)pp_source_open(env, &WATCH, waiter, args + 1, 1, &handle);
  if (made == NULL) goto failed;
  made->watched = watched;
  pp_source_want(&made->source, UV_READABLE);
  return handle;
failed:
  close(watched);
  if (waiter >= 0) close(waiter);
  return NULL;
}

const pp_function pp_watch_functions[] = {{"watchFd", watch_fd}, {NULL, NULL}};
