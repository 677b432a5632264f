/* A thread that does jobs for the event loop, one after the other, in the network namespace where it was opened. A job is a list of steps:
 * datagrams to the kernel of this or of another network namespace, values for files in place (sysctls), and TAPs. It ends at the first step that the kernel
 * refuses, so that later steps can count on earlier ones, and no step costs a way to the event loop and back. A job may be begun before all of it is known.
 *
 * The thread and the source share a `worker`, which the last of them frees; closing does not wait for a job under way. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>

#include <net/if.h>

#include "addon.h"
#include "netlink.h"
#include "tun.h"

enum { ON_DONE };

/* The kernel answers requests within send(), so that all answers wait when it returns. Room for 64 acks with a text of 1 KiB. */
#define ANSWER_BYTES (64 << 10)
/* The kernel charges more for a datagram than its bytes. */
#define RECEIVE_BUFFER_BYTES (1 << 20)
#define OWN_NETNS "/proc/thread-self/ns/net"
/* For so long the event loop looks for the end of a job without sleeping: most take less, and to wake a virtual machine's CPU that has halted takes
 * 50 us and more. */
#define SPIN_NS 1000000

/* Every network namespace has directories of these names, all in one chain of the kernel's cache: a path is compared with each of them, so they are
 * opened once. (/proc/sys/net itself is one for all, and what is below it depends on who looks.) */
static const char *const SYSCTLS[] = {"/proc/sys/net/ipv4/", "/proc/sys/net/ipv6/"};
enum { SYSCTL_DIRECTORIES = sizeof SYSCTLS / sizeof *SYSCTLS };

/* A step as JavaScript writes it (worker-steps.ts), in host byte order; its bytes follow, padded to four. */
typedef struct {
  uint32_t kind;
  int32_t netns; /* of a datagram: -1 is the worker's own */
  uint32_t length;
} step;

/* Of a file: its path, a NUL, and the value. OPTIONAL is a datagram that may be refused. TAPs go with the job, unless its last step is to keep them. */
enum { DATAGRAM, OPTIONAL_DATAGRAM, FILE_VALUE, TAP, KEEP_TAPS };

/* Of a TAP; its name follows, and a NUL. */
typedef struct {
  uint32_t owner; /* a uid; UINT32_MAX: none */
  uint32_t ifindex;
} tap;

#define MOST_TAPS 64

typedef struct job {
  struct job *next;
  bool more; /* the next one goes on with it */
  uint32_t done; /* steps */
  int error;     /* why the next one could not be done, and the call that said so; 0: the kernel's answers tell */
  const char *call;
  uint8_t *answer;
  size_t answered;
  size_t length;
  uint8_t steps[];
} job;

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int fd;   /* rtnetlink in the worker's namespace */
  int home; /* that namespace */
  int sysctls[SYSCTL_DIRECTORIES]; /* of that namespace; -1: it has none */
  int users; /* the source and the thread */
  int taps[MOST_TAPS]; /* of the job; the thread's */
  int made_taps;
  bool stopping;
  pthread_t thread;
  int kept_off; /* a CPU; -1: none */
  job *queue, **queue_end;
  job *finished, **finished_end;
  bool due; /* one of them is the end of a job */
  uv_async_t *wake; /* the source's; not touched once `stopping` is set */
} worker;

typedef struct {
  pp_source source;
  worker *worker;
  unsigned jobs; /* that JavaScript waits for */
  uv_async_t wake;
  uv_idle_t spin; /* while it is active, the loop does not sleep */
  uint64_t spin_until;
} handle;

static size_t padded(size_t length) { return NLMSG_ALIGN(length); }

/* The step after `last`, NULL: the first one; NULL where the job ends. */
static step *next_step(job *self, const step *last) {
  const uint8_t *at = last == NULL ? self->steps : (const uint8_t *)(last + 1) + padded(last->length);
  return at < self->steps + self->length ? (step *)at : NULL;
}

static void free_job(job *self) {
  for (step *each = NULL; (each = next_step(self, each)) != NULL;)
    if (each->netns >= 0) close(each->netns);
  pp_free(self->answer);
  pp_free(self);
}

