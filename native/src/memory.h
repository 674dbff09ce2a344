/* Memory for keys, and a process that leaves no image of itself. No script engine here: see addon.c. */
#ifndef DOORKEEP_MEMORY_H
#define DOORKEEP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed pages of its own, which no core image holds; NULL: there are none. `locked`: they are never
 * written to swap. They need not be: RLIMIT_MEMLOCK may be small, and a key in swap is better than no door. */
void *secure_allocate(size_t size, bool *locked);

/* Overwrites what is there before the pages go back. */
void secure_free(void *memory, size_t size);

/* Never left out by a compiler that sees that nobody reads the zeros. */
void secure_wipe(void *memory, size_t size);

/* No core file by its size limit, for this process and those it starts. */
bool forbid_core_files(void);

/* No core image whoever receives it, and no look into this process for others of the same user. */
bool forbid_inspection(void);

#endif
