#include "checks/port/not_finite.h"

#include "checks/port/both_sides.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const exray_io_pair *pair_of(const exray_comparison *c, exray_kind kind, size_t pair)
{
    return kind == EXRAY_KIND_INPUT ? exray_comparison_input(c, pair) : exray_comparison_output(c, pair);
}

static bool is_same_kind(float a, float b)
{
    return isnan(a) ? isnan(b) : a == b;
}

static void count_frame(const float *edge, const float *reference, uint64_t count, xr_not_finite *out)
{
    for (uint64_t i = 0; i < count; i++) {
        const bool e = isfinite(edge[i]), r = isfinite(reference[i]);
        if (e && r)
            continue;
        out->edge += !e && r;
        out->reference_nan += e && isnan(reference[i]);
        out->other += !e && !r && !is_same_kind(edge[i], reference[i]);
    }
}

/* False: the frame has none, or other shapes. */
static bool read_both(const exray_comparison *comparison, exray_kind kind, size_t pair, size_t frame,
                      exray_slot *const slot[2], const float *v[2], uint64_t *count)
{
    exray_tensor_view view[2];
    if (!xr_both_values(comparison, kind, pair, frame, slot, view, v))
        return false;
    *count = view[0].count;
    return view[0].count == view[1].count;
}

void xr_not_finite_frames(const exray_comparison *comparison, exray_kind kind, size_t pair,
                          exray_finding *finding)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool *chosen = calloc(frames + 1, sizeof *chosen);
    for (size_t f = 0; slot[0] && slot[1] && chosen && f < frames; f++) {
        const float *v[2];
        uint64_t count;
        xr_not_finite own = {.edge = 0};
        if (read_both(comparison, kind, pair, f, slot, v, &count))
            count_frame(v[0], v[1], count, &own);
        chosen[f] = own.edge > 0;
    }
    if (chosen)
        exray_finding_frames(finding, comparison, chosen);
    free(chosen);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
}

void xr_not_finite_find(const exray_comparison *comparison, exray_kind kind, size_t pair, xr_not_finite *out)
{
    *out = (xr_not_finite){.edge = 0};
    const exray_io_pair *io = pair_of(comparison, kind, pair);
    const exray_metrics *m = &io->metrics;
    if (!io->comparable || m->nan_count[0] + m->nan_count[1] + m->inf_count[0] + m->inf_count[1] == 0)
        return;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    for (size_t f = 0; slot[0] && slot[1] && f < exray_comparison_frame_count(comparison); f++) {
        const float *v[2];
        uint64_t count;
        if (!read_both(comparison, kind, pair, f, slot, v, &count))
            continue;
        const uint64_t before = out->edge + out->reference_nan + out->other;
        count_frame(v[0], v[1], count, out);
        if (out->edge + out->reference_nan + out->other == before)
            continue;
        out->first = out->frames++ ? out->first : f;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
}

bool xr_is_not_finite(const xr_not_finite *counts)
{
    return counts->edge + counts->reference_nan + counts->other > 0;
}

void xr_not_finite_words(const xr_not_finite *counts, char *text, size_t size)
{
    if (counts->edge)
        snprintf(text, size,
                 "%" PRIu64 " NaN or infinite values on the edge where the reference's are numbers",
                 counts->edge);
    else if (counts->other)
        snprintf(text, size,
                 "%" PRIu64 " values that are no number on either side, and not the same (NaN, inf, -inf)",
                 counts->other);
    else
        snprintf(text, size, "%" PRIu64 " NaN in the reference where the edge's are numbers",
                 counts->reference_nan);
}

void xr_not_finite_evidence(const xr_not_finite *counts, exray_finding *finding)
{
    exray_finding_number(finding, "edge_not_finite", (double)counts->edge);
    exray_finding_number(finding, "reference_nan", (double)counts->reference_nan);
    exray_finding_number(finding, "others", (double)counts->other);
}
