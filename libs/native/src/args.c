/* Reading what JavaScript passes, and making small values to return. */
#include "addon.h"

#include <math.h>
#include <stdio.h>

bool pp_read_number(pp_env *env, napi_value value, const char *name, int64_t min, int64_t max, int64_t *out) {
  double number;
  if (napi_get_value_double(env->napi, value, &number) != napi_ok || number != trunc(number) || number < (double)min ||
      number > (double)max) {
    char want[96];
    snprintf(want, sizeof want, "a whole number from %lld to %lld", (long long)min, (long long)max);
    pp_throw_type(env, name, want);
    return false;
  }
  *out = (int64_t)number;
  return true;
}

bool pp_read_int(pp_env *env, napi_value value, const char *name, int *out) {
  int64_t number;
  if (!pp_read_number(env, value, name, INT_MIN, INT_MAX, &number)) return false;
  *out = (int)number;
  return true;
}

bool pp_read_u32(pp_env *env, napi_value value, const char *name, uint32_t *out) {
  int64_t number;
  if (!pp_read_number(env, value, name, 0, UINT32_MAX, &number)) return false;
  *out = (uint32_t)number;
  return true;
}

bool pp_read_bool(pp_env *env, napi_value value, const char *name, bool *out) {
  if (napi_get_value_bool(env->napi, value, out) == napi_ok) return true;
  pp_throw_type(env, name, "true or false");
  return false;
}

bool pp_read_bytes(pp_env *env, napi_value value, const char *name, pp_bytes *out) {
  bool is_array = false;
  napi_typedarray_type type;
  void *data;
  napi_is_typedarray(env->napi, value, &is_array);
  if (!is_array || napi_get_typedarray_info(env->napi, value, &type, &out->length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    pp_throw_type(env, name, "a Uint8Array");
    return false;
  }
  static uint8_t nothing; /* an empty array may have no memory; system calls want an address all the same */
  out->data = data == NULL ? &nothing : data;
  return true;
}

/* With no NUL in it from `first` on. */
static bool read_text(pp_env *env, napi_value value, const char *name, size_t first, pp_text *out) {
  if (napi_get_value_string_utf8(env->napi, value, NULL, 0, &out->length) != napi_ok) {
    pp_throw_type(env, name, "a string");
    return false;
  }
  if (out->length >= sizeof out->data) {
    pp_throw(env, ENAMETOOLONG, "%s", name);
    return false;
  }
  napi_get_value_string_utf8(env->napi, value, out->data, sizeof out->data, &out->length);
  if (out->length > first && memchr(out->data + first, 0, out->length - first) != NULL) {
    pp_throw(env, EINVAL, "%s with a NUL inside", name);
    return false;
  }
  return true;
}

bool pp_read_text(pp_env *env, napi_value value, const char *name, pp_text *out) {
  return read_text(env, value, name, 0, out);
}

bool pp_read_socket_path(pp_env *env, napi_value value, pp_text *out) { return read_text(env, value, "path", 1, out); }

bool pp_read_fds(pp_env *env, napi_value value, int *fds, size_t max, size_t *count) {
  uint32_t length;
  if (napi_get_array_length(env->napi, value, &length) != napi_ok) {
    pp_throw_type(env, "fds", "an array");
    return false;
  }
  if (length > max) {
    pp_throw(env, EINVAL, "sendmsg with %u descriptors", length);
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env->napi, value, i, &element) != napi_ok || !pp_read_int(env, element, "fds", &fds[i])) return false;
  }
  *count = length;
  return true;
}

napi_value pp_get(pp_env *env, napi_value object, const char *key) {
  napi_value value;
  if (napi_get_named_property(env->napi, object, key, &value) == napi_ok) return value;
  return pp_undefined(env); /* the reader of the value says what is wrong */
}

napi_value pp_number(pp_env *env, double number) {
  napi_value value = NULL;
  napi_create_double(env->napi, number, &value);
  return value;
}

napi_value pp_string(pp_env *env, const char *text) {
  napi_value value = NULL;
  napi_create_string_utf8(env->napi, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

napi_value pp_int_pair(pp_env *env, int first, int second) {
  napi_value pair;
  napi_create_array_with_length(env->napi, 2, &pair);
  napi_set_element(env->napi, pair, 0, pp_number(env, first));
  napi_set_element(env->napi, pair, 1, pp_number(env, second));
  return pair;
}

napi_value pp_undefined(pp_env *env) {
  napi_value value = NULL;
  napi_get_undefined(env->napi, &value);
  return value;
}
