#include "checks/labels/class_names.h"

#include "checks/op_name.h"
#include "checks/output/interpretation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 1 << 17 }; /* more entries are not read: no label file has as many */

/* ---- A name ------------------------------------------------------------------------------------------- */

static bool is_word(unsigned char c)
{
    return isalnum(c) || c >= 0x80;
}

void xr_class_name_plain(const char *text, size_t size, char out[XR_CLASS_NAME_SIZE])
{
    size_t length = 0;
    bool gap = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!is_word(c)) {
            gap = length > 0;
            continue;
        }
        if (length + 2 >= XR_CLASS_NAME_SIZE)
            break;
        if (gap)
            out[length++] = ' ';
        gap = false;
        out[length++] = (char)(c < 0x80 ? tolower(c) : c);
    }
    out[length] = 0;
}

/* Whether `part` stands in `whole`, between words. */
static bool has_words(const char *whole, const char *part)
{
    size_t length = strlen(part);
    if (length == 0)
        return false;
    for (const char *at = strstr(whole, part); at; at = strstr(at + 1, part)) {
        bool begins = at == whole || at[-1] == ' ', ends = at[length] == 0 || at[length] == ' ';
        if (begins && ends)
            return true;
    }
    return false;
}

/* Whether each word of `part` stands somewhere in `whole`, in their order. */
static bool has_each_word(const char *whole, const char *part)
{
    const char *at = whole;
    while (*part) {
        char word[XR_CLASS_NAME_SIZE];
        size_t length = strcspn(part, " ");
        memcpy(word, part, length);
        word[length] = 0;
        if (!has_words(at, word))
            return false;
        at = strstr(at, word) + length;
        part += length;
        part += *part == ' ';
    }
    return true;
}

bool xr_class_names_related(const char *a, const char *b)
{
    return strlen(a) <= strlen(b) ? has_each_word(b, a) : has_each_word(a, b);
}

/* ---- A list of them ----------------------------------------------------------------------------------- */

/* False: out of memory.  Beyond MOST_CLASSES nothing is added. */
static bool add(xr_class_names *names, int64_t id, const char *text, size_t size)
{
    if (names->count == MOST_CLASSES)
        return true;
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        xr_class_name *grown = realloc(names->name, room * sizeof *grown);
        if (!grown)
            return false;
        names->name = grown;
        names->room = room;
    }
    xr_class_name *n = &names->name[names->count];
    n->id = id;
    snprintf(n->text, sizeof n->text, "%.*s", (int)(size < sizeof n->text ? size : sizeof n->text), text);
    xr_class_name_plain(text, size, n->plain);
    names->count += *n->plain != 0;
    return true;
}

static int by_id(const void *a, const void *b)
{
    const xr_class_name *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Sorts, and keeps one entry a class. */
static void make_unique(xr_class_names *names)
{
    if (names->count == 0)
        return;
    qsort(names->name, names->count, sizeof *names->name, by_id);
    size_t kept = 1;
    for (size_t i = 1; i < names->count; i++) {
        const xr_class_name *last = &names->name[kept - 1];
        if (names->name[i].id != last->id)
            names->name[kept++] = names->name[i];
        else
            names->several += strcmp(names->name[i].plain, last->plain) != 0;
    }
    names->count = kept;
}

/* A detector that names ten boxes a frame for hours would fill the list with the same few names. */
static bool add_once(xr_class_names *names, int64_t id, const char *text)
{
    enum { LOOKED_AT = 256 };
    if (!text || !*text)
        return true;
    size_t from = names->count > LOOKED_AT ? names->count - LOOKED_AT : 0;
    for (size_t i = from; i < names->count; i++)
        if (names->name[i].id == id && strncmp(names->name[i].text, text, XR_CLASS_NAME_SIZE - 1) == 0)
            return true;
    return add(names, id, text, strlen(text));
}

static bool add_result(xr_class_names *names, const exray_result *result)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < result->class_count; i++)
        ok = add_once(names, result->classes[i].id, result->classes[i].label);
    for (uint32_t i = 0; ok && i < result->box_count; i++)
        ok = add_once(names, result->boxes[i].id, result->boxes[i].label);
    return ok;
}

