/* Network namespaces as descriptors of nsfs files. */
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "addon.h"

static napi_value opened(pp_env *env, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? pp_throw(env, errno, "open %s", path) : pp_number(env, fd);
}

static napi_value netns_of_pid(pp_env *env, napi_value *args) {
  PP_INT(pid, args[0]);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  return opened(env, path);
}

static napi_value netns_of_path(pp_env *env, napi_value *args) {
  PP_TEXT(path, args[0]);
  int fd = open(path.data, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return pp_throw(env, errno, "open %s", path.data);
  int type = ioctl(fd, NS_GET_NSTYPE);
  if (type == CLONE_NEWNET) return pp_number(env, fd);
  pp_throw(env, type < 0 ? errno : EINVAL, "%s as a network namespace", path.data);
  close(fd);
  return NULL;
}

static napi_value netns_current(pp_env *env, napi_value *args) {
  (void)args;
  return opened(env, "/proc/thread-self/ns/net");
}

static napi_value netns_owner(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  int user_namespace = ioctl(fd, NS_GET_USERNS);
  if (user_namespace < 0) return pp_throw(env, errno, "user namespace of fd %d", fd);
  uid_t uid;
  int failed = ioctl(user_namespace, NS_GET_OWNER_UID, &uid);
  int error = errno;
  close(user_namespace);
  return failed != 0 ? pp_throw(env, error, "owner of fd %d", fd) : pp_number(env, uid);
}

typedef struct {
  int fd, error;
} made_netns;

/* A thread has a namespace of its own until it ends; the descriptor keeps it. */
static void *make_netns(void *data) {
  made_netns *made = data;
  made->fd = unshare(CLONE_NEWNET) == 0 ? open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
  made->error = errno;
  return NULL;
}

static napi_value netns_create(pp_env *env, napi_value *args) {
  (void)args;
  made_netns made = {-1, 0};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, make_netns, &made);
  if (error != 0) return pp_throw(env, error, "thread for a network namespace");
  pthread_join(thread, NULL);
  return made.fd < 0 ? pp_throw(env, made.error, "unshare CLONE_NEWNET") : pp_number(env, made.fd);
}

/* As ip-netns(8) does it: the directory is a shared mount of its own, so that other mount namespaces see names come and go. */
static int share_directory(const char *path) {
  char directory[PATH_MAX];
  snprintf(directory, sizeof directory, "%s", path);
  char *slash = strrchr(directory, '/');
  if (slash == NULL || slash == directory) return 0;
  *slash = 0;
  if (mkdir(directory, 0755) != 0 && errno != EEXIST) return -1;
  if (mount("", directory, "none", MS_SHARED | MS_REC, NULL) == 0) return 0;
  if (errno != EINVAL) return -1; /* EINVAL: not a mount yet */
  if (mount(directory, directory, "none", MS_BIND | MS_REC, NULL) != 0) return -1;
  return mount("", directory, "none", MS_SHARED | MS_REC, NULL);
}

static napi_value netns_name(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_TEXT(path, args[1]);
  if (share_directory(path.data) != 0) return pp_throw(env, errno, "share the directory of %s", path.data);
  int file = open(path.data, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
  if (file < 0) return pp_throw(env, errno, "create %s", path.data);
  close(file);
  char source[64];
  snprintf(source, sizeof source, "/proc/thread-self/fd/%d", fd);
  if (mount(source, path.data, "none", MS_BIND, NULL) == 0) return NULL;
  pp_throw(env, errno, "mount namespace on %s", path.data);
  unlink(path.data);
  return NULL;
}

static napi_value netns_unname(pp_env *env, napi_value *args) {
  PP_TEXT(path, args[0]);
  int unmounted = umount2(path.data, MNT_DETACH);
  if (unmounted != 0 && errno != EINVAL) return pp_throw(env, errno, "umount %s", path.data); /* EINVAL: only the file is left */
  if (unlink(path.data) != 0) return pp_throw(env, errno, "unlink %s", path.data);
  return NULL;
}

/* Going on in a foreign namespace would be worse than not going on. */
static void go_back(int netns) {
  if (setns(netns, CLONE_NEWNET) != 0)
    napi_fatal_error("runInNetns", NAPI_AUTO_LENGTH, "cannot return to the own network namespace", NAPI_AUTO_LENGTH);
}

static napi_value netns_run(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  if (env->own_netns < 0) env->own_netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (env->own_netns < 0) return pp_throw(env, errno, "open own network namespace");
  int entered = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* what runs inside may close the caller's */
  if (entered < 0) return pp_throw(env, errno, "dup %d", fd);
  napi_value result = NULL, receiver;
  if (setns(entered, CLONE_NEWNET) != 0) {
    pp_throw(env, errno, "setns");
  } else {
    int outer = env->current_netns;
    env->current_netns = entered;
    napi_get_global(env->napi, &receiver);
    if (napi_call_function(env->napi, receiver, args[1], 0, NULL, &result) != napi_ok) result = NULL;
    env->current_netns = outer;
    go_back(outer >= 0 ? outer : env->own_netns);
  }
  close(entered);
  return result;
}

const pp_function pp_netns_functions[] = {
    {"netnsOfPid", netns_of_pid},   {"netnsOfPath", netns_of_path}, {"netnsCurrent", netns_current},
    {"netnsOwner", netns_owner},    {"netnsCreate", netns_create},  {"netnsName", netns_name},
    {"netnsUnname", netns_unname},  {"netnsRun", netns_run},        {NULL, NULL},
};
