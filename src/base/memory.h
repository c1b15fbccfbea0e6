/* Memory that there was none of.  The rooms of the workstation call malloc, calloc, realloc, strdup and
 * strndup as everybody does; the target exray_watched (CMakeLists.txt) compiles these names as the ones
 * below, which count what fails.  So a result that lacks something for want of memory is never given for a
 * whole one: who hands it out compares the count with what it was before. */
#ifndef XR_MEMORY_H
#define XR_MEMORY_H

#include <stddef.h>

/* How many allocations of this process have failed. */
unsigned long xr_memory_lacks(void);

/* Counts one: a library of others says that it had none. */
void xr_memory_lacked(void);

void *xr_malloc(size_t size);
void *xr_calloc(size_t count, size_t size);
void *xr_realloc(void *memory, size_t size);
char *xr_strdup(const char *text);
char *xr_strndup(const char *text, size_t size);

#endif
