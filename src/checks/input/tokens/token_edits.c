#include "checks/input/tokens/token_edits.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 1 << 23, MOST_ALL = 1 << 28 };

static bool begins_alike(const int64_t *a, const int64_t *b, size_t i, size_t n, size_t m)
{
    return i < n && i < m && a[i] == b[i];
}

/* The longest common subsequence of a and b: match[i of a] is its partner in b.  The ends that are alike are
 * taken first. */
static bool align(const int64_t *a, size_t n, const int64_t *b, size_t m, size_t *match, uint64_t *cells)
{
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < n; i++)
        match[i] = SIZE_MAX;
    for (; begins_alike(a, b, head, n, m); head++)
        match[head] = head;
    for (; tail < n - head && tail < m - head && a[n - 1 - tail] == b[m - 1 - tail]; tail++)
        match[n - 1 - tail] = m - 1 - tail;
    size_t rows = n - head - tail, columns = m - head - tail;
    if (rows == 0 || columns == 0)
        return true;
    uint64_t room = (uint64_t)(rows + 1) * (columns + 1);
    if (rows > UINT16_MAX || columns > UINT16_MAX || room > MOST_CELLS || (*cells += room) > MOST_ALL)
        return false;
    uint16_t *best = calloc((size_t)room, sizeof *best);
    if (!best)
        return false;
    size_t width = columns + 1;
    for (size_t i = rows; i-- > 0;)
        for (size_t k = columns; k-- > 0;) {
            uint16_t down = best[(i + 1) * width + k], right = best[i * width + k + 1];
            best[i * width + k] = a[head + i] == b[head + k] ? (uint16_t)(best[(i + 1) * width + k + 1] + 1)
                                                             : (down > right ? down : right);
        }
    for (size_t i = 0, k = 0; i < rows && k < columns;) {
        if (a[head + i] == b[head + k]) {
            match[head + i] = head + k;
            i++, k++;
        } else if (best[(i + 1) * width + k] >= best[i * width + k + 1])
            i++;
        else
            k++;
    }
    free(best);
    return true;
}

static void note_changed(xr_token_edits *e, int side, int64_t id)
{
    if (e->changed[side]++ == 0) {
        e->id[side] = id;
        e->ids[side] = 1;
    } else if (e->id[side] != id)
        e->ids[side] = 2;
}

/* Where a row that is full ends, the rest of the text is cut off: what is behind the last match on the other
 * side is no edit. */
static void note_text(const xr_token_text *t, const size_t *match, xr_token_edits *e)
{
    size_t n = xr_token_length(t, 0), m = xr_token_length(t, 1), last = n, end = m, k = 0;
    const int64_t *a = xr_token_ids(t, 0), *b = xr_token_ids(t, 1);
    while (last > 0 && match[last - 1] == SIZE_MAX)
        last--;
    if (last > 0 && (xr_token_is_full(t, 0) || xr_token_is_full(t, 1))) {
        end = match[last - 1] + 1;
        n = last;
    }
    for (size_t i = 0; i < n; i++) {
        if (match[i] == SIZE_MAX) {
            note_changed(e, 0, a[i]);
            continue;
        }
        for (; k < match[i]; k++)
            note_changed(e, 1, b[k]);
        k++;
        e->equal++;
    }
    for (; k < end; k++)
        note_changed(e, 1, b[k]);
}

static xr_token_edits_kind kind_of(const xr_token_edits *e)
{
    if (e->changed[0] == 0)
        return XR_TOKEN_EDITS_LEFT_OUT;
    if (e->changed[1] == 0)
        return e->ids[0] == 1 ? XR_TOKEN_EDITS_ONE_EDGE : XR_TOKEN_EDITS_ADDED;
    if (e->ids[0] == 1)
        return XR_TOKEN_EDITS_ONE_EDGE;
    return e->ids[1] == 1 ? XR_TOKEN_EDITS_ONE_REFERENCE : XR_TOKEN_EDITS_OTHER;
}

bool xr_token_edits_find(const xr_token_texts *texts, xr_token_edits *out)
{
    size_t places = 0;
    uint64_t cells = 0;
    for (size_t i = 0; i < texts->count; i++)
        places += texts->text[i].places;
    *out = (xr_token_edits){.match = malloc((places + 1) * sizeof *out->match),
                            .start = malloc((texts->count + 1) * sizeof *out->start)};
    bool ok = out->match && out->start;
    for (size_t i = 0, at = 0; ok && i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        out->start[i] = at;
        ok = align(xr_token_ids(t, 0), xr_token_length(t, 0), xr_token_ids(t, 1), xr_token_length(t, 1),
                   out->match + at, &cells);
        if (ok)
            note_text(t, out->match + at, out);
        at += t->places;
    }
    out->kind = kind_of(out);
    return ok;
}

void xr_token_edits_free(xr_token_edits *edits)
{
    free(edits->match);
    free(edits->start);
    *edits = (xr_token_edits){.match = NULL};
}
