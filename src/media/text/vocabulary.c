#include "media/text/vocabulary.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TOKENS = 1 << 22, LONGEST_ID = 15 };

/* Bytes of a file. */
#define MOST_BYTES ((size_t)64 << 20)

static uint64_t hash_of(const char *text, size_t size)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h ^ h >> 29;
}

/* The number behind the last blank of a line, and where the token ends; false: there is none. */
static bool has_id(const char *line, size_t size, size_t *token, int64_t *id)
{
    size_t at = size;
    while (at > 0 && line[at - 1] >= '0' && line[at - 1] <= '9')
        at--;
    if (at == size || size - at > LONGEST_ID || at < 1 || (line[at - 1] != ' ' && line[at - 1] != '\t'))
        return false;
    *token = at - 1;
    *id = 0;
    for (; at < size; at++)
        *id = 10 * *id + (line[at] - '0');
    return true;
}

static size_t line_end(const char *text, size_t size, size_t at)
{
    const char *end = memchr(text + at, '\n', size - at);
    return end ? (size_t)(end - text) : size;
}

/* Calls for each line; `numbered`: all lines have ids so far. */
static size_t count_lines(const char *text, size_t size, bool *numbered)
{
    size_t count = 0, token;
    int64_t id;
    *numbered = true;
    for (size_t at = 0; at < size;) {
        size_t end = line_end(text, size, at), last = end;
        last -= last > at && text[last - 1] == '\r';
        if (last > at)
            *numbered = *numbered && has_id(text + at, last - at, &token, &id);
        count++;
        at = end + 1;
    }
    return count;
}

static void add_lines(xr_vocabulary *v, size_t size, bool numbered)
{
    int64_t line = 0;
    for (size_t at = 0; at < size; line++) {
        size_t end = line_end(v->text, size, at), last = end;
        last -= last > at && v->text[last - 1] == '\r';
        xr_vocabulary_entry e = {v->text + at, last - at, line};
        if (numbered && last > at)
            has_id(e.token, e.size, &e.size, &e.id);
        /* Of a file without numbers an empty line counts, though it is no token. */
        if (last > at) {
            v->entry[v->count++] = e;
            v->longest = e.size > v->longest ? e.size : v->longest;
        }
        at = end + 1;
    }
}

static void fill_table(xr_vocabulary *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const xr_vocabulary_entry *e = &v->entry[i];
        size_t at = (size_t)hash_of(e->token, e->size) & (v->slots - 1);
        while (v->slot[at] && (v->entry[v->slot[at] - 1].size != e->size ||
                               memcmp(v->entry[v->slot[at] - 1].token, e->token, e->size) != 0))
            at = (at + 1) & (v->slots - 1);
        v->slot[at] = (uint32_t)i + 1;
    }
}

/* Position beside id, for sorting. */
typedef struct id_position {
    int64_t id;
    uint32_t position;
} id_position;

static int by_id(const void *left, const void *right)
{
    const id_position *a = left, *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->position > b->position) - (a->position < b->position);
}

static bool sort_ids(xr_vocabulary *v)
{
    id_position *list = malloc((v->count + 1) * sizeof *list);
    for (size_t i = 0; list && i < v->count; i++)
        list[i] = (id_position){v->entry[i].id, (uint32_t)i};
    if (list)
        qsort(list, v->count, sizeof *list, by_id);
    for (size_t i = 0; list && i < v->count; i++)
        v->by_id[i] = list[i].position;
    free(list);
    return list != NULL;
}

exray_status xr_vocabulary_read(const void *data, size_t size, const char *name, xr_vocabulary *out,
                                exray_error *error)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *out = (xr_vocabulary){.text = NULL};
    const char *text = data;
    if (size >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (size > MOST_BYTES)
        return xr_error_set(error, EXRAY_E_LIMIT,
                            "%s: %zu bytes are too many for a vocabulary (at most 64 MiB)", name, size);
    bool numbered = false;
    size_t lines = size ? count_lines(text, size, &numbered) : 0;
    if (lines > MOST_TOKENS)
        return xr_error_set(error, EXRAY_E_LIMIT, "%s: %zu lines are too many for a vocabulary (at most %d)",
                            name, lines, MOST_TOKENS);
    if (size && memchr(text, 0, size))
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "%s: not a vocabulary: it has zero bytes; give a text file of one token a line",
                            name);
    out->slots = 16;
    while (out->slots < 2 * lines)
        out->slots *= 2;
    out->text = malloc(size + 1);
    out->entry = calloc(lines + 1, sizeof *out->entry);
    out->slot = calloc(out->slots, sizeof *out->slot);
    out->by_id = calloc(lines + 1, sizeof *out->by_id);
    if (!out->text || !out->entry || !out->slot || !out->by_id)
        return xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
    if (size)
        memcpy(out->text, text, size);
    add_lines(out, size, numbered);
    if (out->count == 0)
        return xr_error_set(error, EXRAY_E_FORMAT, "%s: the vocabulary is empty; it has one token a line",
                            name);
    fill_table(out);
    return sort_ids(out) ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
}

void xr_vocabulary_free(xr_vocabulary *v)
{
    free(v->text);
    free(v->entry);
    free(v->slot);
    free(v->by_id);
    *v = (xr_vocabulary){.text = NULL};
}

const xr_vocabulary_entry *xr_vocabulary_find(const xr_vocabulary *v, const char *token, size_t size)
{
    if (!v->slots || size > v->longest)
        return NULL;
    size_t at = (size_t)hash_of(token, size) & (v->slots - 1);
    for (; v->slot[at]; at = (at + 1) & (v->slots - 1)) {
        const xr_vocabulary_entry *e = &v->entry[v->slot[at] - 1];
        if (e->size == size && memcmp(e->token, token, size) == 0)
            return e;
    }
    return NULL;
}

const xr_vocabulary_entry *xr_vocabulary_of(const xr_vocabulary *v, int64_t id)
{
    size_t low = 0, high = v->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (v->entry[v->by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < v->count && v->entry[v->by_id[low]].id == id ? &v->entry[v->by_id[low]] : NULL;
}
