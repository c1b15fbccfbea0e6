#define _POSIX_C_SOURCE 200809L
#include "replay/items_texts.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "replay/truth/text_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { TEXT, LABEL, SOURCE, COLUMNS, MOST_CELLS = 64 };

/* One text.  Pointers are into the file, but for a source that was made. */
typedef struct text_row {
    const char *text; /* NULL: `problem` */
    size_t size;
    char *source;
    bool has_label;
    int64_t label;
    const char *problem;
} text_row;

typedef struct text_items {
    xr_items base;
    char *file;
    const char *name; /* of the file, without its folder */
    text_row *row;
    size_t room, at;
} text_items;

static exray_status out_of_memory(const char *what, exray_error *error)
{
    return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading %s", what);
}

/* Takes over nothing; false: no memory. */
static bool add_row(text_items *items, text_row row, const char *source, size_t line)
{
    char made[300];
    snprintf(made, sizeof made, "%.250s:%zu", items->name, line);
    text_row *grown = xr_array_grow(items->row, items->base.count, &items->room, sizeof *grown);
    if (!grown)
        return false;
    items->row = grown;
    row.source = strdup(source && *source ? source : made);
    if (!row.source)
        return false;
    items->row[items->base.count++] = row;
    return true;
}

/* ---- Lines ---------------------------------------------------------------------------------------- */

/* The next line of *at, without its end; false: there is none. */
static bool next_line(char **at, char *end, char **line, size_t *size)
{
    if (*at >= end)
        return false;
    char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *size = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    *size -= *size > 0 && (*line)[*size - 1] == '\r';
    return true;
}

static exray_status add_lines(text_items *items, char *end, const char *path, exray_error *error)
{
    char *at = xr_text_begin(items->file), *line;
    size_t size;
    for (size_t number = 1; next_line(&at, end, &line, &size); number++)
        if (size && !add_row(items, (text_row){.text = line, .size = size}, NULL, number))
            return out_of_memory(path, error);
    return EXRAY_OK;
}

/* ---- Tables ------------------------------------------------------------------------------------------ */

/* Cuts a line at its tabs, in place; the number of cells. */
static int cut(char *line, size_t size, char *cell[MOST_CELLS])
{
    line[size] = '\0'; /* the end of the line, or the byte behind the file */
    return xr_table_cut(line, cell, MOST_CELLS);
}

static exray_status read_header(char *line, size_t size, int column[COLUMNS], const char *path,
                                exray_error *error)
{
    static const char *const names[COLUMNS] = {"text", "label", "source"};
    char *cell[MOST_CELLS] = {NULL};
    int count = cut(line, size, cell);
    for (int c = 0; c < COLUMNS; c++) {
        column[c] = -1;
        for (int i = count - 1; i >= 0; i--)
            column[c] = strcmp(cell[i], names[c]) == 0 ? i : column[c];
    }
    return column[TEXT] >= 0
               ? EXRAY_OK
               : xr_error_set(
                     error, EXRAY_E_FORMAT,
                     "%s:1: the first line must name the columns, with tabs between them: text, and where "
                     "there are such label and source",
                     path);
}

static text_row read_row(char *line, size_t size, const int column[COLUMNS], const char **source)
{
    char *cell[MOST_CELLS] = {NULL};
    int count = cut(line, size, cell);
    *source = column[SOURCE] >= 0 && column[SOURCE] < count ? cell[column[SOURCE]] : NULL;
    if (column[TEXT] >= count)
        return (text_row){.problem = "its row has fewer columns than the first line names"};
    text_row row = {.text = cell[column[TEXT]], .size = strlen(cell[column[TEXT]])};
    const char *label = column[LABEL] >= 0 && column[LABEL] < count ? cell[column[LABEL]] : "";
    row.has_label = xr_table_class(label, &row.label);
    if (*label && !row.has_label)
        return (text_row){.problem = "its label is no class, a whole number"};
    return row;
}