static void free_jobs(job *list) {
  while (list != NULL) {
    job *next = list->next;
    free_job(list);
    list = next;
  }
}

static void append(job ***end, job *item) {
  item->next = NULL;
  **end = item;
  *end = &item->next;
}

/* Called with the lock held, which is gone on return. */
static void leave(worker *self) {
  bool last = --self->users == 0;
  pthread_mutex_unlock(&self->lock);
  if (!last) return;
  close(self->fd);
  close(self->home);
  for (int i = 0; i < SYSCTL_DIRECTORIES; i++)
    if (self->sysctls[i] >= 0) close(self->sysctls[i]);
  free_jobs(self->queue);
  free_jobs(self->finished);
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->lock);
  pp_free(self);
}

static bool failed(job *self, const char *call) {
  self->error = errno;
  self->call = call;
  return false;
}

/* In the namespace that the thread is in; -1 with errno. It is connected to the kernel, so that nobody else's datagrams come: in the namespace of a
 * guest its root may send some, for answers of the kernel. */
static int open_rtnetlink(void) {
  const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -1;
  pp_netlink_details(fd);
  pp_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  if (connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) == 0) return fd;
  close(fd);
  return -1;
}

/* The thread is in the other namespace only for the making of the socket; it must come back, or not live. */
static int open_inside(worker *self, job *at_work, int netns) {
  if (setns(netns, CLONE_NEWNET) != 0) {
    failed(at_work, "setns");
    return -1;
  }
  int fd = open_rtnetlink();
  if (fd < 0) failed(at_work, "socket AF_NETLINK");
  if (setns(self->home, CLONE_NEWNET) != 0) abort();
  return fd;
}

/* All that waits at `fd`, to `room`; -1 with errno. */
static ssize_t receive_all(int fd, uint8_t *room) {
  size_t used = 0;
  for (;;) {
    ssize_t length = recv(fd, room + used, ANSWER_BYTES - used, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno == EAGAIN ? (ssize_t)used : -1;
    if ((size_t)length > ANSWER_BYTES - used) {
      errno = EMSGSIZE;
      return -1;
    }
    used += padded((size_t)length);
  }
}

/* What waits at `fd` is lost, so that nobody takes it for the answer to a later request. */
static void drain(int fd) {
  ssize_t length;
  do length = recv(fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
  while (length >= 0 || errno == EINTR);
}

static bool is_error(const struct nlmsghdr *message) {
  return message->nlmsg_type == NLMSG_ERROR && message->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr));
}

static void append_answer(job *self, const uint8_t *bytes, size_t length) {
  uint8_t *all = pp_alloc(self->answered + length);
  if (self->answered > 0) memcpy(all, self->answer, self->answered);
  memcpy(all + self->answered, bytes, length);
  pp_free(self->answer);
  self->answer = all;
  self->answered += length;
}

/* Keeps what the kernel has said beyond "done" and tells whether it refused anything; what cannot be read is kept, and counts as refused. */
static bool keep_answer(job *self, const uint8_t *answer, size_t length) {
  bool refused = false;
  for (size_t at = 0, size; at < length; at += size) {
    const struct nlmsghdr *message = (const struct nlmsghdr *)(answer + at);
    bool whole = length - at >= sizeof *message && message->nlmsg_len >= sizeof *message && message->nlmsg_len <= length - at;
    size = whole ? padded(message->nlmsg_len) : length - at;
    bool error = whole && is_error(message);
    if (error && ((const struct nlmsgerr *)NLMSG_DATA(message))->error == 0) continue;
    refused = refused || error || !whole;
    append_answer(self, answer + at, size);
  }
  return refused;
}

/* False: no further step is to be done. */
static bool talk(job *at_work, int fd, const step *todo) {
  uint8_t room[ANSWER_BYTES];
  ssize_t length;
  do length = send(fd, todo + 1, todo->length, MSG_NOSIGNAL);
  while (length < 0 && errno == EINTR);
  if (length < 0) return failed(at_work, "send netlink");
  length = receive_all(fd, room);
  if (length < 0) {
    failed(at_work, "recv netlink");
    drain(fd);
    return false;
  }
  bool refused = keep_answer(at_work, room, (size_t)length);
  return todo->kind == OPTIONAL_DATAGRAM || !refused;
}

