#define _POSIX_C_SOURCE 200809L
#include "replay/labels.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct label_entry {
    const char *file; /* into the text */
    const char *base; /* its last component */
    int64_t label;
} label_entry;

struct xr_labels {
    char *text;
    label_entry *by_file; /* sorted by file */
    label_entry *by_base; /* sorted by base */
    size_t count;
};

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const label_entry *)a)->file, ((const label_entry *)b)->file);
}

static int compare_bases(const void *a, const void *b)
{
    return strcmp(((const label_entry *)a)->base, ((const label_entry *)b)->base);
}

/* Splits a line "FILE CLASS" (FILE may contain spaces). */
static bool parse_line(char *line, label_entry *out)
{
    size_t length = strlen(line);
    while (length && strchr(" \t\r", line[length - 1]))
        line[--length] = '\0';
    char *space = strrchr(line, ' ');
    char *tab = strrchr(line, '\t');
    char *cut = tab > space ? tab : space;
    if (!cut || cut == line)
        return false;
    char *end;
    errno = 0;
    long long label = strtoll(cut + 1, &end, 10);
    if (errno || end == cut + 1 || *end)
        return false;
    while (cut > line && strchr(" \t", cut[-1]))
        cut--;
    *cut = '\0';
    *out = (label_entry){.file = line, .base = xr_base_name(line), .label = label};
    return true;
}

static bool parse_lines(xr_labels *labels, const char *path, exray_error *error)
{
    size_t lines = 1;
    for (const char *c = labels->text; *c; c++)
        lines += *c == '\n';
    labels->by_file = malloc(lines * sizeof *labels->by_file);
    labels->by_base = malloc(lines * sizeof *labels->by_base);
    if (!labels->by_file || !labels->by_base) {
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory for %zu labels", path, lines);
        return false;
    }
    size_t number = 0;
    for (char *line = xr_text_begin(labels->text), *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        char *text = line + strspn(line, " \t\r");
        if (!*text || *text == '#')
            continue;
        if (!parse_line(text, &labels->by_file[labels->count])) {
            xr_error_set(error, EXRAY_E_FORMAT, "%s:%zu: not \"FILE CLASS\", CLASS a whole number", path,
                         number);
            return false;
        }
        labels->count++;
    }
    memcpy(labels->by_base, labels->by_file, labels->count * sizeof *labels->by_base);
    qsort(labels->by_file, labels->count, sizeof *labels->by_file, compare_files);
    qsort(labels->by_base, labels->count, sizeof *labels->by_base, compare_bases);
    for (size_t i = 1; i < labels->count; i++) {
        const label_entry *a = &labels->by_file[i - 1], *b = &labels->by_file[i];
        if (strcmp(a->file, b->file) == 0 && a->label != b->label) {
            xr_error_set(error, EXRAY_E_FORMAT, "%s: %s has two classes, %lld and %lld", path, a->file,
                         (long long)a->label, (long long)b->label);
            return false;
        }
    }
    return true;
}

xr_labels *xr_labels_load(const char *path, exray_error *error)
{
    xr_labels *labels = calloc(1, sizeof *labels);
    size_t size;
    if (!labels || !(labels->text = xr_file_read(path, XR_LIMIT_TEXT, &size, error))) {
        free(labels);
        return NULL;
    }
    if (strlen(labels->text) != size)
        xr_error_set(error, EXRAY_E_FORMAT, "%s is not a text file: it has a zero byte", path);
    else if (parse_lines(labels, path, error))
        return labels;
    xr_labels_free(labels);
    return NULL;
}

bool xr_labels_find(const xr_labels *labels, const char *file, int64_t *label)
{
    if (labels->count == 0)
        return false;
    label_entry key = {.file = file, .base = xr_base_name(file)};
    const label_entry *found = bsearch(&key, labels->by_file, labels->count, sizeof key, compare_files);
    if (!found) {
        found = bsearch(&key, labels->by_base, labels->count, sizeof key, compare_bases);
        const label_entry *first = labels->by_base, *last = first + labels->count - 1;
        bool twice = found && ((found > first && compare_bases(found - 1, found) == 0) ||
                               (found < last && compare_bases(found + 1, found) == 0));
        if (twice)
            found = NULL;
    }
    if (found)
        *label = found->label;
    return found != NULL;
}

size_t xr_labels_count(const xr_labels *labels)
{
    return labels->count;
}

void xr_labels_free(xr_labels *labels)
{
    if (!labels)
        return;
    free(labels->text);
    free(labels->by_file);
    free(labels->by_base);
    free(labels);
}

exray_status xr_names_load(const char *path, xr_names *out, exray_error *error)
{
    size_t size, room = 0;
    *out = (xr_names){0};
    char *text = xr_file_read(path, XR_LIMIT_TEXT, &size, error);
    if (!text)
        return error ? error->status : EXRAY_E_IO;
    exray_status status = EXRAY_OK;
    for (char *line = xr_text_begin(text), *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        else if (!*line)
            break; /* nothing follows the last newline */
        line[strcspn(line, "\r")] = '\0';
        char **grown = xr_array_grow(out->name, out->count, &room, sizeof *grown);
        out->name = grown ? grown : out->name;
        char *copy = grown ? strdup(line) : NULL;
        if (!copy) {
            status = xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", path);
            break;
        }
        out->name[out->count++] = copy;
    }
    free(text);
    if (status)
        xr_names_free(out);
    return status;
}

void xr_names_free(xr_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
    *names = (xr_names){0};
}
