/* Errors: errno by name, thrown as NativeError. The table is ours: strerrorname_np is not in older glibc nor in musl. */
#include "addon.h"

#include <stdarg.h>
#include <stdio.h>

#define ERRNO_NAMES(X) \
  X(EPERM) X(ENOENT) X(ESRCH) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF) X(ECHILD) X(EAGAIN) \
  X(ENOMEM) X(EACCES) X(EFAULT) X(ENOTBLK) X(EBUSY) X(EEXIST) X(EXDEV) X(ENODEV) X(ENOTDIR) X(EISDIR) \
  X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY) X(ETXTBSY) X(EFBIG) X(ENOSPC) X(ESPIPE) X(EROFS) X(EMLINK) \
  X(EPIPE) X(EDOM) X(ERANGE) X(EDEADLK) X(ENAMETOOLONG) X(ENOLCK) X(ENOSYS) X(ENOTEMPTY) X(ELOOP) \
  X(ENOMSG) X(EIDRM) X(ECHRNG) X(EL2NSYNC) X(EL3HLT) X(EL3RST) X(ELNRNG) X(EUNATCH) X(ENOCSI) X(EL2HLT) \
  X(EBADE) X(EBADR) X(EXFULL) X(ENOANO) X(EBADRQC) X(EBADSLT) X(EBFONT) X(ENOSTR) X(ENODATA) X(ETIME) \
  X(ENOSR) X(ENONET) X(ENOPKG) X(EREMOTE) X(ENOLINK) X(EADV) X(ESRMNT) X(ECOMM) X(EPROTO) X(EMULTIHOP) \
  X(EDOTDOT) X(EBADMSG) X(EOVERFLOW) X(ENOTUNIQ) X(EBADFD) X(EREMCHG) X(ELIBACC) X(ELIBBAD) X(ELIBSCN) \
  X(ELIBMAX) X(ELIBEXEC) X(EILSEQ) X(ERESTART) X(ESTRPIPE) X(EUSERS) X(ENOTSOCK) X(EDESTADDRREQ) \
  X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EPROTONOSUPPORT) X(ESOCKTNOSUPPORT) X(EOPNOTSUPP) \
  X(EPFNOSUPPORT) X(EAFNOSUPPORT) X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH) X(ENETRESET) \
  X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN) X(ESHUTDOWN) X(ETOOMANYREFS) \
  X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTDOWN) X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS) X(ESTALE) \
  X(EUCLEAN) X(ENOTNAM) X(ENAVAIL) X(EISNAM) X(EREMOTEIO) X(EDQUOT) X(ENOMEDIUM) X(EMEDIUMTYPE) \
  X(ECANCELED) X(ENOKEY) X(EKEYEXPIRED) X(EKEYREVOKED) X(EKEYREJECTED) X(EOWNERDEAD) X(ENOTRECOVERABLE) \
  X(ERFKILL) X(EHWPOISON)

#define CASE(name) \
  case name: \
    return #name;

/* Not in errno.h, yet netlink answers with it (linux/errno.h). */
#define KERNEL_ENOTSUPP 524

const char *pp_errno_name(int code) {
  switch (code) {
    ERRNO_NAMES(CASE)
    case KERNEL_ENOTSUPP:
      return "ENOTSUPP";
    default:
      return NULL;
  }
}

static napi_value make_error(pp_env *env, int code, const char *call, va_list values) {
  char text[PATH_MAX + 128], unknown[32];
  vsnprintf(text, sizeof text, call, values);
  const char *name = pp_errno_name(code);
  if (name == NULL) {
    snprintf(unknown, sizeof unknown, "E%d", code);
    name = unknown;
  }
  napi_value error_class, error = NULL, args[2] = {pp_string(env, name), pp_string(env, text)};
  napi_get_reference_value(env->napi, env->error_class, &error_class);
  napi_new_instance(env->napi, error_class, 2, args, &error);
  return error;
}

napi_value pp_error(pp_env *env, int code, const char *call, ...) {
  va_list values;
  va_start(values, call);
  napi_value error = make_error(env, code, call, values);
  va_end(values);
  return error;
}

napi_value pp_throw(pp_env *env, int code, const char *call, ...) {
  va_list values;
  va_start(values, call);
  napi_value error = make_error(env, code, call, values);
  va_end(values);
  if (error != NULL) napi_throw(env->napi, error); /* else the constructor's own exception is pending */
  return NULL;
}

napi_value pp_throw_type(pp_env *env, const char *name, const char *want) {
  char text[128];
  snprintf(text, sizeof text, "%s: must be %s", name, want);
  napi_throw_type_error(env->napi, NULL, text);
  return NULL;
}
