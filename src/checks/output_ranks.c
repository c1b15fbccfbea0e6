#include "output_ranks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = 5 };

/* ---- Reading ---------------------------------------------------------------------------- */

static const exray_record *result_record(const exray_log *log, size_t position)
{
    const exray_record *record = exray_log_records(log, position);
    for (size_t i = 0; i < exray_log_frame(log, position)->record_count; i++)
        if (record[i].message == EXRAY_MESSAGE_RESULT)
            return &record[i];
    return NULL;
}

typedef struct vector {
    const float *value;
    size_t count;
    double scale; /* the largest magnitude */
} vector;

/* The one output, where it is a vector. */
static bool read_vector(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                        vector *out)
{
    exray_tensor_view view;
    exray_error error;
    if (exray_comparison_output_count(comparison) != 1 ||
        exray_comparison_values(comparison, side, frame, EXRAY_OUTPUT, 0, slot, &view, &out->value, &error))
        return false;
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < view.info.rank; i++)
        dimensions += view.info.shape[i] != 1;
    out->count = (size_t)view.count;
    out->scale = 0;
    for (size_t i = 0; i < out->count; i++)
        out->scale = isfinite(out->value[i]) ? fmax(out->scale, fabs((double)out->value[i])) : out->scale;
    return dimensions <= 1 && out->count > 1;
}

/* The index of the k-th largest value, -1 where another is as large. */
static int64_t index_of_rank(const vector *v, unsigned k, double *value)
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
            break; /* from here on ranks are a matter of taste */
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

/* softmax(v) at the index of the largest: its score if somebody applied it. */
static double softmax_of_top(const vector *v)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < v->count; i++)
        top = fmax(top, v->value[i]);
    for (size_t i = 0; i < v->count; i++)
        sum += exp(v->value[i] - top);
    return 1 / sum;
}

static bool is_distribution(const vector *v)
{
    double sum = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (!(v->value[i] >= 0))
            return false;
        sum += v->value[i];
    }
    return fabs(sum - 1) < 0.02;
}

typedef struct reading {
    const exray_comparison *comparison;
    exray_side side;
    exray_slot *slot[2];
    size_t doubled, scored; /* frames */
} reading;

static bool add_frame(reading *r, size_t frame, xr_ranks *out)
{
    const exray_log *log = exray_comparison_log(r->comparison, r->side);
    const exray_record *record =
        result_record(log, exray_comparison_frame(r->comparison, frame).frame[r->side]);
    exray_result result;
    exray_error error;
    if (!record || exray_log_read_result(log, record, r->slot[0], &result, &error) || result.class_count == 0)
        return true;
    out->frames++;
    vector v;
    bool known = read_vector(r->comparison, r->side, frame, r->slot[1], &v);
    out->elements = known ? v.count : out->elements;
    for (unsigned k = 0; k < result.class_count && k < RANKS; k++) {
        xr_rank rank = {.frame = frame, .rank = k, .id = result.classes[k].id, .index = -1};
        rank.score = result.classes[k].score;
        rank.value = NAN;
        if (known)
            rank.index = index_of_rank(&v, k, &rank.value);
        snprintf(rank.label, sizeof rank.label, "%s", result.classes[k].label ? result.classes[k].label : "");
        if (!push(out, &rank))
            return false;
        if (k > 0 || !known || rank.index < 0 || !isfinite(rank.score))
            continue;
        r->scored++;
        double twice = softmax_of_top(&v);
        r->doubled += is_distribution(&v) && fabs(rank.score - twice) < 1e-3 * twice + 1e-6 &&
                      fabs(rank.score - rank.value) > 0.01;
    }
    return true;
}

/* ---- Judging ---------------------------------------------------------------------------------- */

/* Whether every top class is its index (of the frame `late` before) less one offset. */
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
        int64_t own = source->index - k->id;
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

/* score = gain * value + offset over all frames: what is told in another unit. */
static void judge_scores(xr_ranks *r)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, left = 0, unit = 0, apart = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < r->count; i++) {
            const xr_rank *k = &r->rank[i];
            if (k->index < 0 || !isfinite(k->score) || !isfinite(k->value))
                continue;
            if (pass == 0) {
                n++;
                x += k->value;
                y += k->score;
                xx += k->value * k->value;
                xy += k->value * k->score;
            } else {
                double d = k->score - r->score_gain * k->value - r->score_offset;
                left += d * d;
                unit += (k->score - y / n) * (k->score - y / n);
                apart = fmax(apart, fabs(k->score - k->value));
            }
        }
        double vx = n > 0 ? xx - x * x / n : 0;
        if (pass == 0 && (n < 4 || !(vx > 1e-9 * xx)))
            return;
        if (pass == 0) {
            r->score_gain = (xy - x * y / n) / vx;
            r->score_offset = (y - r->score_gain * x) / n;
        }
    }
    r->scores_mapped = left <= 1e-6 * unit && r->score_gain > 0 && apart > 1e-3 * sqrt(unit / n + 1e-12) &&
                       (fabs(r->score_gain - 1) > 0.01 || fabs(r->score_offset) > 0.01 * sqrt(unit / n));
}

