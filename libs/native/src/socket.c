/* Sockets by descriptor: making and connecting UNIX and vsock ones, UNIX datagrams, socket options. */
#include "socket.h"

#include <linux/filter.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <sys/un.h>

#include "addon.h"

ssize_t pp_send_with_fds(int socket, struct msghdr *message, const int *fds, size_t count) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(PP_MAX_FDS * sizeof(int))];
  } control;
  if (count > 0) {
    memset(&control, 0, CMSG_SPACE(count * sizeof(int)));
    message->msg_control = &control;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
  }
  ssize_t sent;
  do sent = sendmsg(socket, message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent;
}

void pp_set_buffer(int fd, int force_option, int option, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, force_option, &bytes, sizeof bytes) == 0) return;
  setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes);
}

bool pp_bind_device(pp_env *env, int fd, const pp_text *device) {
  if (device->length == 0) return true;
  errno = ENODEV; /* the kernel would cut a name that is too long, and take another's interface */
  if (device->length < IFNAMSIZ && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device->data, (socklen_t)device->length) == 0)
    return true;
  pp_throw(env, errno, "SO_BINDTODEVICE %s", device->data);
  return false;
}

bool pp_attach_filter(pp_env *env, int fd, const pp_bytes *filter) {
  if (filter->length == 0) return true;
  size_t length = filter->length / sizeof(struct sock_filter);
  struct sock_fprog program = {.len = (unsigned short)length, .filter = (struct sock_filter *)filter->data};
  errno = EINVAL; /* of a program whose length does not fit */
  if (length <= BPF_MAXINSNS && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0) return true;
  pp_throw(env, errno, "setsockopt SO_ATTACH_FILTER");
  return false;
}

/* Fills in the address; its length, or 0 after throwing. "@name" and "\0name" are abstract. */
static socklen_t unix_address(pp_env *env, const pp_text *path, struct sockaddr_un *address) {
  bool abstract = path->length > 0 && (path->data[0] == '@' || path->data[0] == 0);
  size_t room = sizeof address->sun_path - (abstract ? 0 : 1); /* a path ends with a NUL, an abstract name by its length */
  if (path->length == 0 || path->length > room) {
    pp_throw(env, path->length == 0 ? EINVAL : ENAMETOOLONG, "UNIX socket path of %zu bytes", path->length);
    return 0;
  }
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, path->data, path->length);
  if (abstract) address->sun_path[0] = 0;
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path->length + (abstract ? 0 : 1));
}

/* For error texts: an abstract name begins with NUL. */
static const char *shown(const pp_text *path) { return path->data[0] == 0 ? path->data + 1 : path->data; }

typedef int attach_call(int, const struct sockaddr *, socklen_t);

static napi_value open_unix(pp_env *env, napi_value path_value, int type, attach_call *attach, const char *call) {
  pp_text path;
  if (!pp_read_socket_path(env, path_value, &path)) return NULL;
  struct sockaddr_un address;
  socklen_t length = unix_address(env, &path, &address);
  if (length == 0) return NULL;
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return pp_throw(env, errno, "socket AF_UNIX");
  if (attach(fd, (struct sockaddr *)&address, length) == 0) return pp_number(env, fd);
  pp_throw(env, errno, "%s %s", call, shown(&path));
  close(fd);
  return NULL;
}

/* A UNIX connect never waits: it succeeds, or says EAGAIN when the listener's backlog is full. */
static napi_value connect_unix(pp_env *env, napi_value *args) { return open_unix(env, args[0], SOCK_STREAM, connect, "connect"); }

static napi_value bind_unix_stream(pp_env *env, napi_value *args) { return open_unix(env, args[0], SOCK_STREAM, bind, "bind"); }

static napi_value bind_unix_datagram(pp_env *env, napi_value *args) { return open_unix(env, args[0], SOCK_DGRAM, bind, "bind"); }

static napi_value connect_vsock(pp_env *env, napi_value *args) {
  PP_U32(cid, args[0]);
  PP_U32(port, args[1]);
  int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return pp_throw(env, errno, "socket AF_VSOCK");
  struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS) return pp_number(env, fd);
  pp_throw(env, errno, "connect vsock:%u:%u", cid, port);
  close(fd);
  return NULL;
}

static napi_value send_unix_datagram(pp_env *env, napi_value *args) {
  pp_text path;
  if (!pp_read_socket_path(env, args[0], &path)) return NULL;
  PP_BYTES(data, args[1]);
  int fds[PP_MAX_FDS];
  size_t count;
  if (!pp_read_fds(env, args[2], fds, PP_MAX_FDS, &count)) return NULL;
  struct sockaddr_un address;
  socklen_t length = unix_address(env, &path, &address);
  if (length == 0) return NULL;
  int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return pp_throw(env, errno, "socket AF_UNIX");
  struct iovec bytes = {data.data, data.length};
  struct msghdr message = {.msg_name = &address, .msg_namelen = length, .msg_iov = &bytes, .msg_iovlen = 1};
  if (pp_send_with_fds(socket_fd, &message, fds, count) < 0) pp_throw(env, errno, "sendmsg %s", shown(&path));
  close(socket_fd);
  return NULL;
}

static napi_value socket_pair(pp_env *env, napi_value *args) {
  PP_INT(type, args[0]);
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) return pp_throw(env, errno, "socketpair");
  return pp_int_pair(env, ends[0], ends[1]);
}

static napi_value get_option(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_INT(level, args[1]);
  PP_INT(option, args[2]);
  int64_t room;
  if (!pp_read_number(env, args[3], "length", 0, 65536, &room)) return NULL;
  /* Its length counts instructions, of eight bytes each. */
  if (level == SOL_SOCKET && option == SO_GET_FILTER) return pp_throw(env, EINVAL, "getsockopt SO_GET_FILTER");
  uint8_t *value = pp_alloc((size_t)room + 1);
  socklen_t told = (socklen_t)room;
  bool good = getsockopt(fd, level, option, value, &told) == 0;
  size_t length = told < room ? told : (size_t)room; /* some tell how much there would be */
  napi_value buffer, array = NULL;
  void *bytes;
  if (!good) {
    pp_throw(env, errno, "getsockopt %d %d", level, option);
  } else if (napi_create_arraybuffer(env->napi, length, &bytes, &buffer) == napi_ok) {
    if (length > 0) memcpy(bytes, value, length);
    napi_create_typedarray(env->napi, napi_uint8_array, length, buffer, 0, &array);
  }
  pp_free(value);
  return array;
}

static napi_value set_option(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_INT(level, args[1]);
  PP_INT(option, args[2]);
  PP_BYTES(value, args[3]);
  if (setsockopt(fd, level, option, value.data, (socklen_t)value.length) != 0)
    return pp_throw(env, errno, "setsockopt %d %d", level, option);
  return NULL;
}

const pp_function pp_socket_functions[] = {
    {"connectUnix", connect_unix},
    {"bindUnixStream", bind_unix_stream},
    {"bindUnixDatagram", bind_unix_datagram},
    {"connectVsock", connect_vsock},
    {"sendUnixDatagram", send_unix_datagram},
    {"socketPair", socket_pair},
    {"getSocketOption", get_option},
    {"setSocketOption", set_option},
    {NULL, NULL},
};
