/* Allocation with a count of what is alive, which is the leak check of our own memory (node's is not ours to judge). */
#include "addon.h"

#include <stdatomic.h>

static atomic_long alive;

void *pp_alloc(size_t bytes) {
  void *memory = calloc(1, bytes);
  if (memory == NULL) napi_fatal_error("patchpanel addon", NAPI_AUTO_LENGTH, "out of memory", NAPI_AUTO_LENGTH);
  atomic_fetch_add(&alive, 1);
  return memory;
}

void pp_free(void *memory) {
  if (memory == NULL) return;
  atomic_fetch_sub(&alive, 1);
  free(memory);
}

long pp_allocations(void) { return atomic_load(&alive); }
