/* TUN and TAP interfaces. */
#include "tun.h"

#include "batch.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>

enum { ON_FRAMES, ON_ERROR };

typedef struct {
  pp_source source;
  unsigned batch;
  size_t frame_bytes;
} tun_watch;

typedef struct {
  pp_text name, device;
  bool tap, attach, vnet_header;
  int64_t owner; /* -1: anyone who may administer the network */
  pp_bytes mac;
} tun_options;

static bool read_options(pp_env *env, napi_value from, tun_options *out) {
  return pp_read_bool(env, pp_get(env, from, "tap"), "tap", &out->tap) &&
         pp_read_text(env, pp_get(env, from, "name"), "name", &out->name) &&
         pp_read_bool(env, pp_get(env, from, "attach"), "attach", &out->attach) &&
         pp_read_number(env, pp_get(env, from, "owner"), "owner", -1, UINT32_MAX - 1, &out->owner) &&
         pp_read_bytes(env, pp_get(env, from, "mac"), "mac", &out->mac) &&
         pp_read_bool(env, pp_get(env, from, "vnetHeader"), "vnetHeader", &out->vnet_header) &&
         pp_read_text(env, pp_get(env, from, "device"), "device", &out->device);
}

typedef struct {
  const char *name; /* shorter than IFNAMSIZ */
  short flags;
  int64_t owner;    /* -1: anyone who may administer the network */
  uint32_t ifindex; /* 0: the kernel's next */
} tun_wish;

/* Asks the driver for the interface; `request` has its name afterwards. 0, or the errno of `call`. */
static int take_interface(int fd, const tun_wish *wish, struct ifreq *request, const char **call) {
  request->ifr_flags = (short)(wish->flags | IFF_NO_PI);
  memcpy(request->ifr_name, wish->name, strlen(wish->name));
  *call = "TUNSETIFINDEX";
  if (wish->ifindex != 0 && ioctl(fd, TUNSETIFINDEX, &wish->ifindex) != 0) return errno;
  *call = "TUNSETIFF";
  if (ioctl(fd, TUNSETIFF, request) != 0) return errno;
  *call = "TUNSETOWNER";
  if (wish->owner >= 0 && ioctl(fd, TUNSETOWNER, (unsigned long)wish->owner) != 0) return errno;
  return 0;
}

int pp_tap_make(const char *name, uint32_t owner, uint32_t ifindex, const char **call) {
  tun_wish wish = {name, IFF_TAP | IFF_TUN_EXCL, owner == UINT32_MAX ? -1 : (int64_t)owner, ifindex};
  struct ifreq request = {0};
  *call = "open /dev/net/tun";
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  int error = take_interface(fd, &wish, &request, call);
  if (error == 0) return fd;
  close(fd); /* and with it the interface, if it was made */
  errno = error;
  return -1;
}

bool pp_tap_persist(int fd, bool on) { return ioctl(fd, TUNSETPERSIST, (unsigned long)on) == 0; }

static int set_mac(int fd, const pp_bytes *mac) {
  struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
  memcpy(request.ifr_hwaddr.sa_data, mac->data, mac->length);
  return ioctl(fd, SIOCSIFHWADDR, &request) == 0 ? 0 : errno;
}

/* Every step of making it, on the open device; false after throwing. */
static bool set_up(pp_env *env, int fd, const tun_options *options, struct ifreq *request) {
  /* Without IFF_TUN_EXCL the kernel would attach to an interface of that name. */
  short flags = (short)((options->tap ? IFF_TAP : IFF_TUN) | (options->vnet_header ? IFF_VNET_HDR : 0) |
                        (options->attach ? 0 : IFF_TUN_EXCL));
  tun_wish wish = {options->name.data, flags, options->owner, 0};
  const char *call = "TUNSETIFF";
  int error = options->attach && if_nametoindex(wish.name) == 0 ? ENODEV : take_interface(fd, &wish, request, &call);
  if (error != 0) {
    pp_throw(env, error, "%s %s", call, wish.name);
    return false;
  }
  if (options->mac.length > 0 && (error = set_mac(fd, &options->mac)) != 0) {
    pp_throw(env, error, "SIOCSIFHWADDR %s", request->ifr_name);
    return false;
  }
  return true;
}

