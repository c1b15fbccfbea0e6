/* output.shape: an output has fewer or more values than the reference's, of equal inputs, and those that both
 * have are equal value for value. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/input/shape/shape_relation.h"
#include "checks/port/output_rows.h"
#include "checks/told/same_results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fewer equal values may be others' by chance: a class number among scores. */
enum { LEAST_VALUES = 4 };

typedef struct shape_facts {
    bool *chosen;         /* [frames] of other shapes */
    size_t frames, first; /* of those */
    uint64_t equal;       /* values that both have, in all of them, but for frames of one number */
    bool padded;          /* the rest is `pad` everywhere */
    double pad;
    uint64_t rest;
    exray_side larger;       /* in all frames */
    char shape[2][64];       /* of the first one */
    xr_shape_relation where; /* of the first one in which both have values */
} shape_facts;

static void shape_words(const exray_tensor_info *info, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");
    for (uint32_t i = 0; i < info->rank && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%lld", i ? ", " : "", (long long)info->shape[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

/* The one dimension of which the two shapes have another number; EXRAY_MAX_RANK: none, or several. */
static uint32_t only_other_axis(const exray_tensor_view view[2])
{
    uint32_t axis = EXRAY_MAX_RANK;
    if (view[0].info.rank != view[1].info.rank)
        return EXRAY_MAX_RANK;
    for (uint32_t i = 0; i < view[0].info.rank; i++) {
        if (view[0].info.shape[i] == view[1].info.shape[i])
            continue;
        if (axis != EXRAY_MAX_RANK)
            return EXRAY_MAX_RANK;
        axis = i;
    }
    return axis;
}

static bool is_row(const float *a, const xr_row_slices *of_a, size_t row, const float *b,
                   const xr_row_slices *of_b, size_t other)
{
    for (size_t o = 0; o < of_a->outer; o++)
        for (size_t i = 0; i < of_a->inner; i++)
            if (xr_rows_value(a, of_a, o, row, i) != xr_rows_value(b, of_b, o, other, i))
                return false;
    return true;
}

/* Whether the rows of the smaller one are rows of the larger one, in their order: what a threshold or a limit
 * for each class leaves. */
static bool are_rows_of(const exray_tensor_view view[2], const float *const values[2], exray_side larger,
                        xr_shape_relation *out)
{
    const uint32_t axis = only_other_axis(view);
    xr_row_slices few, many;
    if (axis == EXRAY_MAX_RANK || !xr_rows_along(&view[!larger], axis, &few) ||
        !xr_rows_along(&view[larger], axis, &many))
        return false;
    size_t next = 0;
    for (size_t row = 0; row < few.rows; row++, next++) {
        while (next < many.rows && !is_row(values[!larger], &few, row, values[larger], &many, next))
            next++;
        if (next == many.rows)
            return false;
    }
    *out = (xr_shape_relation){.kind = XR_SHAPE_PART, .larger = larger, .rank = 1, .axis = {axis}};
    out->size[larger][0] = (int64_t)many.rows;
    out->size[!larger][0] = (int64_t)few.rows;
    out->begin[0] = (int64_t)many.rows; /* any */
    return true;
}

/* Values that are one number are a part of any that are: they show nothing. */
static uint64_t telling(const float *values, uint64_t count)
{
    for (uint64_t i = 1; i < count; i++)
        if (values[i] != values[0])
            return count;
    return 0;
}

/* Whether one side's values are a part of the other's.  None at all are a part of any. */
static bool add_frame(const exray_tensor_view view[2], const float *const values[2], size_t frame,
                      shape_facts *out)
{
    const xr_shaped side[2] = {{&view[0].info, values[0], view[0].count},
                               {&view[1].info, values[1], view[1].count}};
    const exray_side larger = view[0].count > view[1].count ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    xr_shape_relation r = {.kind = XR_SHAPE_PART, .larger = larger};
    if (view[!larger].count)
        xr_relate_shapes(side, true, &r);
    const bool part = r.kind == XR_SHAPE_PART || r.kind == XR_SHAPE_PADDED || r.kind == XR_SHAPE_SPLIT ||
                      are_rows_of(view, values, larger, &r);
    if (!part || view[0].count == view[1].count || r.larger != larger ||
        (out->frames && out->larger != larger))
        return false;
    if (!out->frames) {
        out->first = frame;
        out->larger = larger;
        for (int s = 0; s < 2; s++)
            shape_words(&view[s].info, out->shape[s], sizeof out->shape[s]);
    }
    if (!out->equal)
        out->where = r;
    const uint64_t rest = view[larger].count - view[!larger].count;
    out->padded = out->padded && r.kind == XR_SHAPE_PADDED && (!out->rest || out->pad == r.pad);
    out->pad = r.pad;
    out->rest += rest;
    out->equal += telling(values[!larger], view[!larger].count);
    out->chosen[frame] = true;
    out->frames++;
    return true;
}

/* Also a record of no values. */
static bool read_side(const exray_comparison *c, exray_side side, size_t frame, size_t output,
                      exray_slot *slot, exray_tensor_view *view, const float **values)
{
    exray_error ignored;
    if (exray_comparison_values(c, side, frame, EXRAY_KIND_OUTPUT, output, slot, view, values, &ignored) ==
        EXRAY_OK)
        return true;
    const exray_log *log = exray_comparison_log(c, side);
    const exray_record *record =
        exray_log_find(log, exray_comparison_frame(c, frame).frame[side], EXRAY_KIND_OUTPUT, EXRAY_NO_INDEX,
                       0, exray_comparison_output(c, output)->name[side]);
    if (!record || exray_comparison_is_behind(c, frame) ||
        exray_log_read_tensor(log, record, slot, view, &ignored) != EXRAY_OK)
        return false;
    *values = NULL;
    for (uint32_t i = 0; i < view->info.rank; i++)
        if (view->info.shape[i] == 0)
            return true;
    return false;
}

/* False: a frame of other shapes has other values, too, or they were not recorded. */
static bool find_parts(const exray_comparison *c, size_t output, exray_slot *const slot[2], shape_facts *out)
{
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++) {
        exray_tensor_view view[2];
        const float *values[2];
        bool both = !exray_comparison_same_shape(c, f, EXRAY_KIND_OUTPUT, output);
        for (int s = 0; s < 2 && both; s++)
            both = read_side(c, (exray_side)s, f, output, slot[s], &view[s], &values[s]);
        if (both && !add_frame(view, values, f, out))
            return false;
    }
    const exray_io_pair *same = exray_comparison_output(c, output); /* in frames of one shape */
    return out->frames > 0 && (out->equal >= LEAST_VALUES || (same->frames && same->metrics.std[0] > 0));
}

/* Noise takes what is near a threshold across it; where frames of one shape have none, it did not. */
static bool has_no_noise(const exray_io_pair *output)
{
    return output->frames == 0 || (output->comparable && output->metrics.max_abs == 0);
}

/* Another operator, other weights or a wrong layer explain how many values there are. */
static bool is_explained(const exray_findings *findings)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (f->severity == EXRAY_SEVERITY_ERROR ||
            (f->severity == EXRAY_SEVERITY_WARNING && strncmp(f->cause, "model.", 6) == 0))
            return true;
    return false;
}