static bool talk_inside(worker *self, job *at_work, const step *todo) {
  int fd = open_inside(self, at_work, todo->netns);
  if (fd < 0) return false;
  bool good = talk(at_work, fd, todo);
  close(fd);
  return good;
}

static int open_value(const worker *self, const char *path) {
  for (int i = 0; i < SYSCTL_DIRECTORIES; i++) {
    size_t length = strlen(SYSCTLS[i]);
    if (self->sysctls[i] >= 0 && strncmp(path, SYSCTLS[i], length) == 0 && path[length] != '/')
      return openat(self->sysctls[i], path + length, O_WRONLY | O_CLOEXEC);
  }
  return open(path, O_WRONLY | O_CLOEXEC);
}

/* In one write, as sysctls want it; a file that does not exist is not made. */
static bool write_value(const worker *self, job *at_work, const step *todo) {
  const char *path = (const char *)(todo + 1);
  const char *value = path + strlen(path) + 1;
  size_t length = todo->length - (size_t)(value - path);
  int fd = open_value(self, path);
  if (fd < 0) return failed(at_work, "open");
  ssize_t written = write(fd, value, length);
  if (written >= 0) errno = EINVAL; /* where it took only the beginning of it */
  bool good = written == (ssize_t)length || failed(at_work, "write");
  close(fd);
  return good;
}

static bool make_tap(worker *self, job *at_work, const step *todo) {
  const tap *wanted = (const tap *)(todo + 1);
  const char *call = "TAPs of a job";
  int fd = -1;
  if (self->made_taps == MOST_TAPS) errno = EMFILE;
  else fd = pp_tap_make((const char *)(wanted + 1), wanted->owner, wanted->ifindex, &call);
  if (fd < 0) return failed(at_work, call);
  self->taps[self->made_taps++] = fd;
  return true;
}

/* All of them or none. */
static bool keep_taps(worker *self, job *at_work) {
  int kept = 0;
  while (kept < self->made_taps && pp_tap_persist(self->taps[kept], true)) kept++;
  if (kept == self->made_taps) return true;
  failed(at_work, "TUNSETPERSIST");
  while (kept > 0) pp_tap_persist(self->taps[--kept], false);
  return false;
}

static void close_taps(worker *self) {
  while (self->made_taps > 0) close(self->taps[--self->made_taps]);
}

static bool do_step(worker *self, job *at_work, const step *todo) {
  if (todo->kind == FILE_VALUE) return write_value(self, at_work, todo);
  if (todo->kind == TAP) return make_tap(self, at_work, todo);
  if (todo->kind == KEEP_TAPS) return keep_taps(self, at_work);
  return todo->netns >= 0 ? talk_inside(self, at_work, todo) : talk(at_work, self->fd, todo);
}

/* Whether all of it was done. */
static bool do_job(worker *self, job *at_work) {
  for (step *todo = NULL; (todo = next_step(at_work, todo)) != NULL; at_work->done++)
    if (!do_step(self, at_work, todo)) return false;
  return true;
}

static void *run(void *data) {
  worker *self = data;
  bool cut = false; /* what the next job goes on with has ended early */
  pthread_mutex_lock(&self->lock);
  for (;;) {
    while (self->queue == NULL && !self->stopping) pthread_cond_wait(&self->changed, &self->lock);
    if (self->stopping) break;
    job *next = self->queue;
    self->queue = next->next;
    if (self->queue == NULL) self->queue_end = &self->queue;
    pthread_mutex_unlock(&self->lock);
    bool whole = !cut && do_job(self, next);
    cut = next->more && !whole;
    if (!next->more) close_taps(self);
    pthread_mutex_lock(&self->lock);
    append(&self->finished_end, next);
    if (!next->more) self->due = true;
    if (!next->more && !self->stopping) uv_async_send(self->wake);
  }
  close_taps(self); /* of a job whose end never came */
  leave(self);
  return NULL;
}

