/* Shared parts of the addon. Rules: file descriptors in, file descriptors and bytes out, no policy; JavaScript is called from the
 * event loop only; whoever opens a source owns its fd until pp_source_close. */
#ifndef PP_ADDON_H
#define PP_ADDON_H

#define NAPI_VERSION 8
#include <errno.h>
#include <limits.h>
#include <node_api.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define PP_ARGS 8
/* What every receive of this environment writes into; api/ calls it borrowed. */
#define PP_SCRATCH_BYTES (1 << 20)
/* Most frames or datagrams of one report, and the numbers that describe one (batch.h names them). */
#define PP_BATCH 64
#define PP_COLUMNS 8

typedef struct pp_source pp_source;

/* One for each environment (main thread or worker) that loaded the addon. */
typedef struct {
  napi_env napi;
  uv_loop_t *loop;
  napi_ref error_class; /* NativeError of api/error.ts */
  /* The receive buffers, of which JavaScript has views. */
  uint8_t *scratch; /* PP_SCRATCH_BYTES */
  int32_t *table;   /* PP_BATCH * PP_COLUMNS */
  pp_source *sources;   /* all that are open */
  pp_source *awaited;   /* those whose answers come before news of the others */
  unsigned closing;     /* uv handles whose close callback is still to come */
  napi_async_cleanup_hook_handle cleanup; /* set once the environment ends */
  int own_netns;        /* this thread's own network namespace; -1: there is no /proc to ask */
  int current_netns;    /* where runInNetns has put this thread; -1: its own */
} pp_env;

/* memory.c: allocation that tests can count */
void *pp_alloc(size_t bytes); /* zeroed; ends the process if there is none */
void pp_free(void *memory);
void *pp_map(size_t bytes); /* zeroed pages, which take memory when they are written */
void pp_unmap(void *memory, size_t bytes);
long pp_allocations(void);
void pp_give_memory_back(void); /* of the whole process, from now on: freed blocks go back to the kernel */

/* error.c: every function that returns napi_value returns NULL after throwing */
const char *pp_errno_name(int code);
napi_value pp_error(pp_env *env, int code, const char *call, ...) __attribute__((format(printf, 3, 4)));
napi_value pp_throw(pp_env *env, int code, const char *call, ...) __attribute__((format(printf, 3, 4)));
napi_value pp_throw_type(pp_env *env, const char *name, const char *want);

/* args.c: false after throwing a TypeError that names the argument */
typedef struct {
  uint8_t *data;
  size_t length;
} pp_bytes;
typedef struct {
  char data[PATH_MAX];
  size_t length;
} pp_text;
bool pp_read_number(pp_env *env, napi_value value, const char *name, int64_t min, int64_t max, int64_t *out);
bool pp_read_int(pp_env *env, napi_value value, const char *name, int *out);
bool pp_read_u32(pp_env *env, napi_value value, const char *name, uint32_t *out);
bool pp_read_bool(pp_env *env, napi_value value, const char *name, bool *out);
bool pp_read_bytes(pp_env *env, napi_value value, const char *name, pp_bytes *out);
/* NUL-terminated, with none inside: the kernel would take what is before it. */
bool pp_read_text(pp_env *env, napi_value value, const char *name, pp_text *out);
/* The same, but a NUL may come first (an abstract socket's name). */
bool pp_read_socket_path(pp_env *env, napi_value value, pp_text *out);
/* Reads an array of descriptors; at most `max`, else EINVAL as the kernel would say. */
bool pp_read_fds(pp_env *env, napi_value value, int *fds, size_t max, size_t *count);
napi_value pp_get(pp_env *env, napi_value object, const char *key);
napi_value pp_number(pp_env *env, double value);
napi_value pp_string(pp_env *env, const char *value);
napi_value pp_int_pair(pp_env *env, int first, int second);
napi_value pp_undefined(pp_env *env);

