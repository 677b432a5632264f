/* Allocation with a count of what is alive, which is the leak check of our own memory (node's is not ours to judge). */
#include "addon.h"

#include <malloc.h>
#include <stdatomic.h>
#include <sys/mman.h>

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

/* calloc may take a block that was in use before, and then writes all of it. */
void *pp_map(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) napi_fatal_error("patchpanel addon", NAPI_AUTO_LENGTH, "out of memory", NAPI_AUTO_LENGTH);
  atomic_fetch_add(&alive, 1);
  return memory;
}

void pp_unmap(void *memory, size_t bytes) {
  atomic_fetch_sub(&alive, 1);
  munmap(memory, bytes);
}

long pp_allocations(void) { return atomic_load(&alive); }

/*
 * glibc raises these two thresholds, of 128 KiB each, to the size of whatever was freed (mallopt(3)), up to 32 MiB: V8's compilers free blocks
 * of megabytes, and from then on their memory stays with the process. Said by us they stay as they are. And one arena is enough for threads
 * that compile, or wait for the kernel; each more keeps some 200 kB.
 */
void pp_give_memory_back(void) {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  mallopt(M_TRIM_THRESHOLD, 128 << 10);
#endif
}

/*
 * Node-API has no call to collect. When more external memory than V8 lets a heap have is told of, V8 collects everything at once and shrinks
 * its heap (Heap::ReportExternalMemoryPressure); the same is taken back at once. The second time it gives back the pages that it has emptied
 * the first time.
 */
static napi_value collect_garbage(pp_env *env, napi_value *args) {
  (void)args;
  madvise(env->scratch, PP_SCRATCH_BYTES, MADV_DONTNEED); /* nothing in it is anybody's by now */
  const int64_t pressure = INT64_C(1) << 40;
  int64_t told;
  for (int times = 0; times < 2; times++) {
    napi_adjust_external_memory(env->napi, pressure, &told);
    napi_adjust_external_memory(env->napi, -pressure, &told);
  }
#ifdef __GLIBC__
  malloc_trim(0); /* what the compilers of V8 have freed lies between what they have not */
#endif
  return pp_undefined(env);
}

/* v8::V8::SetFlagsFromString(const char *) of v8-initialization.h, which Node-API has no call for, and whose module in node (node:v8) takes
 * 1.5 MB with all that it needs. Named as the C++ ABI of both architectures does; where a node has none, V8 keeps its defaults. */
extern void set_v8_flags(const char *flags) __asm__("_ZN2v82V818SetFlagsFromStringEPKc") __attribute__((weak));

static napi_value set_flags(pp_env *env, napi_value *args) {
  PP_TEXT(flags, args[0]);
  if (set_v8_flags != NULL) set_v8_flags(flags.data);
  return NULL;
}

static napi_value allocations(pp_env *env, napi_value *args) {
  (void)args;
  return pp_number(env, (double)pp_allocations());
}

const pp_function pp_memory_functions[] = {
    {"allocations", allocations},
    {"collectGarbage", collect_garbage},
    {"setV8Flags", set_flags},
    {NULL, NULL},
};
