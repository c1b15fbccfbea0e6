#include "checks/input/tokens/token_place.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_ENDS = 3,      /* special ids at one end */
    FEWEST_SHARED = 4,  /* ids that show by how much a text is moved */
    MOST_PLACES = 8192, /* of a row, where every way to move it is tried */
    MOST_KEPT = 512,    /* ids kept at one end of a text from whose middle some are cut */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t above_zero(int n)
{
    return n > 0 ? (size_t)n : 0;
}

/* ---- Runs of one text ------------------------------------------------------------------------------- */

static size_t runs_of_ends(const xr_token_text *t, const xr_token_place *p, xr_token_run run[XR_TOKEN_RUNS])
{
    size_t edge = xr_token_length(t, 0), reference = xr_token_length(t, 1);
    size_t skip_edge = above_zero(-p->front), skip_reference = above_zero(p->front);
    size_t drop_edge = above_zero(-p->back), drop_reference = above_zero(p->back);
    if (edge < skip_edge + drop_edge || reference < skip_reference + drop_reference)
        return SIZE_MAX;
    size_t a = edge - skip_edge - drop_edge, b = reference - skip_reference - drop_reference;
    /* A row that is full may have lost its end. */
    if (a != b && !(a > b ? xr_token_is_full(t, 1) : xr_token_is_full(t, 0)))
        return SIZE_MAX;
    run[0] = (xr_token_run){skip_edge, skip_reference, smaller(a, b)};
    return 1;
}

static size_t runs_of_cut(const xr_token_text *t, const xr_token_place *p, xr_token_run run[XR_TOKEN_RUNS])
{
    size_t length[2] = {xr_token_length(t, 0), xr_token_length(t, 1)};
    int s = p->shorter, l = !p->shorter;
    if (length[0] == length[1]) {
        run[0] = (xr_token_run){0, 0, length[0]};
        return length[0] <= p->length ? 1 : SIZE_MAX;
    }
    if (length[s] != p->length || length[l] < length[s] || p->length < p->head + p->tail)
        return SIZE_MAX;
    size_t head = p->by_head ? p->head : p->length - p->tail, tail = p->length - head;
    run[0] = (xr_token_run){0, 0, head};
    run[1] =
        s == 0 ? (xr_token_run){head, length[l] - tail, tail} : (xr_token_run){length[l] - tail, head, tail};
    return 2;
}

size_t xr_token_place_runs(const xr_token_text *text, const xr_token_place *place,
                           xr_token_run run[XR_TOKEN_RUNS])
{
    size_t edge = xr_token_length(text, 0), reference = xr_token_length(text, 1);
    switch (place->kind) {
    case XR_TOKEN_PLACE_SAME:
        run[0] = (xr_token_run){0, 0, edge};
        return edge == reference ? 1 : SIZE_MAX;
    case XR_TOKEN_PLACE_ENDS:
        return runs_of_ends(text, place, run);
    case XR_TOKEN_PLACE_CUT:
        return runs_of_cut(text, place, run);
    default:
        return SIZE_MAX;
    }
}

static bool are_equal(const xr_token_text *t, const xr_token_run *run, size_t count)
{
    const int64_t *a = xr_token_ids(t, 0), *b = xr_token_ids(t, 1);
    for (size_t i = 0; i < count; i++)
        if (memcmp(a + run[i].edge, b + run[i].reference, run[i].length * sizeof *a) != 0)
            return false;
    return true;
}

static bool fits(const xr_token_texts *texts, const xr_token_place *place)
{
    xr_token_run run[XR_TOKEN_RUNS];
    for (size_t i = 0; i < texts->count; i++) {
        size_t n = xr_token_place_runs(&texts->text[i], place, run);
        if (n == SIZE_MAX || !are_equal(&texts->text[i], run, n))
            return false;
    }
    return true;
}

