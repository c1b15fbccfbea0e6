/* Which entry of a label file a picture has. */
#ifndef XR_FILE_INDEX_H
#define XR_FILE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

typedef struct xr_file_entry {
    const char *file; /* borrowed */
    size_t item;      /* what the entry is of */
} xr_file_entry;

typedef struct xr_file_index {
    xr_file_entry *by_file, *by_base; /* [count] */
    size_t count, room;
} xr_file_index;

/* False: out of memory.  After all were added they are sorted, once. */
bool xr_file_index_add(xr_file_index *index, const char *file, size_t item);
bool xr_file_index_sort(xr_file_index *index);
/* A file that has two entries; NULL: none. */
const char *xr_file_index_twice(const xr_file_index *index);
/* By the whole relative path, else by the base name where that is unique.  False: none. */
bool xr_file_index_find(const xr_file_index *index, const char *file, size_t *item);
void xr_file_index_free(xr_file_index *index);

#endif
