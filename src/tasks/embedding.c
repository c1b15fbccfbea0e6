/* Embeddings: vectors whose direction counts. */
#include "tasks/builtin_tasks.h"
#include "tasks/vectors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 1000, MOST_VALUES = 1 << 22 };

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    (void)options;
    if (count && xr_task_is_vector(outputs[0]))
        return true;
    snprintf(why, why_size, "task embedding needs an output vector; no /result is written");
    return false;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    (void)options;
    *out = (exray_result){.text = ""};
    if (count == 0 || !xr_task_is_vector(outputs[0].info))
        return EXRAY_E_UNSUPPORTED;
    return xr_vector_decide(outputs, 1, told, out, error);
}

static bool has(const exray_result *result)
{
    return result->vector_count > 0 && xr_vector_is_unit(&result->vectors[0]);
}

/* ---- Measures ---- */

typedef struct direction_sums {
    xr_task_mean cosine;
    float *kept[2]; /* [frames][count] of the first vector: what was told, and the other side's */
    uint32_t count;
    size_t frames;
} direction_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(direction_sums));
}

static double cosine_of(const float *a, const float *b, uint32_t count)
{
    double aa = 0, bb = 0, ab = 0;
    for (uint32_t i = 0; i < count; i++) {
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
        ab += (double)a[i] * b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

static void keep(direction_sums *sums, const exray_vector *told, const exray_vector *other)
{
    if (sums->frames == 0)
        sums->count = told->count;
    if (told->count != sums->count || sums->frames >= MOST_FRAMES ||
        (sums->frames + 1) * (size_t)sums->count > MOST_VALUES)
        return;
    const exray_vector *side[2] = {told, other};
    for (int s = 0; s < 2; s++) {
        float *more = realloc(sums->kept[s], (sums->frames + 1) * sums->count * sizeof *more);
        if (!more)
            return;
        sums->kept[s] = more;
        memcpy(more + sums->frames * sums->count, side[s]->values, sums->count * sizeof *more);
    }
    sums->frames++;
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    direction_sums *sums = state;
    for (uint32_t i = 0; i < told->vector_count; i++) {
        const exray_vector *partner = xr_vector_partner(told, i, other);
        if (!partner || partner->count == 0)
            continue;
        xr_task_add(&sums->cosine, cosine_of(told->vectors[i].values, partner->values, partner->count), 1);
        if (i == 0)
            keep(sums, &told->vectors[0], partner);
    }
}

/* The frame whose vector is the most like that of `frame`. */
static size_t nearest(const direction_sums *sums, int side, size_t frame)
{
    size_t found = frame;
    double best = -INFINITY;
    for (size_t i = 0; i < sums->frames; i++) {
        const double cosine = i == frame ? NAN
                                         : cosine_of(sums->kept[side] + i * sums->count,
                                                     sums->kept[side] + frame * sums->count, sums->count);
        if (cosine > best) {
            best = cosine;
            found = i;
        }
    }
    return found;
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const direction_sums *sums = state;
    if (most < 2)
        return 0;
    out[0] = xr_task_measure_of(&sums->cosine, "cosine", "cosine", true);
    xr_task_mean retrieval = {0};
    for (size_t f = 0; sums->frames > 2 && f < sums->frames; f++)
        xr_task_add(&retrieval, nearest(sums, 0, f) == nearest(sums, 1, f), 1);
    out[1] = xr_task_measure_of(&retrieval, "retrieval", "share", true);
    return 2;
}

static void end(void *state)
{
    direction_sums *sums = state;
    if (!sums)
        return;
    free(sums->kept[0]);
    free(sums->kept[1]);
    free(sums);
}

const exray_task xr_task_embedding = {
    sizeof(exray_task), "embedding", fits, decide, has, begin, compare, measure, end};
