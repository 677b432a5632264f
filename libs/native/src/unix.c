/* Listening UNIX stream sockets: each connection is handed over as a descriptor. */
#include "addon.h"

enum { ON_CONNECTION, ON_ERROR };

static void on_ready(pp_source *source, int events) {
  (void)events;
  for (int tries = 0; tries < PP_BATCH && !source->closed && source->wanted != 0; tries++) {
    int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      napi_value connection = pp_number(source->env, fd);
      pp_source_call(source, ON_CONNECTION, 1, &connection);
    } else if (errno != EINTR && errno != ECONNABORTED) { /* those are about one connection, accept(2) */
      if (errno != EAGAIN) pp_source_fail(source, ON_ERROR, errno, "accept");
      return;
    }
  }
}

static const pp_source_type LISTENER = {"UNIX listener", sizeof(pp_source), on_ready, NULL};

/* (fd, backlog, onConnection(fd), onError): `fd` is bound, and the source's from now on. */
static napi_value listen_unix(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_INT(backlog, args[1]);
  if (listen(fd, backlog) != 0) return pp_throw(env, errno, "listen");
  napi_value handle;
  pp_source *source = pp_source_open(env, &LISTENER, fd, args + 2, 2, &handle);
  if (source == NULL) return NULL;
  pp_source_want(source, UV_READABLE);
  return handle;
}

static napi_value pause_listener(pp_env *env, napi_value *args) { return pp_source_pause(env, args, &LISTENER); }

const pp_function pp_unix_functions[] = {{"unixListen", listen_unix}, {"unixPause", pause_listener}, {NULL, NULL}};