exray_status xr_ranks_make(const exray_comparison *comparison, exray_side side, xr_ranks *out,
                           exray_error *error)
{
    *out = (xr_ranks){0};
    reading r = {.comparison = comparison, .side = side, .slot = {exray_slot_new(), exray_slot_new()}};
    bool ok = r.slot[0] && r.slot[1];
    for (size_t f = 0; ok && f < exray_comparison_frame_count(comparison); f++)
        ok = add_frame(&r, f, out);
    exray_slot_free(r.slot[0]);
    exray_slot_free(r.slot[1]);
    if (!ok) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
        return EXRAY_E_MEMORY;
    }
    size_t known = 0, late;
    int64_t offset;
    for (size_t i = 0; i < out->count; i++)
        known += out->rank[i].rank == 0 && out->rank[i].index >= 0;
    out->classes = different_classes(out);
    out->double_softmax = r.scored > 0 && r.doubled == r.scored;
    judge_scores(out);
    if (known == 0)
        return EXRAY_OK;
    if (fits_offset(out, 0, &out->offset, &out->frames_supporting))
        out->state = XR_RANKS_OFFSET;
    else if (fits_offset(out, 1, &offset, &late) && late >= 3 && out->classes >= 3) {
        out->state = XR_RANKS_LATE;
        out->offset = offset;
        out->frames_supporting = late;
    } else {
        out->state = fits_permutation(out, &out->repeats) ? XR_RANKS_PERMUTED : XR_RANKS_BROKEN;
        out->frames_supporting = known;
    }
    return EXRAY_OK;
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
    b->difference = count ? pair[0].edge - pair[0].reference : 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        b->equal += pair[i].edge == pair[i].reference;
        b->constant = b->constant && pair[i].edge - pair[i].reference == b->difference;
        for (size_t k = 0; k < i; k++) {
            bool same = pair[i].reference == pair[k].reference;
            b->permuted = b->permuted && same == (pair[i].edge == pair[k].edge);
            seen = seen || same;
        }
        b->repeats += seen;
        b->classes += !seen;
    }
}

/* Whether some class but `id` has that name. */
static bool is_name_of_another(const xr_ranks *r, int64_t id, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->rank[i].id != id && strcmp(r->rank[i].label, name) == 0)
            return true;
    return false;
}

static const char *name_of(const xr_ranks *r, int64_t id)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->rank[i].id == id && *r->rank[i].label)
            return r->rank[i].label;
    return NULL;
}

/* The same class with another name; and by which shift the names agree, if by any. */
static void judge_names(const xr_ranks *edge, const xr_ranks *reference, xr_ranks_between *b)
{
    enum { FURTHEST = 3 };
    size_t fits[2 * FURTHEST + 1] = {0}, known[2 * FURTHEST + 1] = {0};
    for (size_t i = 0; i < edge->count; i++) {
        const xr_rank *k = &edge->rank[i];
        const char *other = *k->label ? name_of(reference, k->id) : NULL;
        if (other) {
            b->named++;
            bool otherwise = strcmp(other, k->label) != 0;
            b->named_otherwise += otherwise;
            b->names_elsewhere += otherwise && is_name_of_another(reference, k->id, k->label);
        }
        for (int shift = -FURTHEST; *k->label && shift <= FURTHEST; shift++) {
            const char *at = name_of(reference, k->id + shift);
            known[shift + FURTHEST] += at != NULL;
            fits[shift + FURTHEST] += at && strcmp(at, k->label) == 0;
        }
    }
    for (int shift = -FURTHEST; shift <= FURTHEST; shift++)
        if (shift != 0 && fits[shift + FURTHEST] > 1 && fits[shift + FURTHEST] == known[shift + FURTHEST]) {
            b->names_shifted = true;
            b->name_shift = shift;
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
    judge_names(edge, reference, &b);
    return b;
}
