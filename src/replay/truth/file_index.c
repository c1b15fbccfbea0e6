#include "replay/truth/file_index.h"

#include "base/buffer.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static int by_file(const void *a, const void *b)
{
    return strcmp(((const xr_file_entry *)a)->file, ((const xr_file_entry *)b)->file);
}

static int by_base(const void *a, const void *b)
{
    return strcmp(xr_base_name(((const xr_file_entry *)a)->file),
                  xr_base_name(((const xr_file_entry *)b)->file));
}

bool xr_file_index_add(xr_file_index *index, const char *file, size_t item)
{
    xr_file_entry *grown = xr_array_grow(index->by_file, index->count, &index->room, sizeof *grown);
    if (!grown)
        return false;
    index->by_file = grown;
    index->by_file[index->count++] = (xr_file_entry){file, item};
    return true;
}

bool xr_file_index_sort(xr_file_index *index)
{
    if (index->count == 0)
        return true;
    index->by_base = malloc(index->count * sizeof *index->by_base);
    if (!index->by_base)
        return false;
    memcpy(index->by_base, index->by_file, index->count * sizeof *index->by_base);
    qsort(index->by_file, index->count, sizeof *index->by_file, by_file);
    qsort(index->by_base, index->count, sizeof *index->by_base, by_base);
    return true;
}

const char *xr_file_index_twice(const xr_file_index *index)
{
    for (size_t i = 1; i < index->count; i++)
        if (by_file(&index->by_file[i - 1], &index->by_file[i]) == 0)
            return index->by_file[i].file;
    return NULL;
}

static bool find(const xr_file_index *index, const char *file, size_t *item)
{
    if (index->count == 0)
        return false;
    const xr_file_entry key = {file, 0};
    const xr_file_entry *found = bsearch(&key, index->by_file, index->count, sizeof key, by_file);
    if (!found) {
        const xr_file_entry *first = index->by_base, *last = first + index->count - 1;
        found = bsearch(&key, first, index->count, sizeof key, by_base);
        if (found && ((found > first && by_base(found - 1, found) == 0) ||
                      (found < last && by_base(found + 1, found) == 0)))
            found = NULL;
    }
    if (found)
        *item = found->item;
    return found != NULL;
}

bool xr_file_index_find(const xr_file_index *index, const char *file, size_t *item)
{
    char whole[512];
    const char *at = strrchr(file, '@');
    const size_t length = at ? (size_t)(at - file) : 0;
    if (find(index, file, item))
        return true;
    if (!at || !at[1] || at[1 + strspn(at + 1, "0123456789")] || length == 0 || length >= sizeof whole)
        return false;
    memcpy(whole, file, length);
    whole[length] = 0;
    return find(index, whole, item);
}

void xr_file_index_free(xr_file_index *index)
{
    free(index->by_file);
    free(index->by_base);
    *index = (xr_file_index){0};
}
