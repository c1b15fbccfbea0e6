/* Runs a pattern: all ways through it advance together, character by character, the preferred ones first. */
#include "media/text/pattern_program.h"

#include "base/error.h"
#include "base/utf8.h"
#include "media/text/unicode.h"

#include <stdlib.h>

/* Steps that a search may take for each byte of the text, over all matches. */
enum { STEPS_PER_BYTE = 500, FREE_STEPS = 1 << 22 };

/* One way: where it is in the program, and where its match would begin. */
typedef struct xr_pattern_thread {
    uint32_t at;
    size_t begin;
} xr_pattern_thread;

static bool in_set(char set, uint32_t code)
{
    switch (set) {
    case 'w':
        return xr_unicode_is(&xr_unicode_words, code);
    case 'd':
        return xr_unicode_is(&xr_unicode_digits, code);
    case 's':
        return xr_unicode_is(&xr_unicode_spaces, code);
    default:
        return !in_set((char)(set + 'a' - 'A'), code);
    }
}

bool xr_pattern_takes(const xr_pattern *pattern, const xr_pattern_step *step, uint32_t code)
{
    if (step->op == XR_PATTERN_ANY)
        return code != '\n';
    bool is = false;
    for (uint32_t i = 0; i < step->item_count && !is; i++) {
        const xr_pattern_item *item = &pattern->item[step->first_item + i];
        is = item->set ? in_set(item->set, code) : code >= item->first && code <= item->last;
    }
    return is != step->negated;
}

typedef struct runner {
    const xr_pattern *pattern;
    xr_pattern_search *search;
    xr_pattern_thread *next;
    size_t count;
} runner;

/* Adds a way, and those that it splits into, in order of preference. */
static void add_thread(runner *r, uint32_t at, size_t begin)
{
    uint32_t stack[XR_PATTERN_STEPS], depth = 0;
    stack[depth++] = at;
    while (depth) {
        at = stack[--depth];
        r->search->steps++;
        if (r->search->seen[at] == r->search->mark)
            continue;
        r->search->seen[at] = r->search->mark;
        const xr_pattern_step *step = &r->pattern->step[at];
        if (step->op == XR_PATTERN_SPLIT && depth + 2 <= XR_PATTERN_STEPS) {
            stack[depth++] = step->other;
            stack[depth++] = step->to;
        } else if (step->op == XR_PATTERN_JUMP)
            stack[depth++] = step->to;
        else if (step->op != XR_PATTERN_SPLIT)
            r->next[r->count++] = (xr_pattern_thread){at, begin};
    }
}

static bool make_lists(const xr_pattern *pattern, xr_pattern_search *s)
{
    for (int i = 0; i < 2 && !s->list[i]; i++)
        s->list[i] = malloc((pattern->count + 1) * sizeof *s->list[i]);
    if (!s->seen)
        s->seen = calloc(pattern->count + 1, sizeof *s->seen);
    return s->list[0] && s->list[1] && s->seen;
}

exray_status xr_pattern_find(const xr_pattern *pattern, xr_pattern_search *s, const char *text, size_t size,
                             size_t from, size_t *begin, size_t *end, exray_error *error)
{
    *begin = *end = size;
    if (!make_lists(pattern, s))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a pattern");
    size_t count = 0;
    bool found = false;
    int now = 0;
    for (size_t at = from;;) {
        /* The ways that end here were added last: a new one begins behind them, as long as nothing was found.
         */
        uint32_t code = 0;
        size_t width = at < size ? xr_utf8_decode(text + at, size - at, &code) : 0;
        width = at < size && !width ? 1 : width;
        if (!found) {
            runner more = {pattern, s, s->list[now], count};
            if (count == 0)
                s->mark++;
            add_thread(&more, 0, at);
            count = more.count;
        }
        runner r = {pattern, s, s->list[!now], 0};
        s->mark++;
        for (size_t i = 0; i < count; i++) {
            const xr_pattern_thread *t = &s->list[now][i];
            const xr_pattern_step *step = &pattern->step[t->at];
            s->steps++;
            if (step->op == XR_PATTERN_MATCH) {
                found = true;
                *begin = t->begin;
                *end = at;
                break; /* those behind it are less preferred */
            }
            if (width && xr_pattern_takes(pattern, step, code))
                add_thread(&r, t->at + 1, t->begin);
        }
        count = r.count;
        now = !now;
        if (!width || (found && count == 0))
            return EXRAY_OK;
        at += width;
        if (s->steps > FREE_STEPS + (uint64_t)STEPS_PER_BYTE * size)
            return xr_error_set(error, EXRAY_E_LIMIT, "the pattern takes too long on a text of %zu bytes",
                                size);
    }
}

void xr_pattern_search_free(xr_pattern_search *search)
{
    free(search->list[0]);
    free(search->list[1]);
    free(search->seen);
    *search = (xr_pattern_search){.mark = 0};
}
