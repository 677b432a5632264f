/* Network namespaces by descriptor. This thread leaves its own only within runInNetns, and always comes back. */
#include "addon.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define OWN_NETNS "/proc/thread-self/ns/net"

static napi_value netns_of_pid(pp_env *env, napi_value *args) {
  PP_INT(pid, args[0]);
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  /* The process is held by a descriptor and seen alive after the open: so the file was its own, not that of a successor to its
   * number. */
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) return pp_throw(env, errno, "pidfd_open %d", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  int error = fd < 0 ? errno : 0;
  int ended;
  do ended = poll(&(struct pollfd){.fd = process, .events = POLLIN}, 1, 0);
  while (ended < 0 && errno == EINTR);
  if (error == 0 && ended != 0) error = ESRCH;
  close(process);
  if (error == 0) return pp_number(env, fd);
  if (fd >= 0) close(fd);
  return pp_throw(env, error, "open %s", path);
}

static napi_value netns_of_path(pp_env *env, napi_value *args) {
  PP_TEXT(path, args[0]);
  int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us */
  if (fd < 0) return pp_throw(env, errno, "open %s", path.data);
  if (ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET) return pp_number(env, fd);
  close(fd);
  return pp_throw(env, EINVAL, "%s is no network namespace", path.data);
}

static napi_value netns_current(pp_env *env, napi_value *args) {
  (void)args;
  int fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? pp_throw(env, errno, "open " OWN_NETNS) : pp_number(env, fd);
}

typedef struct {
  int fd, error;
} new_netns;

static void *run_unshare(void *data) {
  new_netns *result = data;
  result->fd = -1;
  if (unshare(CLONE_NEWNET) == 0) result->fd = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
  result->error = result->fd < 0 ? errno : 0;
  return NULL;
}

static napi_value create_netns(pp_env *env, napi_value *args) {
  (void)args;
  pthread_t thread;
  new_netns result;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for node's own threads */
  int error = pthread_create(&thread, NULL, run_unshare, &result);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0) return pp_throw(env, error, "pthread_create");
  pthread_join(thread, NULL);
  return result.fd < 0 ? pp_throw(env, result.error, "unshare CLONE_NEWNET") : pp_number(env, result.fd);
}

/* As iproute2 does: mounts made in the directory later are seen in mount namespaces made before, and their removal too. Those made before need no
 * change (MS_REC): it would take the kernel longer with each. */
static bool share_directory(pp_env *env, const char *directory) {
  if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
    pp_throw(env, errno, "mkdir %s", directory);
    return false;
  }
  if (mount("", directory, "none", MS_SHARED, NULL) == 0) return true;
  /* EINVAL: not a mount yet, so make it one. */
  if (errno == EINVAL && mount(directory, directory, "none", MS_BIND | MS_REC, NULL) == 0 &&
      mount("", directory, "none", MS_SHARED | MS_REC, NULL) == 0)
    return true;
  pp_throw(env, errno, "mount %s", directory);
  return false;
}

static napi_value name_netns(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_TEXT(path, args[1]);
  if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) return pp_throw(env, EINVAL, "%d is no network namespace", fd);
  char *slash = strrchr(path.data, '/');
  if (path.data[0] != '/' || slash == path.data) return pp_throw(env, EINVAL, "netns path \"%s\"", path.data);
  *slash = 0;
  if (!share_directory(env, path.data)) return NULL;
  *slash = '/';
  int file = open(path.data, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (file < 0) return pp_throw(env, errno, "open %s", path.data);
  close(file);
  char source[32];
  snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
  if (mount(source, path.data, "none", MS_BIND, NULL) == 0) return NULL;
  pp_throw(env, errno, "mount %s", path.data);
  unlink(path.data);
  return NULL;
}

static napi_value unname_netns(pp_env *env, napi_value *args) {
  PP_TEXT(path, args[0]);
  while (umount2(path.data, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
  if (errno != EINVAL) return pp_throw(env, errno, "umount %s", path.data); /* EINVAL: not mounted, or no longer */
  struct stat status;
  if (lstat(path.data, &status) != 0) return pp_throw(env, errno, "lstat %s", path.data);
  if (!S_ISREG(status.st_mode) || status.st_size > 0) return pp_throw(env, EINVAL, "%s is no namespace's name", path.data);
  if (unlink(path.data) != 0) return pp_throw(env, errno, "unlink %s", path.data);
  return NULL;
}

void pp_know_own_netns(pp_env *env) {
  if (env->own_netns < 0) env->own_netns = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
}

/* Nested calls come back to where the outer one was. */
static napi_value run_in_netns(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  pp_know_own_netns(env);
  if (env->own_netns < 0) return pp_throw(env, errno, "open " OWN_NETNS);
  int inside = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the caller may close its own in there */
  if (inside < 0) return pp_throw(env, errno, "dup %d", fd);
  if (setns(inside, CLONE_NEWNET) != 0) {
    pp_throw(env, errno, "setns %d", fd);
    close(inside);
    return NULL;
  }
  int outside = env->current_netns;
  env->current_netns = inside;
  napi_value result = NULL;
  napi_call_function(env->napi, pp_undefined(env), args[1], 0, NULL, &result); /* what it throws stays pending */
  env->current_netns = outside;
  if (setns(outside < 0 ? env->own_netns : outside, CLONE_NEWNET) != 0)
    napi_fatal_error("patchpanel addon", NAPI_AUTO_LENGTH, "cannot return from a network namespace", NAPI_AUTO_LENGTH);
  close(inside);
  return result;
}

const pp_function pp_netns_functions[] = {
    {"netnsOfPid", netns_of_pid},  {"netnsOfPath", netns_of_path}, {"netnsCurrent", netns_current},
    {"netnsCreate", create_netns}, {"netnsName", name_netns},      {"netnsUnname", unname_netns},
    {"netnsRun", run_in_netns},    {NULL, NULL},
};