static exray_status add_table(text_items *items, char *end, const char *path, exray_error *error)
{
    char *at = xr_text_begin(items->file), *line;
    const char *source;
    size_t size;
    int column[COLUMNS];
    if (!next_line(&at, end, &line, &size))
        return xr_error_set(error, EXRAY_E_FORMAT, "%s: the file is empty", path);
    exray_status status = read_header(line, size, column, path, error);
    for (size_t number = 2; !status && next_line(&at, end, &line, &size); number++) {
        if (size == 0)
            continue;
        text_row row = read_row(line, size, column, &source);
        if (!add_row(items, row, source, number))
            status = out_of_memory(path, error);
    }
    return status;
}

/* ---- The items --------------------------------------------------------------------------------------------
 */

static xr_next next_text(xr_items *base, xr_item *item, exray_error *error)
{
    text_items *items = (text_items *)base;
    if (items->at == base->count)
        return XR_NEXT_END;
    const text_row *row = &items->row[items->at++];
    *item = (xr_item){.source = row->source,
                      .sensor = "text",
                      .media = {.format = "utf8"},
                      .data = row->text,
                      .size = row->size,
                      .has_label = row->has_label,
                      .label = row->label};
    if (base->truth && xr_truth_label(base->truth, row->source, &item->label))
        item->has_label = true;
    if (row->text)
        return XR_NEXT_ITEM;
    xr_error_set(error, EXRAY_E_FORMAT, "%s", row->problem);
    return XR_NEXT_BROKEN;
}

static void free_texts(xr_items *base)
{
    text_items *items = (text_items *)base;
    for (size_t i = 0; i < base->count; i++)
        free(items->row[i].source);
    free(items->row);
    free(items->file);
    xr_truth_free(base->truth);
    free(items);
}

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n >= m && strcasecmp(path + n - m, ending) == 0;
}

static exray_status read_texts(text_items *items, const char *data, exray_error *error)
{
    size_t size;
    items->name = xr_base_name(data);
    items->file = xr_file_read(data, XR_LIMIT_TEXT, &size, error);
    if (!items->file)
        return error->status;
    exray_status status = EXRAY_OK;
    if (ends_in(data, ".tsv"))
        status = add_table(items, items->file + size, data, error);
    else if (ends_in(data, ".txt"))
        status = add_lines(items, items->file + size, data, error);
    else if (!add_row(items, (text_row){.text = items->file, .size = size}, items->name, 1))
        status = out_of_memory(data, error);
    if (!status && items->base.count == 0)
        status = xr_error_set(error, EXRAY_E_FORMAT, "%s has no text in it", data);
    return status;
}

/* A label file without an entry for any text is a mistake. */
static exray_status load_truth(text_items *items, const char *labels, exray_error *error)
{
    char what[64];
    items->base.truth = xr_truth_load(labels, error);
    if (!items->base.truth)
        return error->status;
    for (size_t i = 0; i < items->base.count; i++)
        if (xr_truth_has(items->base.truth, items->row[i].source))
            return EXRAY_OK;
    xr_truth_describe(items->base.truth, what, sizeof what);
    return xr_error_set(error, EXRAY_E_FORMAT, "%s: none of its %s is among the %zu texts (such as %s)",
                        labels, what, items->base.count, items->row[0].source);
}

xr_items *xr_items_from_texts(const char *data, const char *labels, exray_error *error)
{
    struct stat info;
    if (stat(data, &info) == 0 && S_ISDIR(info.st_mode))
        return xr_items_from_text_folder(data, labels, error);
    text_items *items = calloc(1, sizeof *items);
    if (!items) {
        out_of_memory(data, error);
        return NULL;
    }
    items->base.next = next_text;
    items->base.free = free_texts;
    exray_status status = read_texts(items, data, error);
    if (!status && labels)
        status = load_truth(items, labels, error);
    if (!status)
        return &items->base;
    free_texts(&items->base);
    return NULL;
}
