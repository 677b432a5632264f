/* held.h for tests: BEGINNING and END, each "at cpu sleeps" in nanoseconds, and what pp_held_microseconds() makes of them. */
#include "../held.h"

#include <stdio.h>
#include <stdlib.h>

static struct timespec nanoseconds(const char *text) {
  long long all = atoll(text);
  return (struct timespec){.tv_sec = all / 1000000000, .tv_nsec = all % 1000000000};
}

static pp_moment moment_of(char **words) {
  return (pp_moment){.at = nanoseconds(words[0]), .cpu = nanoseconds(words[1]), .sleeps = atol(words[2])};
}

int main(int count, char **words) {
  if (count != 7) return 2;
  pp_moment start = moment_of(words + 1), end = moment_of(words + 4);
  printf("%.0f\n", pp_held_microseconds(&start, &end));
  return 0;
}