static void say_where(exray_finding *f, const shape_facts *facts)
{
    const xr_shape_relation *r = &facts->where;
    const char *fewer = facts->larger == EXRAY_SIDE_EDGE ? "reference" : "edge";
    for (uint32_t i = 0; i < r->rank; i++) {
        const long long all = (long long)r->size[facts->larger][i],
                        own = (long long)r->size[!facts->larger][i], begin = (long long)r->begin[i];
        if (all == own)
            continue;
        if (r->kind == XR_SHAPE_SPLIT) {
            exray_finding_detail(f, "Along dimension %u the %s has the first %lld and the last %lld of %lld.",
                                 (unsigned)r->axis[i], fewer, (long long)r->head, (long long)r->tail, all);
            continue;
        }
        const char *which = begin == 0 ? "the first " : begin + own == all ? "the last " : "";
        exray_finding_detail(f, "Along dimension %u the %s has %s%lld of %lld.", (unsigned)r->axis[i], fewer,
                             which, own, all);
    }
    if (facts->padded && facts->rest >= LEAST_VALUES)
        exray_finding_detail(f, "The rest is %.6g everywhere: padding.", facts->pad);
}

static exray_finding *report(const exray_comparison *c, const exray_io_pair *output, const shape_facts *facts,
                             exray_findings *findings)
{
    const bool format = facts->padded && facts->rest >= LEAST_VALUES;
    exray_finding *f = exray_findings_add(findings, "output.shape",
                                          format ? EXRAY_SEVERITY_WARNING : EXRAY_SEVERITY_ERROR, 0.93);
    exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge's output %.100s has %s values than the reference's of equal inputs: %s and %s "
        "in %zu of %zu frames; those that both have are equal.",
        output->name[EXRAY_SIDE_EDGE], facts->larger == EXRAY_SIDE_EDGE ? "more" : "fewer",
        facts->shape[EXRAY_SIDE_EDGE], facts->shape[EXRAY_SIDE_REFERENCE], facts->frames,
        exray_comparison_frame_count(c));
    say_where(f, facts);
    exray_finding_detail(f, "Which of the two is right, the logs do not say.");
    exray_finding_fix(
        f, "Compare what decides how many there are: the buffer that is read, limits, thresholds.");
    exray_finding_text(f, "kind", facts->larger == EXRAY_SIDE_EDGE ? "extra" : "missing");
    exray_finding_number(f, "frames_other_size", (double)facts->frames);
    exray_finding_number(f, "values_equal", (double)facts->equal);
    exray_finding_frames(f, c, facts->chosen);
    return f;
}

