/* Registration, and the life of an environment. */
#include "addon.h"

static const pp_function *const SUBJECTS[] = {
    pp_fd_functions,    pp_watch_functions, pp_stream_functions, pp_socket_functions, pp_netlink_functions,
    pp_worker_functions, pp_netns_functions, pp_packet_functions, pp_udp_functions,    pp_tun_functions,
    pp_tcp_functions,   pp_unix_functions,  pp_relay_functions,  pp_memory_functions,
};
#define SUBJECT_COUNT (sizeof SUBJECTS / sizeof *SUBJECTS)

#define TABLE_CELLS (PP_BATCH * PP_COLUMNS)

static napi_value dispatch(napi_env napi, napi_callback_info info) {
  pp_env *env;
  const pp_function *function;
  napi_value args[PP_ARGS];
  size_t count = PP_ARGS;
  if (napi_get_cb_info(napi, info, &count, args, NULL, (void **)&function) != napi_ok) return NULL;
  napi_get_instance_data(napi, (void **)&env);
  return function->call(env, args); /* arguments that are absent read as undefined */
}

static void on_environment_end(napi_async_cleanup_hook_handle handle, void *data) {
  pp_env *env = data;
  env->cleanup = handle;
  while (env->sources != NULL) pp_source_close(env->sources);
  if (env->own_netns >= 0) close(env->own_netns);
  env->own_netns = -1;
  if (env->closing == 0) napi_remove_async_cleanup_hook(handle);
}

static void on_environment_gone(napi_env napi, void *data, void *hint) {
  (void)napi, (void)hint;
  pp_env *env = data;
  pp_unmap(env->scratch, PP_SCRATCH_BYTES);
  pp_free(env->table);
  pp_free(env);
}

/* A view of memory that lives as long as the environment, and stays C's to write also where the view was transferred away. */
static void lend(napi_env napi, napi_value to, const char *name, void *memory, size_t bytes, napi_typedarray_type type, size_t length) {
  napi_value buffer, view;
  napi_create_external_arraybuffer(napi, memory, bytes, NULL, NULL, &buffer);
  napi_create_typedarray(napi, type, length, buffer, 0, &view);
  napi_set_named_property(napi, to, name, view);
}

/* attach(NativeError): the functions, bound to this environment, and its receive buffers. */
static napi_value attach(napi_env napi, napi_callback_info info) {
  pp_env *env;
  napi_value error_class, functions;
  size_t count = 1;
  napi_get_cb_info(napi, info, &count, &error_class, NULL, NULL);
  napi_get_instance_data(napi, (void **)&env);
  if (env->error_class != NULL) return pp_throw(env, EALREADY, "attach");
  if (napi_create_reference(napi, error_class, 1, &env->error_class) != napi_ok)
    return pp_throw_type(env, "attach", "called with a class");
  pp_know_own_netns(env);
  napi_create_object(napi, &functions);
  for (size_t i = 0; i < SUBJECT_COUNT; i++) {
    for (const pp_function *entry = SUBJECTS[i]; entry->name != NULL; entry++) {
      napi_value function;
      napi_create_function(napi, entry->name, NAPI_AUTO_LENGTH, dispatch, (void *)entry, &function);
      napi_set_named_property(napi, functions, entry->name, function);
    }
  }
  lend(napi, functions, "scratch", env->scratch, PP_SCRATCH_BYTES, napi_uint8_array, PP_SCRATCH_BYTES);
  lend(napi, functions, "table", env->table, TABLE_CELLS * sizeof *env->table, napi_int32_array, TABLE_CELLS);
  return functions;
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  pp_give_memory_back();
  pp_env *state = pp_alloc(sizeof *state);
  state->napi = env;
  state->own_netns = state->current_netns = -1;
  state->scratch = pp_map(PP_SCRATCH_BYTES);
  state->table = pp_alloc(TABLE_CELLS * sizeof *state->table);
  napi_value function;
  if (napi_get_uv_event_loop(env, &state->loop) != napi_ok ||
      napi_set_instance_data(env, state, on_environment_gone, NULL) != napi_ok ||
      napi_add_async_cleanup_hook(env, on_environment_end, state, NULL) != napi_ok ||
      napi_create_function(env, "attach", NAPI_AUTO_LENGTH, attach, NULL, &function) != napi_ok ||
      napi_set_named_property(env, exports, "attach", function) != napi_ok) {
    napi_throw_error(env, NULL, "the addon cannot start in this environment");
    return NULL;
  }
  return exports;
}
