#include "compare/match/frames/same_frames.h"

#include "base/sort.h"
#include "compare/comparison.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LEAST: so many pairs are each likest their own counterpart by chance in few logs only.  NOT_BY_CHANCE:
 * bytes. */
enum {
    LOOK_AT = 8,
    LEAST = 4,
    NOT_BY_CHANCE = 64,
    EDGE = 0,
    REFERENCE = 1,
    FIRST = 2,
    RECORDS = 3,
    SLOTS = 4
};

/* ---- Equal data --------------------------------------------------------------------------------- */

static bool read_data(const exray_log *log, size_t frame, const exray_record *like, exray_slot *slot,
                      exray_tensor_view *out)
{
    const exray_record *record =
        exray_log_find(log, frame, like->kind, like->index, like->output, like->name);
    exray_error ignored;
    return record && record->has_data &&
           exray_log_read_tensor(log, record, slot, out, &ignored) == EXRAY_OK && out->data && out->size;
}

static bool equal_data(const exray_tensor_view *a, const exray_tensor_view *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* Whether the data of a pair are those of an earlier pair, too: what does not change tells no frames apart.
 */
static bool is_seen_before(const exray_comparison *c, const exray_record *like, size_t pair,
                           const exray_tensor_view *data, exray_slot *slot)
{
    exray_tensor_view earlier;
    for (size_t i = 0; i < pair; i++)
        if (read_data(c->log[EDGE], c->frame[i].frame[EDGE], like, slot, &earlier) &&
            equal_data(data, &earlier))
            return true;
    return false;
}

/* Whether a record is the same on both sides, byte for byte, in most of the first pairs, and another in each
 * of those: the rest may be what is wrong.  A few bytes can be the same by chance, in all of them hardly. */
static bool is_equal(const exray_comparison *c, const exray_record *like, exray_slot *const *slot)
{
    exray_tensor_view view[2];
    const size_t pairs = c->frame_count < LOOK_AT ? c->frame_count : LOOK_AT;
    size_t same = 0, least = SIZE_MAX;
    for (size_t i = 0; i < pairs; i++) {
        for (int s = 0; s < 2; s++)
            if (!read_data(c->log[s], c->frame[i].frame[s], like, slot[s], &view[s]))
                return false;
        least = view[EDGE].size < least ? view[EDGE].size : least;
        if (!equal_data(&view[EDGE], &view[REFERENCE]))
            continue;
        if (is_seen_before(c, like, i, &view[EDGE], slot[FIRST]))
            return false;
        same++;
    }
    return same > 1 && (same == pairs || (2 * same > pairs && least >= NOT_BY_CHANCE));
}

/* ---- Data that are alike ------------------------------------------------------------------------ */

/* What an order of channels, a normalization or another kernel leave of a frame nearly as it was: the means
 * of its parts, and (a flip, a rotation and another layout, too) how its values are distributed.  Both less
 * their mean, of length 1. */
enum { PARTS = 64, LOOKS = 2 };
typedef struct frame_look {
    float of[LOOKS][PARTS];
} frame_look;

static bool normalize(float *v)
{
    double mean = 0, square = 0;
    for (int i = 0; i < PARTS; i++)
        mean += (double)v[i] / PARTS;
    for (int i = 0; i < PARTS; i++)
        square += (v[i] - mean) * (v[i] - mean);
    if (!isfinite(square) || square <= FLT_MIN)
        return false;
    for (int i = 0; i < PARTS; i++)
        v[i] = (float)((v[i] - mean) / sqrt(square));
    return true;
}

static bool look_at(const exray_tensor_view *view, const float *values, frame_look *out)
{
    enum { SAMPLES = 4096 };
    float sample[SAMPLES];
    const uint64_t n = view->count;
    if (n < LEAST)
        return false;
    for (uint64_t i = 0; i < PARTS; i++) {
        const uint64_t from = i * n / PARTS, end = (i + 1) * n / PARTS;
        double sum = values[from];
        for (uint64_t k = from + 1; k < end; k++)
            sum += values[k];
        out->of[0][i] = (float)(sum / (double)(end > from ? end - from : 1));
    }
    const uint64_t samples = n < SAMPLES ? n : SAMPLES;
    for (uint64_t i = 0; i < samples; i++)
        sample[i] = values[i * n / samples];
    qsort(sample, samples, sizeof *sample, xr_by_float);
    for (uint64_t i = 0; i < PARTS; i++)
        out->of[1][i] = sample[(2 * i + 1) * samples / (2 * PARTS)];
    const bool parts = normalize(out->of[0]), spread = normalize(out->of[1]);
    return parts && spread;
}

static bool read_look(const exray_log *log, size_t frame, const exray_record *like, exray_slot *slot,
                      frame_look *out)
{
    const exray_record *record =
        exray_log_find(log, frame, like->kind, like->index, like->output, like->name);
    exray_tensor_view view;
    const float *values = NULL;
    exray_error ignored;
    return record && record->has_data &&
           exray_log_read_values(log, record, slot, &view, &values, &ignored) == EXRAY_OK && values &&
           look_at(&view, values, out);
}

static double alike(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < PARTS; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* Whether each frame is likest its own counterpart. */
static bool each_its_own(frame_look (*look)[LOOK_AT], size_t pairs, int which)
{
    const double least = 0.5;
    for (size_t i = 0; i < pairs; i++) {
        const double own = alike(look[EDGE][i].of[which], look[REFERENCE][i].of[which]);
        if (own < least)
            return false;
        for (size_t k = 0; k < pairs; k++)
            if (k != i && alike(look[EDGE][i].of[which], look[REFERENCE][k].of[which]) >= own)
                return false;
    }
    return true;
}

static bool is_recognized(const exray_comparison *c, const exray_record *like, exray_slot *const *slot)
{
    frame_look look[2][LOOK_AT];
    const size_t pairs = c->frame_count < LOOK_AT ? c->frame_count : LOOK_AT;
    if (pairs < LEAST)
        return false;
    for (size_t i = 0; i < pairs; i++)
        for (int s = 0; s < 2; s++)
            if (!read_look(c->log[s], c->frame[i * c->frame_count / pairs].frame[s], like, slot[s],
                           &look[s][i]))
                return false;
    return each_its_own(look, pairs, 0) || each_its_own(look, pairs, 1);
}

bool xr_same_frames(const exray_comparison *c)
{
    exray_slot *slot[SLOTS];
    bool found = false, ok = c->frame_count > 0;
    for (int i = 0; i < SLOTS; i++)
        ok = (slot[i] = exray_slot_new()) && ok;
    size_t count = 0;
    const exray_record *record =
        ok ? exray_log_records_in(c->log[EDGE], c->frame[0].frame[EDGE], slot[RECORDS], &count) : NULL;
    for (size_t i = 0; record && i < count && !found; i++)
        found = record[i].message == EXRAY_MESSAGE_TENSOR && record[i].has_data &&
                (record[i].kind == EXRAY_KIND_SENSOR || record[i].kind == EXRAY_KIND_INPUT) &&
                (is_equal(c, &record[i], slot) || is_recognized(c, &record[i], slot));
    for (int i = 0; i < SLOTS; i++)
        exray_slot_free(slot[i]);
    return found;
}