/* Whether every output shows it: all that both sides have is equal, in all outputs. */
static bool is_proven(const exray_comparison *c, exray_slot *const slot[2], shape_facts *facts)
{
    const size_t frames = exray_comparison_frame_count(c);
    for (size_t i = 0; i < exray_comparison_output_count(c); i++) {
        const exray_io_pair *output = exray_comparison_output(c, i);
        if (!has_no_noise(output))
            return false;
        facts[i] = (shape_facts){.chosen = calloc(frames + 1, sizeof(bool)), .padded = true};
        if (!facts[i].chosen || (output->other_shape && !find_parts(c, i, slot, &facts[i])))
            return false;
    }
    return true;
}

static void report_all(const exray_comparison *c, const shape_facts *facts, exray_findings *findings)
{
    exray_finding *f = NULL;
    for (size_t i = 0; i < exray_comparison_output_count(c); i++) {
        const exray_io_pair *output = exray_comparison_output(c, i);
        if (!facts[i].frames)
            continue;
        if (f)
            exray_finding_detail(f, "So has output %.100s: %s and %s.", output->name[EXRAY_SIDE_EDGE],
                                 facts[i].shape[EXRAY_SIDE_EDGE], facts[i].shape[EXRAY_SIDE_REFERENCE]);
        else
            f = report(c, output, &facts[i], findings);
    }
}

static bool any_other(const exray_comparison *c)
{
    for (size_t i = 0; i < exray_comparison_output_count(c); i++)
        if (exray_comparison_output(c, i)->other_shape)
            return true;
    return false;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    if (!any_other(comparison) || !xr_inputs_known(comparison) || xr_inputs_differ(comparison) ||
        xr_layers_differ(comparison) || is_explained(findings))
        return EXRAY_OK;
    if (xr_same_results(comparison)) /* each application knows how many its model returns */
        return EXRAY_OK;
    const size_t outputs = exray_comparison_output_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    shape_facts *facts = calloc(outputs, sizeof *facts);
    const bool room = slot[0] && slot[1] && facts;
    if (room && is_proven(comparison, slot, facts))
        report_all(comparison, facts, findings);
    for (size_t i = 0; facts && i < outputs; i++)
        free(facts[i].chosen);
    free(facts);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!room)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the outputs' shapes"};
    return room ? EXRAY_OK : EXRAY_E_MEMORY;
}

static const char *const causes[] = {"output.shape", NULL};

const exray_assertion xr_assertion_output_shape = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.shape",
    .summary = "of equal inputs each output has as many values on both sides",
    .causes = causes,
    .needs = "/output of both logs, data",
    .run = run,
};
