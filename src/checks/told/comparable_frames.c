#include "checks/told/comparable_frames.h"

#include "checks/beyond_noise.h"
#include "checks/log/output_statistics.h"
#include "checks/told/same_results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A noise above this (error to signal) is no bound: behind an op that selects, rows come and go. */
#define BOUNDED 0.3

/* Of an output's deviation, what its statistics may be apart: by the order of additions alone where the
 * values are equal, and by the rounding of other kernels. */
#define STATISTICS_EXACT 1e-9
#define STATISTICS_NOISE 1e-4

/* How far a frame may be above the noise of all frames together. */
#define OF_ONE_FRAME 3.0

typedef struct equal_work {
    const exray_comparison *comparison;
    exray_kind kind;
    size_t pairs;
    bool exact;    /* by inputs: what was told elsewhere shows that there is no noise */
    bool selected; /* equal inputs and layers: outputs without a bound count as equal */
    exray_slot *slot[2];
} equal_work;

static const exray_io_pair *pair_at(const equal_work *w, size_t i)
{
    return w->kind == EXRAY_KIND_OUTPUT ? exray_comparison_output(w->comparison, i)
                                        : exray_comparison_input(w->comparison, i);
}

/* The root of the mean squared difference; INFINITY where they cannot be compared one by one. */
static double difference(const float *a, const float *b, uint64_t count)
{
    double sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        float x, y;
        memcpy(&x, (const char *)a + i * sizeof x, sizeof x);
        memcpy(&y, (const char *)b + i * sizeof y, sizeof y);
        if (x == y || (isnan(x) && isnan(y)))
            continue;
        sum += ((double)x - y) * ((double)x - y);
    }
    return isnan(sum) ? INFINITY : sqrt(sum / (double)(count ? count : 1));
}

static bool other_layout(const exray_tensor_info *a, const exray_tensor_info *b)
{
    bool same = a->rank == b->rank;
    for (uint32_t i = 0; same && i < a->rank; i++)
        same = a->shape[i] == b->shape[i];
    return !same;
}

/* Of which a log has no values: by statistics.  Those of inputs say too little: a mirrored picture has them.
 */
static xr_frame_equality judge_statistics(equal_work *w, size_t frame, const exray_io_pair *io, bool *unseen)
{
    double apart;
    *unseen = w->kind != EXRAY_KIND_OUTPUT ||
              !xr_output_statistics_apart(w->comparison, io, frame, w->slot[0], &apart);
    if (*unseen || apart > STATISTICS_NOISE)
        return XR_FRAME_OTHER;
    return apart > STATISTICS_EXACT ? XR_FRAME_NOISE : XR_FRAME_EXACT;
}

/* How one pair of tensors compares in a frame. */
static exray_status judge_pair(equal_work *w, size_t frame, size_t i, xr_frame_equality *out, bool *unseen,
                               exray_error *error)
{
    const exray_io_pair *io = pair_at(w, i);
    exray_tensor_view view[2];
    const float *values[2];
    *out = XR_FRAME_OTHER;
    for (int s = 0; s < 2; s++) {
        exray_status status = exray_comparison_values(w->comparison, (exray_side)s, frame, w->kind, i,
                                                      w->slot[s], &view[s], &values[s], error);
        if (status == EXRAY_E_STATE)
            *out = judge_statistics(w, frame, io, unseen);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            return EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
    }
    bool within = io->error <= io->noise, bounded = io->noise <= BOUNDED;
    if (!exray_comparison_same_shape(w->comparison, frame, w->kind, i))
        return EXRAY_OK;
    double apart =
        view[0].count == view[1].count ? difference(values[0], values[1], view[0].count) : INFINITY;
    double unit = io->metrics.std[EXRAY_SIDE_REFERENCE];
    if (apart == 0)
        *out = XR_FRAME_EXACT;
    else if (!bounded)
        *out = within && w->selected ? XR_FRAME_NOISE : XR_FRAME_OTHER;
    else if (within) /* in another layout, values cannot be compared one by one */
        *out = apart <= OF_ONE_FRAME * io->noise * unit || other_layout(&view[0].info, &view[1].info)
                   ? XR_FRAME_NOISE
                   : XR_FRAME_OTHER;
    else
        *out = apart <= io->noise * unit ? XR_FRAME_NOISE : XR_FRAME_OTHER;
    return EXRAY_OK;
}

static exray_status judge_frame(equal_work *w, size_t frame, xr_frame_equality *out, bool *unseen,
                                exray_error *error)
{
    *out = w->pairs ? XR_FRAME_EXACT : XR_FRAME_OTHER;
    *unseen = w->pairs == 0;
    for (size_t i = 0; i < w->pairs && (*out != XR_FRAME_OTHER || *unseen); i++) {
        xr_frame_equality one;
        bool hidden = false;
        exray_status status = judge_pair(w, frame, i, &one, &hidden, error);
        if (status != EXRAY_OK)
            return status;
        *unseen = hidden || (*unseen && one != XR_FRAME_OTHER);
        *out = one < *out ? one : *out;
    }
    /* Of equal inputs, another machine makes outputs that differ by noise. */
    if (w->kind == EXRAY_KIND_INPUT && *out == XR_FRAME_EXACT && !w->exact)
        *out = XR_FRAME_NOISE;
    return EXRAY_OK;
}

static bool any_comparable(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_output(comparison, i)->comparable)
            return true;
    return false;
}

static exray_status judge_by(equal_work *w, exray_kind kind, size_t frame, xr_equal_frames *out,
                             exray_error *error)
{
    w->kind = kind;
    w->pairs = kind == EXRAY_KIND_OUTPUT ? exray_comparison_output_count(w->comparison)
                                         : exray_comparison_input_count(w->comparison);
    return judge_frame(w, frame, &out->of[frame], &out->unseen[frame], error);
}

exray_status xr_equal_frames_make(const exray_comparison *comparison, xr_equal_frames *out,
                                  exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison);
    const bool inputs = xr_inputs_known(comparison), may = inputs && !any_comparable(comparison);
    equal_work w = {.comparison = comparison,
                    .selected = inputs && !xr_inputs_differ(comparison) && !xr_layers_differ(comparison),
                    .exact = may && xr_results_are_exact(comparison),
                    .slot = {exray_slot_new(), exray_slot_new()}};
    *out = (xr_equal_frames){.of = calloc(frames + 1, sizeof *out->of),
                             .unseen = calloc(frames + 1, sizeof *out->unseen),
                             .by_outputs = true,
                             .silence = xr_silence_of(comparison)};
    exray_status status = out->of && out->unseen && w.slot[0] && w.slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    if (status != EXRAY_OK)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing what was told"};
    for (size_t f = 0; status == EXRAY_OK && f < frames; f++) {
        status = judge_by(&w, EXRAY_KIND_OUTPUT, f, out, error);
        if (status == EXRAY_OK && may && out->of[f] == XR_FRAME_OTHER) {
            out->by_outputs = false;
            status = judge_by(&w, EXRAY_KIND_INPUT, f, out, error);
        }
        out->count += status == EXRAY_OK && out->of[f] != XR_FRAME_OTHER;
    }
    exray_slot_free(w.slot[0]);
    exray_slot_free(w.slot[1]);
    return status;
}

void xr_equal_frames_free(xr_equal_frames *frames)
{
    free(frames->of);
    free(frames->unseen);
    *frames = (xr_equal_frames){0};
}