#define PP_INT(name, value) \
  int name; \
  if (!pp_read_int(env, value, #name, &name)) return NULL
#define PP_U32(name, value) \
  uint32_t name; \
  if (!pp_read_u32(env, value, #name, &name)) return NULL
#define PP_BOOL(name, value) \
  bool name; \
  if (!pp_read_bool(env, value, #name, &name)) return NULL
#define PP_BYTES(name, value) \
  pp_bytes name; \
  if (!pp_read_bytes(env, value, #name, &name)) return NULL
#define PP_TEXT(name, value) \
  pp_text name; \
  if (!pp_read_text(env, value, #name, &name)) return NULL

/* source.c: a descriptor watched by the event loop, with callbacks into JavaScript */
#define PP_CALLBACKS 5
typedef struct {
  const char *name; /* of the async resource, and of the handle in errors */
  size_t bytes;     /* sizeof the struct that begins with pp_source */
  /* `events` of uv_poll; after an error on the descriptor everything that was wanted; 0: an answer is awaited, and may be there. Runs in a
   * handle scope. */
  void (*ready)(pp_source *source, int events);
  /* Lets go of what the source owns beyond `fd`; may be NULL. */
  void (*close)(pp_source *source);
} pp_source_type;

struct pp_source {
  pp_env *env;
  const pp_source_type *type;
  uv_poll_t poll;
  uv_timer_t timer; /* of pp_source_wait; `data` is set once it was used */
  int fd;
  bool lends_fd; /* `fd` is closed by someone else, who outlives the source */
  int wanted;    /* UV_READABLE | UV_WRITABLE */
  bool closed;
  int users;     /* the JavaScript handle, and each uv handle inside */
  napi_async_context context;
  napi_ref callbacks[PP_CALLBACKS];
  pp_source *next, **link;
  bool is_awaited;
  pp_source *next_awaited, **awaited_link;
};

/* Takes `fd` if it succeeds, else it stays the caller's. Callbacks may be undefined. `*handle` is what JavaScript holds. */
pp_source *pp_source_open(pp_env *env, const pp_source_type *type, int fd, const napi_value *callbacks, size_t count,
                          napi_value *handle);
/* The open source behind a handle, or NULL after throwing EBADF (closed) or a TypeError. */
pp_source *pp_source_of(pp_env *env, napi_value handle, const pp_source_type *type);
void pp_source_want(pp_source *source, int events);
/* An answer is to come: before any other source tells what is new, this one is asked. Until it is told otherwise; a closed one is not. */
void pp_source_await(pp_source *source, bool awaited);
/* (source, ms): the event loop looks for what comes in when that time has passed, not before; for a source that only reads. */
napi_value pp_source_wait(pp_env *env, napi_value *args, const pp_source_type *type);
/* (source, paused): the event loop does not look for what comes in until it is told again; for a source that only reads. */
napi_value pp_source_pause(pp_env *env, napi_value *args, const pp_source_type *type);
/* Idempotent, allowed inside a callback; the memory stays until the loop has let go. */
void pp_source_close(pp_source *source);
/* Calls JavaScript; what it throws becomes an uncaught exception. A closed source or an absent callback is not called. */
void pp_source_call(pp_source *source, int callback, size_t argc, const napi_value *argv);
void pp_source_fail(pp_source *source, int callback, int code, const char *call);
/* Closes a further uv handle inside the source (counted in `users` by the caller). */
void pp_source_close_handle(pp_source *source, uv_handle_t *handle);
napi_value pp_source_close_js(pp_env *env, napi_value *args);

/* thread.c: a detached thread with a small stack, in the namespaces that the caller is in; 0 or an errno */
int pp_start_thread(pthread_t *thread, void *(*run)(void *), void *data);

/* netns.c: opens `own_netns`; from the start, so that a daemon has as many descriptors before its first namespace as after. */
void pp_know_own_netns(pp_env *env);

/* socket.c: a buffer size beyond the system's limit if we may, else up to it. */
void pp_set_buffer(int fd, int force_option, int option, int bytes);
/* SO_BINDTODEVICE, if there is a name; false after throwing. */
bool pp_bind_device(pp_env *env, int fd, const pp_text *device);
/* A classic BPF program (linux/filter.h), none if it is empty; false after throwing. */
bool pp_attach_filter(pp_env *env, int fd, const pp_bytes *filter);

/* One exported function. */
typedef struct {
  const char *name;
  napi_value (*call)(pp_env *env, napi_value *args);
} pp_function;

/* Tables of the subjects, each ended by a NULL name. */
extern const pp_function pp_fd_functions[], pp_watch_functions[], pp_stream_functions[], pp_socket_functions[],
    pp_netlink_functions[], pp_worker_functions[], pp_netns_functions[], pp_packet_functions[], pp_udp_functions[],
    pp_tun_functions[], pp_tcp_functions[], pp_unix_functions[], pp_relay_functions[], pp_memory_functions[];

#endif
