#define _POSIX_C_SOURCE 200809L
#include "replay/truth/text_table.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "replay/truth/file_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct table_row {
    const char *text; /* into the table's text; NULL: none */
    bool has_label;
    int64_t label;
} table_row;

struct xr_text_table {
    char *text;
    table_row *row;
    size_t rows, room;
    xr_file_index index;
};

enum { MOST_COLUMNS = 64, NO_COLUMN = -1 };

/* Where the columns are; NO_COLUMN: there is none. */
typedef struct table_columns {
    int source, text, label, last;
} table_columns;

int xr_table_cut(char *line, char **cell, int most)
{
    int count = 0;
    for (char *rest = line; rest && count < most;) {
        cell[count++] = rest;
        rest = strchr(rest, '\t');
        if (rest)
            *rest++ = '\0';
    }
    return count;
}

static int cut(char *line, char *cell[MOST_COLUMNS])
{
    line[strcspn(line, "\r")] = '\0';
    return xr_table_cut(line, cell, MOST_COLUMNS);
}

static bool read_header(char *line, table_columns *out, const char *path, exray_error *error)
{
    char *cell[MOST_COLUMNS];
    const int count = cut(line, cell);
    *out = (table_columns){NO_COLUMN, NO_COLUMN, NO_COLUMN, NO_COLUMN};
    for (int i = 0; i < count; i++) {
        int *column = strcmp(cell[i], "source") == 0 || strcmp(cell[i], "file") == 0 ? &out->source
                      : strcmp(cell[i], "text") == 0                                 ? &out->text
                      : strcmp(cell[i], "label") == 0                                ? &out->label
                                                                                     : NULL;
        if (column && *column == NO_COLUMN)
            *column = out->last = i;
    }
    if (out->source != NO_COLUMN && (out->text != NO_COLUMN || out->label != NO_COLUMN))
        return true;
    xr_error_set(error, EXRAY_E_FORMAT,
                 "%s:1: the first line must name the columns: source (or file), and text or label, with tabs "
                 "between them",
                 path);
    return false;
}

bool xr_table_class(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno;
}

static bool is_utf8(const char *text)
{
    const size_t size = strlen(text);
    for (size_t at = 0, step; at < size; at += step)
        if ((step = xr_utf8_decode(text + at, size - at, NULL)) == 0)
            return false;
    return true;
}

/* What is wrong with the line; NULL: nothing. */
static const char *read_row(xr_text_table *table, char *line, const table_columns *columns)
{
    char *cell[MOST_COLUMNS];
    if (cut(line, cell) <= columns->last)
        return "fewer columns than the first line names";
    table_row row = {.text = columns->text == NO_COLUMN ? NULL : cell[columns->text]};
    if (columns->label != NO_COLUMN) {
        row.has_label = xr_table_class(cell[columns->label], &row.label);
        if (!row.has_label && row.text && *cell[columns->label])
            return "a label beside a text must be a class: a whole number";
        if (!row.has_label && !row.text)
            row.text = cell[columns->label];
    }
    if (row.text && !is_utf8(row.text))
        return "the text is no UTF-8";
    table_row *grown = xr_array_grow(table->row, table->rows, &table->room, sizeof *grown);
    if (!grown)
        return "out of memory";
    table->row = grown;
    table->row[table->rows] = row;
    return xr_file_index_add(&table->index, cell[columns->source], table->rows++) ? NULL : "out of memory";
}

static bool read_rows(xr_text_table *table, const char *path, exray_error *error)
{
    table_columns columns;
    size_t number = 0;
    for (char *line = xr_text_begin(table->text), *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (++number == 1) {
            if (!read_header(line, &columns, path, error))
                return false;
            continue;
        }
        const char *fault = line[strspn(line, "\r")] ? read_row(table, line, &columns) : NULL;
        if (fault) {
            xr_error_set(error, EXRAY_E_FORMAT, "%s:%zu: %s", path, number, fault);
            return false;
        }
    }
    if (!xr_file_index_sort(&table->index)) {
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", path);
        return false;
    }
    const char *twice = xr_file_index_twice(&table->index);
    if (twice)
        xr_error_set(error, EXRAY_E_FORMAT, "%s: %.200s has two lines", path, twice);
    return !twice;
}

xr_text_table *xr_text_table_load(const char *path, exray_error *error)
{
    xr_text_table *table = calloc(1, sizeof *table);
    size_t size;
    if (!table || !(table->text = xr_file_read(path, XR_LIMIT_TEXT, &size, error))) {
        if (!table)
            xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", path);
        free(table);
        return NULL;
    }
    if (strlen(table->text) != size)
        xr_error_set(error, EXRAY_E_FORMAT, "%s is not a text file: it has a zero byte", path);
    else if (read_rows(table, path, error))
        return table;
    xr_text_table_free(table);
    return NULL;
}

static const table_row *row_of(const xr_text_table *table, const char *file)
{
    size_t at;
    return xr_file_index_find(&table->index, file, &at) ? &table->row[at] : NULL;
}

bool xr_text_table_has(const xr_text_table *table, const char *file)
{
    return row_of(table, file) != NULL;
}

const char *xr_text_table_text(const xr_text_table *table, const char *file)
{
    const table_row *row = row_of(table, file);
    return row ? row->text : NULL;
}

bool xr_text_table_label(const xr_text_table *table, const char *file, int64_t *label)
{
    const table_row *row = row_of(table, file);
    if (!row || !row->has_label)
        return false;
    *label = row->label;
    return true;
}

size_t xr_text_table_count(const xr_text_table *table)
{
    return table->rows;
}

void xr_text_table_free(xr_text_table *table)
{
    if (!table)
        return;
    free(table->text);
    free(table->row);
    xr_file_index_free(&table->index);
    free(table);
}