size_t xr_token_place_pairs(const xr_token_texts *texts, const xr_token_place *place, xr_token_pair *pair)
{
    size_t count = 0;
    xr_token_run run[XR_TOKEN_RUNS];
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        size_t n = xr_token_place_runs(t, place, run);
        if (n == SIZE_MAX)
            return SIZE_MAX;
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < run[k].length; j++)
                pair[count++] = (xr_token_pair){xr_token_ids(t, 0)[run[k].edge + j],
                                                xr_token_ids(t, 1)[run[k].reference + j]};
    }
    return count;
}

/* ---- Ids at the ends ------------------------------------------------------------------------------------
 */

/* Whether the ids that one side lacks at an end are the same in all texts, as special ones are. */
static bool is_constant_end(const xr_token_texts *texts, int number, bool front)
{
    int side = number > 0 ? 1 : 0; /* who has them */
    size_t n = (size_t)abs(number);
    const int64_t *first = NULL;
    for (size_t i = 0; i < texts->count && n; i++) {
        const xr_token_text *t = &texts->text[i];
        size_t length = xr_token_length(t, side);
        if (length < n)
            return false;
        if (!front && xr_token_is_full(t, side) && xr_token_length(t, !side) == length)
            continue; /* its own end may be cut off */
        const int64_t *ids = xr_token_ids(t, side) + (front ? 0 : length - n);
        if (first && memcmp(first, ids, n * sizeof *ids) != 0)
            return false;
        first = first ? first : ids;
    }
    return true;
}

static bool find_ends(const xr_token_texts *texts, xr_token_place *out)
{
    for (int total = 1; total <= 2 * MOST_ENDS; total++)
        for (int front = -MOST_ENDS; front <= MOST_ENDS; front++) {
            int rest = total - abs(front);
            for (int sign = -1; sign <= 1 && rest >= 0 && rest <= MOST_ENDS; sign += 2) {
                xr_token_place p = {.kind = XR_TOKEN_PLACE_ENDS, .front = front, .back = sign * rest};
                if (!is_constant_end(texts, p.front, true) || !is_constant_end(texts, p.back, false) ||
                    !fits(texts, &p))
                    continue;
                p.texts = texts->count;
                /* In one text nothing shows that its ends are special. */
                if (texts->count < 2 && (abs(p.front) > 1 || abs(p.back) > 1))
                    continue;
                *out = p;
                return true;
            }
        }
    return false;
}

/* ---- Long texts
 * --------------------------------------------------------------------------------------------- */

/* What all cut texts have in common; false: texts are not cut to one length. */
static bool measure_cut(const xr_token_texts *texts, xr_token_place *out)
{
    *out = (xr_token_place){.kind = XR_TOKEN_PLACE_CUT};
    for (size_t i = 0; i < texts->count; i++) {
        size_t edge = xr_token_length(&texts->text[i], 0), reference = xr_token_length(&texts->text[i], 1);
        if (edge == reference)
            continue;
        exray_side shorter = edge < reference ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
        size_t length = smaller(edge, reference);
        if (out->texts && (out->shorter != shorter || out->length != length))
            return false;
        out->shorter = shorter;
        out->length = length;
        out->texts++;
    }
    return out->texts > 0 && out->length > 0;
}

static bool find_cut(const xr_token_texts *texts, xr_token_place *out)
{
    xr_token_place p;
    if (!measure_cut(texts, &p))
        return false;
    for (size_t kept = 0; kept < p.length && kept <= MOST_KEPT; kept++)
        for (int by_head = 0; by_head < 2; by_head++) {
            p.by_head = by_head;
            p.head = by_head ? kept : 0;
            p.tail = by_head ? 0 : kept;
            if (fits(texts, &p)) {
                *out = p;
                return true;
            }
        }
    return false;
}

/* By how many places `late` is ahead of `early` in full rows, the first `head` and last `tail` ids kept; 0:
 * it is not. */
static size_t moved_by(const int64_t *early, const int64_t *late, size_t n, size_t head, size_t tail)
{
    if (memcmp(early, late, head * sizeof *early) != 0 ||
        memcmp(early + n - tail, late + n - tail, tail * sizeof *early) != 0)
        return 0;
    size_t middle = n - head - tail;
    for (size_t k = 1; k + FEWEST_SHARED <= middle; k++)
        if (memcmp(early + head + k, late + head, (middle - k) * sizeof *early) == 0)
            return k;
    return 0;
}