static napi_value bytes_of(pp_env *env, const uint8_t *bytes, size_t length) {
  napi_value buffer, array = NULL;
  void *copy;
  if (napi_create_arraybuffer(env->napi, length, &copy, &buffer) != napi_ok) return NULL;
  if (length > 0) memcpy(copy, bytes, length);
  napi_create_typedarray(env->napi, napi_uint8_array, length, buffer, 0, &array);
  return array;
}

static void report(handle *self, job *done) {
  pp_env *env = self->source.env;
  napi_value told[] = {
      bytes_of(env, done->answer, done->answered),
      pp_number(env, done->done),
      done->error == 0 ? pp_undefined(env) : pp_error(env, done->error, "%s", done->call),
  };
  if (told[0] != NULL && told[2] != NULL) pp_source_call(&self->source, ON_DONE, 3, told);
}

static void on_spin(uv_idle_t *spin) {
  if (uv_hrtime() > ((handle *)spin->data)->spin_until) uv_idle_stop(spin);
}

/* What the kernel holds ready is read by the thread: of the jobs that it has finished it tells here. */
static void on_ready(pp_source *source, int events) {
  (void)events;
  handle *self = (handle *)source;
  pthread_mutex_lock(&self->worker->lock);
  job *finished = NULL;
  if (self->worker->due) {
    finished = self->worker->finished;
    self->worker->due = false;
    self->worker->finished = NULL;
    self->worker->finished_end = &self->worker->finished;
  }
  pthread_mutex_unlock(&self->worker->lock);
  for (job *each = finished; each != NULL; each = each->next) {
    if (--self->jobs == 0 && !self->source.closed) {
      uv_unref((uv_handle_t *)&self->wake);
      uv_idle_stop(&self->spin);
      pp_source_await(source, false);
    }
    report(self, each);
  }
  free_jobs(finished);
}

static void on_finished(uv_async_t *wake) {
  pp_source *source = wake->data;
  napi_handle_scope scope;
  if (source->closed || napi_open_handle_scope(source->env->napi, &scope) != napi_ok) return;
  on_ready(source, 0);
  napi_close_handle_scope(source->env->napi, scope);
}

static void on_close(pp_source *source) {
  handle *self = (handle *)source;
  pthread_mutex_lock(&self->worker->lock);
  self->worker->stopping = true;
  pthread_cond_signal(&self->worker->changed);
  leave(self->worker);
  pp_source_close_handle(source, (uv_handle_t *)&self->wake);
  pp_source_close_handle(source, (uv_handle_t *)&self->spin);
}

static const pp_source_type WORKER = {"netlink worker", sizeof(handle), on_ready, on_close};

