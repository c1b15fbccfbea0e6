#include "pipeline/parse_words.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool xr_parse_fail(xr_parser *p, unsigned line, const char *where, const char *text)
{
    xr_error_set(p->error, EXRAY_E_FORMAT, "%s:%u: %s%s%s", p->pipeline->name, line, where,
                 *where ? ": " : "", text);
    return false;
}

/* Edits (insert, delete, replace, swap neighbors) between two short words. */
static unsigned edit_distance(const char *a, const char *b)
{
    enum { MAX = 24 };
    size_t na = strlen(a), nb = strlen(b);
    if (na >= MAX || nb >= MAX)
        return MAX;
    unsigned row[MAX + 1][MAX + 1];
    for (size_t i = 0; i <= na; i++)
        row[i][0] = (unsigned)i;
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++)
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (row[i - 1][j] + 1 < best)
                best = row[i - 1][j] + 1;
            if (row[i][j - 1] + 1 < best)
                best = row[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                row[i - 2][j - 2] + 1 < best)
                best = row[i - 2][j - 2] + 1;
            row[i][j] = best;
        }
    return row[na][nb];
}

bool xr_parse_fail_unknown(xr_parser *p, unsigned line, const char *where, const char *what,
                           const char *given, const xr_choice *choices, size_t count)
{
    char text[320];
    char shown[XR_SHOWN];
    const char *nearest = NULL;
    unsigned nearest_distance = 3;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = edit_distance(given, choices[i].name);
        if (distance < nearest_distance && distance < strlen(choices[i].name)) {
            nearest = choices[i].name;
            nearest_distance = distance;
        }
    }
    int used = snprintf(text, sizeof text, "unknown %s '%s'; ", what, xr_show(given, shown));
    if (nearest)
        used += snprintf(text + used, sizeof text - (size_t)used, "did you mean %s? ", nearest);
    for (size_t i = 0; i < count && (size_t)used < sizeof text; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s",
                         i > 0        ? ", "
                         : count == 1 ? "there is only "
                                      : "one of ",
                         choices[i].name);
    return xr_parse_fail(p, line, where, text);
}

bool xr_parse_fail_value(xr_parser *p, unsigned line, const char *where, const char *given,
                         const char *expected)
{
    char text[320];
    char shown[XR_SHOWN];
    snprintf(text, sizeof text, "'%s' is not %s", xr_show(given, shown), expected);
    return xr_parse_fail(p, line, where, text);
}

bool xr_parse_find(const char *name, const xr_choice *choices, size_t count, int *value)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, choices[i].name)) {
            *value = choices[i].value;
            return true;
        }
    return false;
}

/* strtod alone would also take "nan", "inf", "0x1p3". */
bool xr_parse_number(const char *text, double *out)
{
    if (!*text || strlen(text) >= XR_PARSE_WORD_SIZE || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    char *end;
    *out = strtod(text, &end);
    return !*end && isfinite(*out);
}

bool xr_parse_integer(const char *text, int64_t min, int64_t max, int64_t *out)
{
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    if (!digits || digits > 12 || text[(*text == '-') + digits])
        return false;
    *out = strtoll(text, NULL, 10);
    return *out >= min && *out <= max;
}

bool xr_parse_size(const char *text, uint32_t *width, uint32_t *height)
{
    char copy[XR_PARSE_WORD_SIZE];
    int64_t w, h;
    if (strlen(text) >= sizeof copy)
        return false;
    memcpy(copy, text, strlen(text) + 1);
    char *x = strchr(copy, 'x');
    if (!x)
        return false;
    *x = 0;
    if (!xr_parse_integer(copy, 1, XR_MAX_TARGET_SIDE, &w) ||
        !xr_parse_integer(x + 1, 1, XR_MAX_TARGET_SIDE, &h))
        return false;
    *width = (uint32_t)w;
    *height = (uint32_t)h;
    return true;
}

bool xr_parse_need_scalar(xr_parser *p, const xr_yaml *node, const char *where)
{
    if (node->kind != XR_YAML_SCALAR)
        return xr_parse_fail(p, node->line, where, "needs a single value, not a list or a map");
    if (xr_yaml_is_null(node))
        return xr_parse_fail(p, node->line, where,
                             "has no value; give one, or leave the key out for its default");
    return true;
}

bool xr_parse_split(xr_parser *p, const xr_yaml *node, const char *where, xr_words *out)
{
    if (!xr_parse_need_scalar(p, node, where))
        return false;
    out->count = 0;
    for (const char *s = node->text; *s;) {
        size_t blanks = strspn(s, " \t");
        size_t length = strcspn(s + blanks, " \t");
        if (!length)
            break;
        if (length >= XR_PARSE_WORD_SIZE || out->count == XR_PARSE_WORDS)
            return xr_parse_fail_value(p, node->line, where, node->text, "a value that this key takes");
        memcpy(out->word[out->count], s + blanks, length);
        out->word[out->count++][length] = 0;
        s += blanks + length;
    }
    if (!out->count)
        return xr_parse_fail(p, node->line, where,
                             "is empty; give a value, or leave the key out for its default");
    return true;
}

bool xr_parse_choose(xr_parser *p, const xr_yaml *node, const char *where, const char *what,
                     const xr_choice *choices, size_t count, int *value)
{
    if (!xr_parse_need_scalar(p, node, where))
        return false;
    if (xr_parse_find(node->text, choices, count, value))
        return true;
    return xr_parse_fail_unknown(p, node->line, where, what, node->text, choices, count);
}

char *xr_parse_resolve(const char *base, const char *file)
{
    const char *slash = strrchr(base, '/');
    size_t folder = slash && *file != '/' ? (size_t)(slash - base) + 1 : 0;
    size_t length = strlen(file);
    char *path = malloc(folder + length + 1);
    if (path) {
        memcpy(path, base, folder);
        memcpy(path + folder, file, length + 1);
    }
    return path;
}