static bool is_moved(const xr_token_text *t, xr_token_place *p)
{
    size_t n = t->places;
    if (!xr_token_is_full(t, 0) || !xr_token_is_full(t, 1) || n > MOST_PLACES ||
        n < p->head + p->tail + FEWEST_SHARED)
        return false;
    size_t moved = moved_by(t->id[p->shorter], t->id[!p->shorter], n, p->head, p->tail);
    p->moved = p->texts == 0 ? moved : p->moved;
    p->texts += moved > 0;
    return moved > 0;
}

/* Rows that are full on both sides, one with the text's beginning and one with its end. */
static bool find_other_end(const xr_token_texts *texts, xr_token_place *out)
{
    static const size_t kept[][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
        for (int side = 0; side < 2; side++) {
            xr_token_place p = {.kind = XR_TOKEN_PLACE_OTHER_END,
                                .shorter = (exray_side)side,
                                .head = kept[k][0],
                                .tail = kept[k][1]};
            bool ok = true;
            for (size_t i = 0; i < texts->count && ok; i++)
                ok = xr_token_is_equal(&texts->text[i]) || is_moved(&texts->text[i], &p);
            if (ok && p.texts) {
                *out = p;
                return true;
            }
        }
    return false;
}

static bool find_reversed(const xr_token_texts *texts, xr_token_place *out)
{
    *out = (xr_token_place){.kind = XR_TOKEN_PLACE_REVERSED};
    for (size_t i = 0; i < texts->count; i++) {
        const xr_token_text *t = &texts->text[i];
        size_t n = xr_token_length(t, 0);
        const int64_t *a = xr_token_ids(t, 0), *b = xr_token_ids(t, 1);
        if (n != xr_token_length(t, 1))
            return false;
        for (size_t k = 0; k < n; k++)
            if (a[k] != b[n - 1 - k])
                return false;
        out->texts += n > 1;
    }
    return out->texts > 0;
}

bool xr_token_place_find(const xr_token_texts *texts, xr_token_place *out)
{
    *out = (xr_token_place){.kind = XR_TOKEN_PLACE_SAME};
    return fits(texts, out) || find_ends(texts, out) || find_cut(texts, out) || find_other_end(texts, out) ||
           find_reversed(texts, out);
}

/* ---- With other ids
 * ------------------------------------------------------------------------------------------ */

/* Whether a map is more than chance: what no repetition confirms may be anything. */
static bool is_proven(const xr_token_map *m)
{
    switch (m->kind) {
    case XR_TOKEN_MAP_ONE_TO_ONE:
        return m->repeats >= 3 && m->mixed == 0;
    case XR_TOKEN_MAP_ONE_EDGE:
    case XR_TOKEN_MAP_ONE_REFERENCE:
        return m->differing < m->places;
    case XR_TOKEN_MAP_NONE:
        return false;
    default:
        return true;
    }
}

static bool is_mapped(const xr_token_texts *texts, const xr_token_place *place, xr_token_pair *pair,
                      xr_token_map *map)
{
    size_t count = xr_token_place_pairs(texts, place, pair);
    if (count == SIZE_MAX || count == 0)
        return false;
    xr_token_map_find(pair, count, map);
    return is_proven(map);
}

bool xr_token_place_find_mapped(const xr_token_texts *texts, xr_token_pair *pair, xr_token_place *out,
                                xr_token_map *map)
{
    static const int ends[][2] = {{0, 0}, {1, 0},   {-1, 0}, {0, 1}, {0, -1},
                                  {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        *out = (xr_token_place){.kind = i ? XR_TOKEN_PLACE_ENDS : XR_TOKEN_PLACE_SAME,
                                .front = ends[i][0],
                                .back = ends[i][1],
                                .texts = texts->count};
        if (is_constant_end(texts, ends[i][0], true) && is_constant_end(texts, ends[i][1], false) &&
            is_mapped(texts, out, pair, map))
            return true;
    }
    return measure_cut(texts, out) && is_mapped(texts, out, pair, map);
}
