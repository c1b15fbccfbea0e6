#include "base/anchors.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 22 /* numbers */ };

/* Numbers of a file, row by row. */
typedef struct anchor_table {
    float *value;
    size_t count, room, rows, columns;
} anchor_table;

static bool is_gap(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == ';' || c == '\r';
}

static exray_status add(anchor_table *t, const char **at, const char *name, size_t line, exray_error *error)
{
    enum { LONGEST = 40 };
    char word[LONGEST + 1] = "", shown[XR_SHOWN], *end = word;
    const size_t length = strcspn(*at, " \t,;\r\n");
    memcpy(word, *at, length < LONGEST ? length : LONGEST);
    /* strtod alone would also take "nan", "inf", "0x1p3" */
    const bool plain = length <= LONGEST && strspn(word, "0123456789+-.eE") == length;
    const double value = plain ? strtod(word, &end) : 0;
    if (!plain || *end || !isfinite(value) || fabs(value) > 1e6)
        return xr_error_set(error, EXRAY_E_FORMAT, "%s:%zu: '%s' is no number of an anchor", name, line,
                            xr_show(word, shown));
    if (t->count == MOST)
        return xr_error_set(error, EXRAY_E_LIMIT, "%s:%zu: more than a million anchors", name, line);
    float *grown = xr_array_grow(t->value, t->count, &t->room, sizeof *grown);
    if (!grown)
        return xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
    t->value = grown;
    t->value[t->count++] = (float)value;
    *at += length;
    return EXRAY_OK;
}

static exray_status read_line(anchor_table *t, const char **at, const char *name, size_t line,
                              exray_error *error)
{
    const size_t first = t->count;
    while (**at && **at != '\n') {
        if (is_gap(**at)) {
            ++*at;
            continue;
        }
        exray_status status = add(t, at, name, line, error);
        if (status)
            return status;
    }
    const size_t count = t->count - first;
    if (count == 0)
        return EXRAY_OK;
    if (t->rows && count != t->columns)
        return xr_error_set(error, EXRAY_E_FORMAT, "%s:%zu: has %zu numbers, the lines before it %zu", name,
                            line, count, t->columns);
    t->columns = count;
    t->rows++;
    return EXRAY_OK;
}

static exray_status take(const anchor_table *t, const char *name, xr_anchors *out, exray_error *error)
{
    const bool lines = t->columns == 4;
    if (!lines && t->rows != 4)
        return xr_error_set(
            error, EXRAY_E_FORMAT,
            "%s is no file of anchors: it needs lines of 4 numbers, or 4 lines; it has %zu lines "
            "of %zu",
            name, t->rows, t->columns);
    out->count = lines ? t->rows : t->columns;
    out->at = malloc(t->count * sizeof *out->at);
    if (!out->at)
        return xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
    for (size_t i = 0; i < out->count; i++)
        for (size_t k = 0; k < 4; k++)
            out->at[4 * i + k] = t->value[lines ? 4 * i + k : k * t->columns + i];
    return EXRAY_OK;
}

exray_status xr_anchors_parse(const char *text, const char *name, xr_anchors *out, exray_error *error)
{
    anchor_table table = {0};
    exray_status status = EXRAY_OK;
    *out = (xr_anchors){0};
    for (size_t line = 1; *text && !status; line++) {
        if (*text == '#')
            text += strcspn(text, "\n");
        status = read_line(&table, &text, name, line, error);
        text += *text == '\n';
    }
    if (!status)
        status = take(&table, name, out, error);
    free(table.value);
    return status;
}

exray_status xr_anchors_load(const char *path, xr_anchors *out, exray_error *error)
{
    size_t size;
    *out = (xr_anchors){0};
    char *text = xr_file_read(path, XR_LIMIT_TEXT, &size, error);
    if (!text)
        return error->status;
    exray_status status =
        strlen(text) == size
            ? xr_anchors_parse(xr_text_begin(text), path, out, error)
            : xr_error_set(error, EXRAY_E_FORMAT, "%s is not a text file: it has a zero byte", path);
    free(text);
    return status;
}

void xr_anchors_free(xr_anchors *anchors)
{
    free(anchors->at);
    *anchors = (xr_anchors){0};
}