/* In the namespace that the caller is in. */
static worker *make_worker(int fd, int home, uv_async_t *wake) {
  worker *self = pp_alloc(sizeof *self);
  pthread_mutex_init(&self->lock, NULL);
  pthread_cond_init(&self->changed, NULL);
  self->fd = fd;
  self->home = home;
  for (int i = 0; i < SYSCTL_DIRECTORIES; i++) self->sysctls[i] = open(SYSCTLS[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
  self->users = 2;
  self->kept_off = -1;
  self->queue_end = &self->queue;
  self->finished_end = &self->finished;
  self->wake = wake;
  return self;
}

/* (onDone): in the namespace that the caller is in. */
static napi_value open_worker(pp_env *env, napi_value *args) {
  int home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
  if (home < 0) return pp_throw(env, errno, "open " OWN_NETNS);
  int fd = open_rtnetlink();
  if (fd < 0) {
    pp_throw(env, errno, "socket AF_NETLINK");
    close(home);
    return NULL;
  }
  napi_value opened;
  handle *self = (handle *)pp_source_open(env, &WORKER, fd, args, 1, &opened);
  if (self == NULL) {
    close(fd);
    close(home);
    return NULL;
  }
  self->source.lends_fd = true; /* by the worker */
  self->source.users += 2;      /* for `wake` and `spin` */
  uv_idle_init(env->loop, &self->spin);
  self->spin.data = self;
  uv_async_init(env->loop, &self->wake, on_finished);
  uv_unref((uv_handle_t *)&self->wake); /* a job keeps the loop alive, a worker does not */
  self->wake.data = self;
  self->worker = make_worker(fd, home, &self->wake);
  int error = pp_start_thread(&self->worker->thread, run, self->worker);
  if (error == 0) return opened;
  self->worker->users--;
  pp_source_close(&self->source);
  return pp_throw(env, error, "pthread_create");
}

/* The job's own descriptors of namespaces, so that the caller may close its own; false with errno. */
static bool hold_namespaces(job *self) {
  bool good = true;
  for (step *each = NULL; (each = next_step(self, each)) != NULL;) {
    if (each->kind > OPTIONAL_DATAGRAM || each->netns < 0) each->netns = -1;
    else if ((each->netns = good ? fcntl(each->netns, F_DUPFD_CLOEXEC, 0) : -1) < 0) good = false;
  }
  return good;
}

/* Its name is one, and ends. */
static bool is_whole_tap(const step *todo) {
  size_t room = todo->length - sizeof(tap);
  return todo->length > sizeof(tap) && room <= IFNAMSIZ && memchr((const tap *)(todo + 1) + 1, 0, room) != NULL;
}

/* Whether steps fill it to its end, files have a path, and TAPs a name. */
static bool is_whole(const job *self) {
  size_t at = 0;
  while (at < self->length) {
    const step *todo = (const step *)(self->steps + at);
    size_t rest = self->length - at;
    if (rest < sizeof *todo || todo->length > rest - sizeof *todo || padded(todo->length) > rest - sizeof *todo) return false;
    if (todo->kind > KEEP_TAPS || (todo->kind == FILE_VALUE && memchr(todo + 1, 0, todo->length) == NULL)) return false;
    if (todo->kind == TAP && !is_whole_tap(todo)) return false;
    at += sizeof *todo + padded(todo->length);
  }
  return true;
}

/* The thread is to work beside the event loop, and not in its place. Left alone, the kernel of a virtual machine wakes it on the CPU of the loop: one
 * that has halted is taken for busy there (vcpu_is_preempted). */
static bool keep_apart(worker *self) {
  int here = sched_getcpu();
  cpu_set_t others;
  if (here >= 0 && here == self->kept_off) return true;
  if (here < 0 || sched_getaffinity(0, sizeof others, &others) != 0) return false;
  CPU_CLR(here, &others);
  bool apart = CPU_COUNT(&others) > 0 && pthread_setaffinity_np(self->thread, sizeof others, &others) == 0;
  self->kept_off = apart ? here : -1;
  return apart;
}

/* (worker, steps, more): each answered by onDone(answers, steps done, why the next could not be done), in order */
static napi_value run_job(pp_env *env, napi_value *args) {
  handle *self = (handle *)pp_source_of(env, args[0], &WORKER);
  if (self == NULL) return NULL;
  PP_BYTES(steps, args[1]);
  PP_BOOL(more, args[2]);
  job *made = pp_alloc(sizeof *made + steps.length);
  made->more = more;
  made->length = steps.length;
  memcpy(made->steps, steps.data, steps.length);
  if (!is_whole(made)) {
    pp_free(made);
    return pp_throw_type(env, "steps", "whole steps");
  }
  if (!hold_namespaces(made)) {
    int error = errno;
    free_job(made);
    return pp_throw(env, error, "dup of a namespace");
  }
  if (keep_apart(self->worker) && !more) {
    self->spin_until = uv_hrtime() + SPIN_NS;
    uv_idle_start(&self->spin, on_spin);
  }
  if (self->jobs++ == 0) {
    uv_ref((uv_handle_t *)&self->wake);
    pp_source_await(&self->source, true);
  }
  pthread_mutex_lock(&self->worker->lock);
  append(&self->worker->queue_end, made);
  pthread_mutex_unlock(&self->worker->lock);
  pthread_cond_signal(&self->worker->changed); /* with the lock held, the thread would wake up only to wait for it */
  return NULL;
}

const pp_function pp_worker_functions[] = {{"workerOpen", open_worker}, {"workerRun", run_job}, {NULL, NULL}};
