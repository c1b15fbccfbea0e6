#define _POSIX_C_SOURCE 200809L
#include "replay/labels.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "replay/truth/file_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct xr_labels {
    char *text;
    int64_t *label; /* [index.count] */
    size_t room;
    xr_file_index index;
};

/* Splits a line "FILE CLASS" (FILE may contain spaces). */
static bool parse_line(char *line, int64_t *out)
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
    *out = label;
    return true;
}

static bool add(xr_labels *labels, const char *file, int64_t label)
{
    int64_t *grown = xr_array_grow(labels->label, labels->index.count, &labels->room, sizeof *grown);
    if (!grown)
        return false;
    labels->label = grown;
    labels->label[labels->index.count] = label;
    return xr_file_index_add(&labels->index, file, labels->index.count);
}

/* A file may be listed twice, with one class. */
static bool check_twice(const xr_labels *labels, const char *path, exray_error *error)
{
    for (size_t i = 1; i < labels->index.count; i++) {
        const xr_file_entry *a = &labels->index.by_file[i - 1], *b = a + 1;
        if (strcmp(a->file, b->file) == 0 && labels->label[a->item] != labels->label[b->item]) {
            xr_error_set(error, EXRAY_E_FORMAT, "%s: %s has two classes, %lld and %lld", path, a->file,
                         (long long)labels->label[a->item], (long long)labels->label[b->item]);
            return false;
        }
    }
    return true;
}

static bool parse_lines(xr_labels *labels, const char *path, exray_error *error)
{
    size_t number = 0;
    bool room = true;
    for (char *line = xr_text_begin(labels->text), *next; line && room; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        number++;
        char *text = line + strspn(line, " \t\r");
        int64_t label;
        if (!*text || *text == '#')
            continue;
        if (!parse_line(text, &label)) {
            xr_error_set(error, EXRAY_E_FORMAT, "%s:%zu: not \"FILE CLASS\", CLASS a whole number", path,
                         number);
            return false;
        }
        room = add(labels, text, label);
    }
    if (room && xr_file_index_sort(&labels->index))
        return check_twice(labels, path, error);
    xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory for its labels", path);
    return false;
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
    size_t at;
    if (!xr_file_index_find(&labels->index, file, &at))
        return false;
    *label = labels->label[at];
    return true;
}

size_t xr_labels_count(const xr_labels *labels)
{
    return labels->index.count;
}

void xr_labels_free(xr_labels *labels)
{
    if (!labels)
        return;
    free(labels->text);
    free(labels->label);
    xr_file_index_free(&labels->index);
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
