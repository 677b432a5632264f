/* Allocation with a count of what is alive, which is the leak check of our own memory (node's is not ours to judge); and giving back
 * to the kernel what only the start needed. */
#include "addon.h"

#include <link.h>
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

long pp_allocations(void) { return atomic_load(&alive); }

typedef struct {
  uintptr_t first, last;
  bool holds;
} segment_query;

/* Whether a range lies in a segment that nothing may ever have written to: not one that was made read-only later (RELRO). */
static int look_in_object(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  segment_query *query = data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_LOAD && (header->p_flags & PF_W) == 0 && query->first >= (start & ~(uintptr_t)4095) &&
        query->last <= ((start + header->p_memsz + 4095) & ~(uintptr_t)4095))
      query->holds = true;
  }
  return query->holds;
}

/* (): unmaps pages of programs that were not changed (the kernel has them in its cache, and maps again what is used), and returns free
 * heap memory. */
static napi_value trim_memory(pp_env *env, napi_value *args) {
  (void)env, (void)args;
  FILE *maps = fopen("/proc/self/maps", "re"); /* without /proc nothing is unmapped */
  char line[4096 + 128];
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    segment_query query = {0};
    char rights[5];
    unsigned long offset, inode = 0;
    if (sscanf(line, "%lx-%lx %4s %lx %*x:%*x %lu", &query.first, &query.last, rights, &offset, &inode) != 5) continue;
    /* Without a file, the pages are all there is of it: node --use-largepages */
    if (rights[1] != '-' || rights[3] != 'p' || inode == 0) continue;
    dl_iterate_phdr(look_in_object, &query);
    if (query.holds) madvise((void *)query.first, query.last - query.first, MADV_DONTNEED);
  }
  if (maps != NULL) fclose(maps);
  malloc_trim(0);
  return NULL;
}

const pp_function pp_memory_functions[] = {{"trimMemory", trim_memory}, {NULL, NULL}};