exray_status xr_class_names_told(const exray_comparison *comparison, exray_side side, xr_class_names *out,
                                 exray_error *error)
{
    *out = (xr_class_names){0};
    exray_slot *slot = exray_slot_new();
    bool ok = slot != NULL;
    for (size_t f = 0; ok && f < exray_comparison_frame_count(comparison); f++) {
        exray_result result;
        if (xr_frame_result(comparison, side, f, slot, &result))
            ok = add_result(out, &result);
    }
    exray_slot_free(slot);
    if (!ok) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading the names of classes"};
        return EXRAY_E_MEMORY;
    }
    make_unique(out);
    return EXRAY_OK;
}

void xr_class_names_free(xr_class_names *names)
{
    free(names->name);
    *names = (xr_class_names){0};
}

const xr_class_name *xr_class_names_find(const xr_class_names *names, int64_t id)
{
    const xr_class_name key = {.id = id};
    return names->count ? bsearch(&key, names->name, names->count, sizeof key, by_id) : NULL;
}

/* ---- Label files --------------------------------------------------------------------------------------- */

static bool is_label_file(const exray_attachment *a)
{
    static const char *const words[] = {"label", "classes", "names", "synset"};
    bool named = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        named = named || xr_has_word(a->name, words[i]);
    return named && strncmp(a->media_type, "text/", 5) == 0 && !xr_has_word(a->media_type, "csv") &&
           !xr_has_word(a->media_type, "html");
}

typedef struct label_line {
    const char *at;
    size_t size;
} label_line;

/* The next line, without its end; false: there is none.  A last line may be without one. */
static bool next_line(const char **at, const char *end, label_line *out)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    out->at = *at;
    out->size = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    while (out->size && isspace((unsigned char)out->at[out->size - 1]))
        out->size--;
    return true;
}

/* "17: hen", "17 hen", "17,hen": the number, and what follows it. */
static bool number_in_front(const label_line *l, int64_t *id, label_line *rest)
{
    size_t i = 0;
    for (*id = 0; i < l->size && i < 9 && isdigit((unsigned char)l->at[i]); i++)
        *id = 10 * *id + (l->at[i] - '0');
    if (i == 0 || i >= l->size || !strchr(" \t:,;", l->at[i]))
        return false;
    *rest = (label_line){l->at + i + 1, l->size - i - 1};
    return true;
}

/* Whether all lines with something in them begin with a number, each another one than the line before. */
static bool is_numbered(const char *text, const char *end)
{
    int64_t id, before = -1;
    size_t count = 0;
    label_line l, rest;
    while (next_line(&text, end, &l)) {
        if (l.size == 0)
            continue;
        if (!number_in_front(&l, &id, &rest) || id == before)
            return false;
        before = id;
        count++;
    }
    return count > 1;
}

/* Python's printed dictionaries, JSON and the like are no lines of names: nothing is read of them. */
static bool add_lines(xr_class_names *names, const char *text, size_t size)
{
    const char *end = text + size;
    bool numbered = is_numbered(text, end);
    if (size == 0 || *text == '{' || *text == '[')
        return true;
    int64_t id = 0;
    label_line l;
    for (int64_t number = 0; next_line(&text, end, &l); number++) {
        id = number;
        label_line name = l;
        if (l.size == 0 || (numbered && !number_in_front(&l, &id, &name)))
            continue;
        if (!add(names, id, name.at, name.size))
            return false;
    }
    return true;
}

exray_status xr_class_names_attached(const exray_comparison *comparison, exray_side side, xr_class_names *out,
                                     exray_error *error)
{
    const exray_log *log = exray_comparison_log(comparison, side);
    *out = (xr_class_names){0};
    exray_slot *slot = exray_slot_new();
    bool ok = slot != NULL, found = false;
    for (size_t i = 0; ok && !found && i < exray_log_attachment_count(log); i++) {
        const void *data;
        size_t size;
        exray_error ignored; /* a damaged attachment is told by `info --check` */
        found = is_label_file(exray_log_attachment(log, i)) &&
                exray_log_read_attachment(log, i, slot, &data, &size, &ignored) == EXRAY_OK;
        if (found)
            ok = add_lines(out, data, size);
    }
    exray_slot_free(slot);
    if (!ok) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading a label file"};
        return EXRAY_E_MEMORY;
    }
    make_unique(out);
    return EXRAY_OK;
}
