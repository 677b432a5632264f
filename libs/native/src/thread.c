/* Threads that the kernel may hold for long, beside the event loop. */
#include <signal.h>

#include "addon.h"

#define STACK_BYTES (256 << 10)

int pp_start_thread(pthread_t *thread, void *(*run)(void *), void *data) {
  pthread_attr_t attributes;
  sigset_t all, before;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for node's own threads */
  int error = pthread_create(thread, &attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}
