/* Descriptors on the event loop: opening, waiting, calling JavaScript, and closing at any moment. */
#include "addon.h"

static void source_release(pp_source *source) {
  if (--source->users == 0) pp_free(source);
}

/* The JavaScript handle is garbage. An open source lives on: its callbacks are wanted until someone closes it. */
static void on_handle_collected(napi_env napi, void *data, void *hint) {
  (void)napi, (void)hint;
  source_release(data);
}

void pp_source_await(pp_source *source, bool awaited) {
  if (source->is_awaited == awaited) return;
  source->is_awaited = awaited;
  if (awaited) {
    source->next_awaited = source->env->awaited;
    source->awaited_link = &source->env->awaited;
    source->env->awaited = source;
  } else {
    *source->awaited_link = source->next_awaited;
  }
  if (source->next_awaited != NULL)
    source->next_awaited->awaited_link = awaited ? &source->next_awaited : source->awaited_link;
}

/* libuv reports descriptors in the order in which they became ready. An answer that somebody waits for goes before what is merely news. A callback
 * may close any source: its memory stays until the loop goes on, so that `next` can be read. */
static void tell_answers(pp_env *env, const pp_source *but) {
  for (pp_source *each = env->awaited, *next; each != NULL; each = next) {
    next = each->next_awaited;
    if (each != but && each->is_awaited) each->type->ready(each, 0);
  }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  pp_source *source = poll->data;
  napi_handle_scope scope;
  if (napi_open_handle_scope(source->env->napi, &scope) != napi_ok) return;
  tell_answers(source->env, source);
  /* libuv stops watching when the descriptor has an error; reading it tells which, and clears it. */
  bool stopped = status < 0;
  if (!source->closed) source->type->ready(source, stopped ? source->wanted : events);
  if (stopped && !source->closed) pp_source_want(source, source->wanted);
  napi_close_handle_scope(source->env->napi, scope);
}

static bool keep_callbacks(pp_source *source, const napi_value *callbacks, size_t count) {
  napi_env napi = source->env->napi;
  for (size_t i = 0; i < count; i++) {
    napi_valuetype type;
    napi_typeof(napi, callbacks[i], &type);
    if (type == napi_undefined) continue;
    if (type != napi_function) {
      pp_throw_type(source->env, "callback", "a function");
      return false;
    }
    napi_create_reference(napi, callbacks[i], 1, &source->callbacks[i]);
  }
  napi_value resource;
  napi_create_object(napi, &resource);
  napi_async_init(napi, resource, pp_string(source->env, source->type->name), &source->context);
  return true;
}

static void drop_callbacks(pp_source *source) {
  for (int i = 0; i < PP_CALLBACKS; i++)
    if (source->callbacks[i] != NULL) napi_delete_reference(source->env->napi, source->callbacks[i]);
  if (source->context != NULL) napi_async_destroy(source->env->napi, source->context);
}

pp_source *pp_source_open(pp_env *env, const pp_source_type *type, int fd, const napi_value *callbacks, size_t count,
                          napi_value *handle) {
  pp_source *source = pp_alloc(type->bytes);
  source->env = env;
  source->type = type;
  source->fd = fd;
  source->poll.data = source;
  if (!keep_callbacks(source, callbacks, count)) goto failed;
  int status = uv_poll_init(env->loop, &source->poll, fd);
  if (status != 0) {
    pp_throw(env, -status, "poll %s", type->name);
    goto failed;
  }
  source->users = 2;
  source->next = env->sources;
  source->link = &env->sources;
  if (source->next != NULL) source->next->link = &source->next;
  env->sources = source;
  if (napi_create_external(env->napi, source, on_handle_collected, NULL, handle) != napi_ok) {
    *handle = NULL; /* the environment is being ended from another thread: that closes the source, whom nobody holds */
    source->users--;
  }
  return source;
failed:
  drop_callbacks(source);
  pp_free(source);
  return NULL;
}

