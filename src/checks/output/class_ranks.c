#include "checks/output/class_ranks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = 5 };

/* ---- Reading ---------------------------------------------------------------------------- */

typedef struct score_vector {
    const float *value;
    size_t count;
} score_vector;

/* The index of the k-th largest value; -1 where several are equal. */
static int64_t index_of_rank(const score_vector *v, unsigned k, double *value)
{
    double bound = INFINITY;
    int64_t at = -1;
    size_t equal = 0;
    for (unsigned r = 0; r <= k; r++) {
        double best = -INFINITY;
        equal = 0;
        for (size_t i = 0; i < v->count; i++) {
            double x = v->value[i];
            if (!(x < bound) || x < best)
                continue;
            equal = x > best ? 1 : equal + 1;
            best = x;
            at = (int64_t)i;
        }
        bound = best;
        if (equal > 1 || equal == 0)
            break; /* from here on ranks are not unique */
    }
    *value = bound;
    return equal == 1 ? at : -1;
}

static bool push(xr_ranks *ranks, const xr_rank *rank)
{
    xr_rank *grown = realloc(ranks->rank, (ranks->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    ranks->rank = grown;
    ranks->rank[ranks->count++] = *rank;
    return true;
}

/* Whether nothing in it is larger than element `at`. */
static bool is_a_best(const score_vector *v, int64_t at)
{
    if (at < 0 || (uint64_t)at >= v->count)
        return false;
    bool best = !isnan(v->value[at]);
    for (size_t i = 0; i < v->count; i++)
        best = best && !(v->value[i] > v->value[at]);
    return best;
}

typedef struct rank_reader {
    const exray_comparison *comparison;
    exray_side side;
    exray_slot *slot[2];
} rank_reader;

static bool add_frame(rank_reader *r, size_t frame, xr_ranks *out)
{
    exray_result result;
    if (!xr_result_read(r->comparison, r->side, frame, r->slot[0], &result))
        return true;
    out->frames++;
    score_vector v;
    exray_tensor_view view;
    bool known = xr_vector_read(r->comparison, r->side, frame, r->slot[1], &view, &v.value);
    v.count = known ? (size_t)view.count : 0;
    out->elements = known ? v.count : out->elements;
    for (unsigned k = 0; k < result.class_count && k < RANKS; k++) {
        xr_rank rank = {.frame = frame, .rank = k, .id = result.classes[k].id, .index = -1};
        rank.score = result.classes[k].score;
        rank.value = NAN;
        if (known)
            rank.index = index_of_rank(&v, k, &rank.value);
        if (!push(out, &rank))
            return false;
    }
    return true;
}

/* Whether a frame's first class is a best of its output; true where one of them is not recorded. */
static bool frame_tells_a_best(rank_reader *r, size_t frame, int64_t offset)
{
    exray_result result;
    exray_tensor_view view;
    score_vector v;
    if (!xr_result_read(r->comparison, r->side, frame, r->slot[0], &result) || !result.class_count ||
        !xr_vector_read(r->comparison, r->side, frame, r->slot[1], &view, &v.value))
        return true;
    v.count = (size_t)view.count;
    return is_a_best(&v, (int64_t)((uint64_t)result.classes[0].id + (uint64_t)offset));
}

bool xr_ranks_tell_bests(const exray_comparison *comparison, exray_side side, const xr_ranks *ranks)
{
    rank_reader r = {.comparison = comparison, .side = side, .slot = {exray_slot_new(), exray_slot_new()}};
    const int64_t offset = ranks->state == XR_RANKS_OFFSET ? ranks->offset : 0;
    bool all = r.slot[0] && r.slot[1] && ranks->elements > 0;
    for (size_t f = 0; all && f < exray_comparison_frame_count(comparison); f++)
        all = frame_tells_a_best(&r, f, offset);
    exray_slot_free(r.slot[0]);
    exray_slot_free(r.slot[1]);
    return all;
}

/* Classes are numbers of a log: they may be anything. */
static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* ---- Judging ---------------------------------------------------------------------------------- */

/* Whether every best class is its index minus one offset; with `late`, the index of the frame
 * before. */
static bool fits_offset(const xr_ranks *r, size_t late, int64_t *offset, size_t *supporting)
{
    bool first = true;
    *supporting = 0;
    const xr_rank *before = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const xr_rank *k = &r->rank[i];
        if (k->rank != 0)
            continue;
        const xr_rank *source = late ? before : k;
        before = k;
        if (!source || source->index < 0)
            continue;
        int64_t own = minus(source->index, k->id);
        if (!first && own != *offset)
            return false;
        *offset = own;
        first = false;
        ++*supporting;
    }
    return *supporting > 0;
}

/* Whether index and class determine each other, at all ranks. */
static bool fits_permutation(const xr_ranks *r, size_t *repeats)
{
    *repeats = 0;
    for (size_t i = 0; i < r->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++) {
            const xr_rank *a = &r->rank[i], *b = &r->rank[k];
            if (a->index < 0 || b->index < 0)
                continue;
            if ((a->index == b->index) != (a->id == b->id))
                return false;
            seen = seen || a->index == b->index;
        }
        *repeats += seen;
    }
    return true;
}

