/* Registration, and the life of an environment. */
#include "addon.h"

static const pp_function *const SUBJECTS[] = {
    pp_fd_functions,    pp_watch_functions, pp_stream_functions, pp_socket_functions, pp_netlink_functions,
    pp_visit_functions, pp_netns_functions, pp_packet_functions, pp_udp_functions,    pp_tun_functions,
    pp_tcp_functions,   pp_relay_functions, pp_memory_functions,
};
#define SUBJECT_COUNT (sizeof SUBJECTS / sizeof *SUBJECTS)

static napi_value dispatch(napi_env napi, napi_callback_info info) {
  pp_env *env;
  const pp_function *function;
  napi_value args[PP_ARGS];
  size_t count = PP_ARGS;
  if (napi_get_cb_info(napi, info, &count, args, NULL, (void **)&function) != napi_ok) return NULL;
  napi_get_instance_data(napi, (void **)&env);
  return function->call(env, args); /* arguments that are absent read as undefined */
}

static void *typed_array_data(pp_env *env, napi_ref array, size_t length) {
  napi_value value;
  size_t actual = 0;
  void *data = NULL;
  napi_get_reference_value(env->napi, array, &value);
  napi_get_typedarray_info(env->napi, value, NULL, &actual, &data, NULL, NULL);
  if (actual < length)
    napi_fatal_error("patchpanel addon", NAPI_AUTO_LENGTH, "a borrowed buffer was transferred", NAPI_AUTO_LENGTH);
  return data;
}

uint8_t *pp_scratch(pp_env *env) { return typed_array_data(env, env->scratch, PP_SCRATCH_BYTES); }
int32_t *pp_table(pp_env *env) { return typed_array_data(env, env->table, PP_BATCH * PP_COLUMNS); }

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
  pp_free(data);
}

/* attach(NativeError, scratch, table): the functions, bound to this environment. */
static napi_value attach(napi_env napi, napi_callback_info info) {
  pp_env *env;
  napi_value args[3], functions;
  size_t count = 3;
  napi_get_cb_info(napi, info, &count, args, NULL, NULL);
  napi_get_instance_data(napi, (void **)&env);
  if (env->error_class != NULL) return pp_throw(env, EALREADY, "attach");
  if (napi_create_reference(napi, args[0], 1, &env->error_class) != napi_ok ||
      napi_create_reference(napi, args[1], 1, &env->scratch) != napi_ok ||
      napi_create_reference(napi, args[2], 1, &env->table) != napi_ok)
    return pp_throw_type(env, "attach", "called with a class and two arrays");
  pp_scratch(env);
  pp_table(env);
  pp_know_own_netns(env);
  napi_create_object(napi, &functions);
  for (size_t i = 0; i < SUBJECT_COUNT; i++) {
    for (const pp_function *entry = SUBJECTS[i]; entry->name != NULL; entry++) {
      napi_value function;
      napi_create_function(napi, entry->name, NAPI_AUTO_LENGTH, dispatch, (void *)entry, &function);
      napi_set_named_property(napi, functions, entry->name, function);
    }
  }
  return functions;
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  pp_give_memory_back();
  pp_env *state = pp_alloc(sizeof *state);
  state->napi = env;
  state->own_netns = state->current_netns = -1;
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
