/* Calls on plain descriptors, and processes by descriptor. */
#include "addon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "watch.h"

static napi_value close_fd(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  if (close(fd) != 0 && errno != EINTR) return pp_throw(env, errno, "close %d", fd); /* EINTR: Linux has closed it */
  return NULL;
}

static napi_value dup_fd(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return copy < 0 ? pp_throw(env, errno, "dup %d", fd) : pp_number(env, copy);
}

static napi_value make_pipe(pp_env *env, napi_value *args) {
  (void)args;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return pp_throw(env, errno, "pipe2");
  return pp_int_pair(env, ends[0], ends[1]);
}

/* By what the kernel knows already: a file of FUSE is its owner's to tell of, who may let fstat() wait for ever. */
static napi_value fd_kind(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return pp_throw(env, errno, "statx %d", fd);
  switch (status.stx_mode & S_IFMT) {
    case S_IFREG:
      return pp_string(env, "file");
    case S_IFDIR:
      return pp_string(env, "directory");
    case S_IFIFO:
      return pp_string(env, "fifo");
    case S_IFSOCK:
      return pp_string(env, "socket");
    case S_IFCHR:
      return pp_string(env, "character");
    case S_IFBLK:
      return pp_string(env, "block");
    default: /* anonymous inodes: epoll, pidfd on older kernels */
      return pp_string(env, "other");
  }
}

static napi_value fd_identity(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  struct stat status;
  if (fstat(fd, &status) != 0) return pp_throw(env, errno, "fstat %d", fd);
  napi_value identity;
  napi_create_object(env->napi, &identity);
  napi_set_named_property(env->napi, identity, "dev", pp_number(env, (double)status.st_dev));
  napi_set_named_property(env->napi, identity, "ino", pp_number(env, (double)status.st_ino));
  return identity;
}

static napi_value poll_fd(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  struct pollfd entry = {.fd = fd, .events = POLLIN | POLLRDHUP};
  int polled;
  do polled = poll(&entry, 1, 0);
  while (polled < 0 && errno == EINTR); /* it does not wait, but a pending signal is seen first */
  if (polled < 0) return pp_throw(env, errno, "poll %d", fd);
  if (fd < 0 || (entry.revents & POLLNVAL) != 0) return pp_throw(env, EBADF, "poll %d", fd);
  return pp_number(env, pp_poll_bits((unsigned)entry.revents));
}

static napi_value pidfd_open_pid(pp_env *env, napi_value *args) {
  PP_INT(pid, args[0]);
  int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
  return fd < 0 ? pp_throw(env, errno, "pidfd_open %d", pid) : pp_number(env, fd);
}

static napi_value errno_name(pp_env *env, napi_value *args) {
  PP_INT(code, args[0]);
  const char *name = pp_errno_name(code);
  return name == NULL ? pp_undefined(env) : pp_string(env, name);
}

const pp_function pp_fd_functions[] = {
    {"closeFd", close_fd},
    {"dupFd", dup_fd},
    {"pipe", make_pipe},
    {"fdKind", fd_kind},
    {"fdIdentity", fd_identity},
    {"pollFd", poll_fd},
    {"pidfdOpen", pidfd_open_pid},
    {"errnoName", errno_name},
    {"close", pp_source_close_js},
    {NULL, NULL},
};