static size_t different_classes(const xr_ranks *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        bool seen = r->rank[i].rank != 0;
        for (size_t k = 0; k < i && !seen; k++)
            seen = r->rank[k].rank == 0 && r->rank[k].id == r->rank[i].id;
        count += !seen;
    }
    return count;
}

/* In which way the results follow from the outputs. */
static void judge_order(xr_ranks *r)
{
    size_t known = 0, late;
    int64_t offset;
    for (size_t i = 0; i < r->count; i++)
        known += r->rank[i].rank == 0 && r->rank[i].index >= 0;
    if (xr_interpretation_reorders(&r->interpretation)) {
        r->state = r->interpretation.counts_classes ? XR_RANKS_OFFSET : XR_RANKS_MISREAD;
        r->offset = r->interpretation.class_offset;
        r->frames_supporting = r->interpretation.frames;
    } else if (known == 0)
        return;
    else if (fits_offset(r, 0, &r->offset, &r->frames_supporting))
        r->state = XR_RANKS_OFFSET;
    else if (fits_offset(r, 1, &offset, &late) && late >= 3 && r->classes >= 3) {
        r->state = XR_RANKS_LATE;
        r->offset = offset;
        r->frames_supporting = late;
    } else {
        r->state = fits_permutation(r, &r->repeats) ? XR_RANKS_PERMUTED : XR_RANKS_BROKEN;
        r->frames_supporting = known;
    }
}

exray_status xr_ranks_make(const exray_comparison *comparison, exray_side side, xr_ranks *out,
                           exray_error *error)
{
    *out = (xr_ranks){0};
    rank_reader r = {.comparison = comparison, .side = side, .slot = {exray_slot_new(), exray_slot_new()}};
    bool ok = r.slot[0] && r.slot[1];
    for (size_t f = 0; ok && f < exray_comparison_frame_count(comparison); f++)
        ok = add_frame(&r, f, out);
    exray_slot_free(r.slot[0]);
    exray_slot_free(r.slot[1]);
    if (!ok) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
        return EXRAY_E_MEMORY;
    }
    exray_status status = xr_interpretation_make(comparison, side, &out->interpretation, error);
    out->classes = different_classes(out);
    if (status == EXRAY_OK)
        judge_order(out);
    return status;
}

void xr_ranks_free(xr_ranks *ranks)
{
    free(ranks->rank);
    *ranks = (xr_ranks){0};
}

/* ---- Both sides --------------------------------------------------------------------------------- */

typedef struct class_pair {
    int64_t edge, reference;
} class_pair;

static void judge_classes(const class_pair *pair, size_t count, xr_ranks_between *b)
{
    b->permuted = count > 0;
    b->constant = count > 0 && pair[0].edge != pair[0].reference;
    b->difference = count ? minus(pair[0].edge, pair[0].reference) : 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        b->equal += pair[i].edge == pair[i].reference;
        b->constant = b->constant && minus(pair[i].edge, pair[i].reference) == b->difference;
        for (size_t k = 0; k < i; k++) {
            bool same = pair[i].reference == pair[k].reference;
            b->permuted = b->permuted && same == (pair[i].edge == pair[k].edge);
            seen = seen || same;
        }
        b->repeats += seen;
        b->classes += !seen;
    }
}

xr_ranks_between xr_ranks_compare(const xr_ranks *edge, const xr_ranks *reference)
{
    xr_ranks_between b = {0};
    class_pair *pair = calloc(edge->count + 1, sizeof *pair);
    for (size_t i = 0, k = 0; pair && i < edge->count; i++) {
        if (edge->rank[i].rank != 0)
            continue;
        while (k < reference->count &&
               (reference->rank[k].frame < edge->rank[i].frame ||
                (reference->rank[k].frame == edge->rank[i].frame && reference->rank[k].rank)))
            k++;
        if (k < reference->count && reference->rank[k].frame == edge->rank[i].frame &&
            !reference->rank[k].rank)
            pair[b.frames++] = (class_pair){edge->rank[i].id, reference->rank[k].id};
    }
    if (pair)
        judge_classes(pair, b.frames, &b);
    free(pair);
    return b;
}
