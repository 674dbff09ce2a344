#define _GNU_SOURCE
#include "memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void *secure_allocate(size_t size, bool *locked) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  if (madvise(memory, size, MADV_DONTDUMP) != 0) {
    munmap(memory, size);
    return NULL;
  }
  *locked = mlock(memory, size) == 0;
  return memory;
}

void secure_free(void *memory, size_t size) {
  secure_wipe(memory, size);
  munmap(memory, size);
}

void secure_wipe(void *memory, size_t size) { explicit_bzero(memory, size); }

bool forbid_core_files(void) {
  const struct rlimit none = {0, 0};
  return setrlimit(RLIMIT_CORE, &none) == 0;
}

/* A limit of 0 alone stops only core files: where the kernel pipes the image to a program, it ignores it. */
bool forbid_inspection(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0; }
