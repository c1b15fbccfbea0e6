#include "models/notes/note_names.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 100000, LONGEST = 1000 };

static bool add(xr_note_names *out, const char *text, size_t size)
{
    if (out->count == MOST_NAMES)
        return false;
    if (out->count == out->room) {
        const size_t room = out->room ? 2 * out->room : 64;
        char **grown = realloc(out->name, room * sizeof *grown);
        if (!grown)
            return false;
        out->name = grown;
        out->room = room;
    }
    size = size < LONGEST ? size : LONGEST;
    char *copy = malloc(size + 1);
    if (!copy)
        return false;
    if (size)
        memcpy(copy, text, size);
    copy[size] = '\0';
    out->name[out->count++] = copy;
    return true;
}

void xr_note_names_free(xr_note_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
    *names = (xr_note_names){0};
}

/* Pieces between the separators; nothing behind the last one is no piece. */
static bool split(xr_note_names *out, const char *text, size_t size, char separator)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, separator, size - at);
        size_t length = end ? (size_t)(end - (text + at)) : size - at;
        size_t kept = length;
        while (kept && text[at + kept - 1] == '\r')
            kept--;
        if (!add(out, text + at, kept))
            return false;
        at += length + 1;
    }
    return true;
}

bool xr_note_names_lines(xr_note_names *out, const char *text, size_t size)
{
    return split(out, text, size, '\n');
}

static size_t skip_blanks(const char *text, size_t size, size_t at)
{
    while (at < size && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r'))
        at++;
    return at;
}

/* A quoted text at `at`, with \-escapes of a single sign; 0: it is none. */
static size_t quoted(const char *text, size_t size, size_t at, char out[LONGEST + 1], size_t *length)
{
    const char quote = at < size ? text[at] : '\0';
    if (quote != '"' && quote != '\'')
        return 0;
    *length = 0;
    for (at++; at < size && text[at] != quote; at++) {
        if (text[at] == '\\' && at + 1 < size)
            at++;
        if (*length < LONGEST)
            out[(*length)++] = text[at];
    }
    return at < size ? at + 1 : 0;
}

/* Values of {key: 'value', ...} whose keys are 0, 1, 2, ...; or of ['value', ...].  Where there is a mistake,
 * nothing is. */
static bool read_collection(xr_note_names *out, const char *text, size_t size, bool is_map)
{
    char value[LONGEST + 1];
    size_t at = skip_blanks(text, size, 0) + 1, length;
    while (at < size) {
        at = skip_blanks(text, size, at);
        if (is_map) {
            const bool has_quote = at < size && (text[at] == '"' || text[at] == '\'');
            size_t number = 0, digits = 0;
            at += has_quote;
            for (; at < size && text[at] >= '0' && text[at] <= '9' && digits < 7; at++, digits++)
                number = 10 * number + (size_t)(text[at] - '0');
            at = skip_blanks(text, size, at + has_quote);
            if (!digits || number != out->count || at >= size || text[at] != ':')
                break;
            at = skip_blanks(text, size, at + 1);
        }
        const size_t next = quoted(text, size, at, value, &length);
        if (!next)
            break;
        if (!add(out, value, length))
            return false;
        at = skip_blanks(text, size, next);
        if (at < size && text[at] == (is_map ? '}' : ']'))
            return true;
        if (at >= size || text[at] != ',')
            break;
        at++;
    }
    xr_note_names_free(out);
    return true;
}

bool xr_note_names_any(xr_note_names *out, const char *text, size_t size)
{
    const size_t begin = skip_blanks(text, size, 0);
    if (begin < size && (text[begin] == '{' || text[begin] == '['))
        return read_collection(out, text, size, text[begin] == '{');
    return split(out, text, size, memchr(text, '\n', size) ? '\n' : ',');
}
