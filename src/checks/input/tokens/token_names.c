#include "checks/input/tokens/token_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 24, TOKENS_MOST = 1 << 20, TOKEN_MOST = 200 };

const char *xr_token_name(const xr_token_names *names, int64_t id, char text[80])
{
    const char *token = id >= 0 && (uint64_t)id < names->count ? names->token[id] : NULL;
    text[0] = 0;
    if (token)
        snprintf(text, 80, " (\"%.70s\")", token);
    return text;
}

/* ---- Vocabularies --------------------------------------------------------------------------------- */

static bool is_vocabulary(const exray_attachment *a)
{
    return strstr(a->name, "vocab") && strncmp(a->media_type, "text/", 5) == 0 && a->size <= FILE_MOST;
}

/* The number behind a line's last blank, which ends the line; false: there is none. */
static bool id_at_end(const char *line, size_t size, size_t *token_size, size_t *id)
{
    size_t digits = 0;
    *id = 0;
    while (digits < size && digits < 9 && line[size - digits - 1] >= '0' && line[size - digits - 1] <= '9')
        digits++;
    if (digits == 0 || digits + 1 > size || line[size - digits - 1] != ' ')
        return false;
    for (size_t i = size - digits; i < size; i++)
        *id = 10 * *id + (size_t)(line[i] - '0');
    *token_size = size - digits - 1;
    return true;
}

/* Calls `take` with each line without its end; false: `take` did. */
static bool each_line(const char *text, size_t size, bool (*take)(void *, const char *, size_t, size_t),
                      void *user)
{
    size_t number = 0;
    for (size_t at = 0; at < size; number++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at, next = at + length + 1;
        if (length && text[at + length - 1] == '\r')
            length--;
        if (!take(user, text + at, length, number))
            return false;
        at = next;
    }
    return true;
}

static bool is_numbered(void *user, const char *line, size_t size, size_t number)
{
    size_t token, id;
    (void)user, (void)number;
    return size == 0 || id_at_end(line, size, &token, &id);
}

typedef struct vocabulary_reader {
    xr_token_names *names;
    size_t room;
    bool numbered; /* the id stands behind each token; else it is the line's number */
} vocabulary_reader;

static bool make_room(vocabulary_reader *r, size_t id)
{
    if (id < r->room)
        return true;
    size_t room = r->room ? r->room : 1024;
    while (room <= id)
        room *= 2;
    char **grown = realloc(r->names->token, room * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + r->room, 0, (room - r->room) * sizeof *grown);
    r->names->token = grown;
    r->room = room;
    return true;
}

/* False: out of memory.  An id that stands twice keeps its first token. */
static bool add_token(void *user, const char *line, size_t size, size_t number)
{
    vocabulary_reader *r = user;
    size_t length = size, id = number;
    if (r->numbered && !id_at_end(line, size, &length, &id))
        return true;
    if (id >= TOKENS_MOST || size == 0)
        return true;
    if (!make_room(r, id))
        return false;
    r->names->count = id + 1 > r->names->count ? id + 1 : r->names->count;
    if (r->names->token[id])
        return true;
    length = length < TOKEN_MOST ? length : TOKEN_MOST;
    char *token = malloc(length + 1);
    if (!token)
        return false;
    memcpy(token, line, length);
    token[length] = 0;
    r->names->token[id] = token;
    return true;
}

static bool read_vocabulary(const exray_log *log, xr_token_names *out)
{
    exray_slot *slot = exray_slot_new();
    bool found = false;
    for (size_t i = 0; slot && !found && i < exray_log_attachment_count(log); i++) {
        const void *data;
        size_t size;
        exray_error ignored; /* a damaged attachment is told by `info --check` */
        if (!is_vocabulary(exray_log_attachment(log, i)) ||
            exray_log_read_attachment(log, i, slot, &data, &size, &ignored) != EXRAY_OK)
            continue;
        vocabulary_reader reader = {out, 0, each_line(data, size, is_numbered, NULL)};
        each_line(data, size, add_token, &reader);
        found = out->count > 0;
    }
    exray_slot_free(slot);
    return found;
}

void xr_token_names_read(const exray_comparison *comparison, exray_side side, xr_token_names *out)
{
    exray_side other = side == EXRAY_SIDE_EDGE ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    *out = (xr_token_names){.count = 0};
    if (!read_vocabulary(exray_comparison_log(comparison, side), out))
        read_vocabulary(exray_comparison_log(comparison, other), out);
}

void xr_token_names_free(xr_token_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->token[i]);
    free(names->token);
    *names = (xr_token_names){.count = 0};
}