pp_source *pp_source_of(pp_env *env, napi_value handle, const pp_source_type *type) {
  void *data;
  if (napi_get_value_external(env->napi, handle, &data) != napi_ok || (type != NULL && ((pp_source *)data)->type != type)) {
    pp_throw_type(env, "handle", type == NULL ? "a handle" : type->name);
    return NULL;
  }
  pp_source *source = data;
  if (!source->closed || type == NULL) return source;
  pp_throw(env, EBADF, "use of a closed %s", type->name);
  return NULL;
}

void pp_source_want(pp_source *source, int events) {
  source->wanted = events;
  if (events == 0)
    uv_poll_stop(&source->poll);
  else
    uv_poll_start(&source->poll, events, on_poll);
}

static void on_waited(uv_timer_t *timer) {
  pp_source *source = timer->data;
  napi_handle_scope scope;
  if (napi_open_handle_scope(source->env->napi, &scope) != napi_ok) return;
  source->type->ready(source, UV_READABLE);
  if (!source->closed && !uv_is_active((uv_handle_t *)timer)) pp_source_want(source, UV_READABLE);
  napi_close_handle_scope(source->env->napi, scope);
}

napi_value pp_source_wait(pp_env *env, napi_value *args, const pp_source_type *type) {
  pp_source *source = pp_source_of(env, args[0], type);
  if (source == NULL) return NULL;
  PP_U32(ms, args[1]);
  if (source->timer.data == NULL) {
    uv_timer_init(env->loop, &source->timer);
    source->timer.data = source;
    source->users++;
  }
  if (source->wanted != 0) pp_source_want(source, 0);
  uv_timer_start(&source->timer, on_waited, ms, 0);
  return NULL;
}

napi_value pp_source_pause(pp_env *env, napi_value *args, const pp_source_type *type) {
  pp_source *source = pp_source_of(env, args[0], type);
  if (source == NULL) return NULL;
  PP_BOOL(paused, args[1]);
  pp_source_want(source, paused ? 0 : UV_READABLE);
  return NULL;
}

static void on_handle_closed(uv_handle_t *handle) {
  pp_source *source = handle->data;
  pp_env *env = source->env;
  if (handle == (uv_handle_t *)&source->poll) {
    napi_handle_scope scope;
    napi_open_handle_scope(env->napi, &scope);
    drop_callbacks(source); /* not earlier: close may have come from inside one of them */
    napi_close_handle_scope(env->napi, scope);
  }
  source_release(source);
  env->closing--;
  if (env->closing == 0 && env->cleanup != NULL) napi_remove_async_cleanup_hook(env->cleanup);
}

void pp_source_close_handle(pp_source *source, uv_handle_t *handle) {
  handle->data = source;
  source->env->closing++;
  uv_close(handle, on_handle_closed);
}

void pp_source_close(pp_source *source) {
  if (source->closed) return;
  source->closed = true;
  pp_source_await(source, false);
  *source->link = source->next;
  if (source->next != NULL) source->next->link = source->link;
  pp_source_close_handle(source, (uv_handle_t *)&source->poll);
  if (source->timer.data != NULL) pp_source_close_handle(source, (uv_handle_t *)&source->timer);
  if (source->type->close != NULL) source->type->close(source);
  if (!source->lends_fd) close(source->fd);
}

napi_value pp_source_close_js(pp_env *env, napi_value *args) {
  pp_source *source = pp_source_of(env, args[0], NULL);
  if (source != NULL) pp_source_close(source);
  return NULL;
}

void pp_source_call(pp_source *source, int callback, size_t argc, const napi_value *argv) {
  if (source->closed || source->callbacks[callback] == NULL) return;
  napi_env napi = source->env->napi;
  napi_value function, ignored, error;
  napi_get_reference_value(napi, source->callbacks[callback], &function);
  napi_value receiver = function; /* some object; callbacks have no use for one */
  if (napi_make_callback(napi, source->context, receiver, function, argc, argv, &ignored) != napi_pending_exception) return;
  if (napi_get_and_clear_last_exception(napi, &error) == napi_ok) napi_fatal_exception(napi, error);
}

void pp_source_fail(pp_source *source, int callback, int code, const char *call) {
  napi_value error = pp_error(source->env, code, "%s", call);
  if (error != NULL) pp_source_call(source, callback, 1, &error);
}
