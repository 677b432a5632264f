#ifndef PP_HELD_H
#define PP_HELD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>

/* When a thread began something, or ended it. */
typedef struct {
  struct timespec at;
  struct timespec cpu; /* what getrusage() says of it may be a tick old */
  long sleeps;
} pp_moment;

static inline void pp_note_moment(pp_moment *now) {
  struct rusage usage;
  clock_gettime(CLOCK_MONOTONIC, &now->at);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now->cpu);
  getrusage(RUSAGE_THREAD, &usage);
  now->sleeps = usage.ru_nvcsw;
}

static inline double pp_microseconds_between(const struct timespec *start, const struct timespec *end) {
  return (double)(end->tv_sec - start->tv_sec) * 1e6 + (double)(end->tv_nsec - start->tv_nsec) / 1e3;
}

/* Of the microseconds between, what the kernel took: where the thread never slept, only what it ran, for others may have had the CPU. */
static inline double pp_held_microseconds(const pp_moment *start, const pp_moment *end) {
  bool slept = end->sleeps != start->sleeps;
  return slept ? pp_microseconds_between(&start->at, &end->at) : pp_microseconds_between(&start->cpu, &end->cpu);
}

#endif
