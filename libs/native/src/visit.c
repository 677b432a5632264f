/* One datagram to the kernel of another network namespace, and its answers, from a thread of the event loop's pool: no socket of the
 * loop's, and no thread of its own, for a namespace that is spoken to once. */
#include <fcntl.h>
#include <linux/netlink.h>
#include <node_api.h>
#include <sched.h>

#include "addon.h"
#include "netlink.h"

/* The kernel answers requests within send(), so that all answers wait when it returns. Room for 64 acks with a text of 1 KiB. */
#define ANSWER_BYTES (64 << 10)
/* The kernel charges more for a datagram than its bytes. */
#define RECEIVE_BUFFER_BYTES (1 << 20)
#define OWN_NETNS "/proc/thread-self/ns/net"

typedef struct {
  pp_env *env;
  napi_async_work work;
  napi_ref on_answer, on_error;
  int netns, protocol;
  int error; /* and the call that failed */
  const char *call;
  size_t answered, length;
  uint8_t *answer;
  uint8_t request[];
} visit;

static int failed(visit *self, const char *call) {
  self->error = errno;
  self->call = call;
  return -1;
}

/* This thread is in the other namespace only for the making of the socket; it must come back, or not live. */
static int open_inside(visit *self) {
  int home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
  if (home < 0) return failed(self, "open " OWN_NETNS);
  int fd = -1;
  if (setns(self->netns, CLONE_NEWNET) != 0) {
    failed(self, "setns");
  } else {
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, self->protocol);
    if (fd < 0) failed(self, "socket AF_NETLINK");
    if (setns(home, CLONE_NEWNET) != 0) abort();
  }
  close(home);
  return fd;
}

static void receive_all(visit *self, int fd) {
  uint8_t room[ANSWER_BYTES];
  size_t used = 0;
  for (;;) {
    ssize_t length = recv(fd, room + used, sizeof room - used, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) break;
    if ((size_t)length > sizeof room - used) {
      errno = EMSGSIZE;
      break;
    }
    used += NLMSG_ALIGN((size_t)length);
  }
  if (errno != EAGAIN) {
    failed(self, "recv netlink");
    return;
  }
  self->answer = pp_alloc(used + 1);
  self->answered = used;
  memcpy(self->answer, room, used);
}

static void run(napi_env napi, void *data) {
  (void)napi;
  visit *self = data;
  int fd = open_inside(self);
  if (fd < 0) return;
  pp_netlink_details(fd);
  pp_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  ssize_t sent;
  do sent = send(fd, self->request, self->length, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) failed(self, "send netlink");
  else receive_all(self, fd);
  close(fd);
}

static napi_value answer_array(visit *self) {
  napi_value buffer, array = NULL;
  void *bytes;
  if (napi_create_arraybuffer(self->env->napi, self->answered, &bytes, &buffer) != napi_ok) return NULL;
  if (self->answered > 0) memcpy(bytes, self->answer, self->answered);
  napi_create_typedarray(self->env->napi, napi_uint8_array, self->answered, buffer, 0, &array);
  return array;
}

static void report(visit *self) {
  napi_env napi = self->env->napi;
  napi_value receiver, function, ignored;
  napi_value told = self->error == 0 ? answer_array(self) : pp_error(self->env, self->error, "%s", self->call);
  if (told == NULL) return;
  napi_get_global(napi, &receiver);
  napi_get_reference_value(napi, self->error == 0 ? self->on_answer : self->on_error, &function);
  napi_call_function(napi, receiver, function, 1, &told, &ignored); /* what it throws is uncaught: node sees to that */
}

static void forget(visit *self) {
  napi_env napi = self->env->napi;
  if (self->work != NULL) napi_delete_async_work(napi, self->work);
  if (self->on_answer != NULL) napi_delete_reference(napi, self->on_answer);
  if (self->on_error != NULL) napi_delete_reference(napi, self->on_error);
  if (self->netns >= 0) close(self->netns);
  pp_free(self->answer);
  pp_free(self);
}

static void on_done(napi_env napi, napi_status status, void *data) {
  (void)napi;
  visit *self = data;
  if (status == napi_ok) report(self);
  forget(self);
}

static bool queue(visit *self, const napi_value *callbacks) {
  napi_env napi = self->env->napi;
  return napi_create_reference(napi, callbacks[0], 1, &self->on_answer) == napi_ok &&
         napi_create_reference(napi, callbacks[1], 1, &self->on_error) == napi_ok &&
         napi_create_async_work(napi, NULL, pp_string(self->env, "netlink visit"), run, on_done, self, &self->work) ==
             napi_ok &&
         napi_queue_async_work(napi, self->work) == napi_ok;
}

/* (protocol, netns, datagram, onAnswer(bytes), onError) */
static napi_value visit_netns(pp_env *env, napi_value *args) {
  PP_INT(protocol, args[0]);
  PP_INT(netns, args[1]);
  PP_BYTES(request, args[2]);
  int own = fcntl(netns, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return pp_throw(env, errno, "dup %d", netns);
  visit *self = pp_alloc(sizeof *self + request.length);
  self->env = env;
  self->netns = own;
  self->protocol = protocol;
  self->length = request.length;
  memcpy(self->request, request.data, request.length);
  if (queue(self, args + 3)) return NULL;
  forget(self);
  return pp_throw_type(env, "callback", "a function");
}

const pp_function pp_visit_functions[] = {{"netlinkVisit", visit_netns}, {NULL, NULL}};