static napi_value open_tun(pp_env *env, napi_value *args) {
  tun_options options;
  if (!read_options(env, args[0], &options)) return NULL;
  if (options.name.length == 0 || options.name.length >= IFNAMSIZ)
    return pp_throw(env, EINVAL, "interface name \"%s\"", options.name.data);
  if (options.mac.length != 0 && options.mac.length != 6) return pp_throw_type(env, "mac", "6 bytes");
  int fd = open(options.device.data, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return pp_throw(env, errno, "open %s", options.device.data);
  struct ifreq request = {0};
  if (!set_up(env, fd, &options, &request)) {
    close(fd); /* and with it the interface, if it was made */
    return NULL;
  }
  napi_value made;
  napi_create_array_with_length(env->napi, 3, &made);
  napi_set_element(env->napi, made, 0, pp_number(env, fd));
  napi_set_element(env->napi, made, 1, pp_string(env, request.ifr_name));
  napi_set_element(env->napi, made, 2, pp_number(env, if_nametoindex(request.ifr_name)));
  return made;
}

static napi_value tun_persist(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_BOOL(on, args[1]);
  if (!pp_tap_persist(fd, on)) return pp_throw(env, errno, "TUNSETPERSIST %d", fd);
  return NULL;
}

static napi_value tun_offload(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_U32(flags, args[1]);
  if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)flags) != 0) return pp_throw(env, errno, "TUNSETOFFLOAD %d", fd);
  return NULL;
}

static napi_value tun_send(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  struct iovec pieces[PP_BATCH];
  uint32_t done = 0;
  for (int count; (count = pp_read_frames(env, args[1], done, pieces)) > 0;) {
    for (int i = 0; i < count; i++) {
      ssize_t written;
      do written = write(fd, pieces[i].iov_base, pieces[i].iov_len);
      while (written < 0 && errno == EINTR);
      if (written < 0 && done == 0 && !pp_queue_full(errno)) return pp_throw(env, errno, "write to TUN %d", fd);
      if (written < 0) return pp_number(env, done);
      done++;
    }
  }
  return pp_number(env, done);
}

/* Reads frames into slots of the scratch buffer until there is none; -errno if the first fails. */
static int read_frames(tun_watch *self) {
  uint8_t *scratch = self->source.env->scratch;
  int32_t *row = self->source.env->table;
  int count = 0;
  while (count < (int)self->batch) {
    size_t offset = (size_t)count * self->frame_bytes;
    ssize_t length = read(self->source.fd, scratch + offset, self->frame_bytes);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return count == 0 ? -errno : count;
    memset(row, 0, PP_COLUMNS * sizeof *row);
    row[COLUMN_OFFSET] = (int32_t)offset;
    row[COLUMN_LENGTH] = row[COLUMN_WIRE_LENGTH] = (int32_t)length;
    row[COLUMN_VLAN] = -1;
    row += PP_COLUMNS;
    count++;
  }
  return count;
}

static void on_ready(pp_source *source, int events) {
  (void)events;
  int count = read_frames((tun_watch *)source);
  if (count == -EAGAIN) return;
  if (count < 0) {
    pp_source_want(source, 0); /* the interface is gone: the device would say so for ever */
    pp_source_fail(source, ON_ERROR, -count, "read TUN");
    return;
  }
  napi_value number = pp_number(source->env, count);
  pp_source_call(source, ON_FRAMES, 1, &number);
}

static const pp_source_type TUN_WATCH = {"TUN watch", sizeof(tun_watch), on_ready, NULL};

/* (fd, batch, frameBytes, onFrames(count), onError) */
static napi_value watch_tun(pp_env *env, napi_value *args) {
  PP_INT(fd, args[0]);
  PP_INT(batch, args[1]);
  PP_INT(frame_bytes, args[2]);
  if (!pp_batch_fits(env, (unsigned)batch, (size_t)frame_bytes)) return NULL;
  napi_value handle;
  tun_watch *self = (tun_watch *)pp_source_open(env, &TUN_WATCH, fd, args + 3, 2, &handle);
  if (self == NULL) return NULL;
  self->source.lends_fd = true;
  self->batch = (unsigned)batch;
  self->frame_bytes = (size_t)frame_bytes;
  pp_source_want(&self->source, UV_READABLE);
  return handle;
}

const pp_function pp_tun_functions[] = {
    {"tunOpen", open_tun}, {"tunPersist", tun_persist}, {"tunOffload", tun_offload},
    {"tunSend", tun_send}, {"tunWatch", watch_tun},     {NULL, NULL},
};
