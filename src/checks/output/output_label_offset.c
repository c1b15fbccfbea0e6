/* output.label_offset: classes have other numbers or another order than in the reference. */
#include "checks/builtin.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/output/box_labels.h"
#include "checks/output/labelling.h"
#include "checks/port/row_order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_shifted(exray_finding *f, const xr_labelling *l)
{
    const xr_ranks *edge = &l->ranks[EXRAY_SIDE_EDGE], *reference = &l->ranks[EXRAY_SIDE_REFERENCE];
    exray_finding_summary(f, "The edge's classes are %+lld from the reference's, always.",
                          (long long)l->difference);
    if (edge->state == XR_RANKS_OFFSET && reference->state == XR_RANKS_OFFSET)
        exray_finding_detail(
            f, "Its class is its output's index %+lld, the reference's %+lld: in %zu of %zu frames.",
            (long long)-edge->offset, (long long)-reference->offset, l->supporting, l->frames);
    else
        exray_finding_detail(f, "In %zu of %zu frames, with %zu different classes.", l->supporting, l->frames,
                             l->between.classes);
    exray_finding_fix(
        f,
        "Set label_offset so that classes are %lld %s, or use the label file that goes with the "
        "model (with or without a background class).",
        llabs((long long)l->difference), l->difference > 0 ? "lower" : "higher");
    exray_finding_number(f, "difference", (double)l->difference);
    if (edge->state == XR_RANKS_OFFSET)
        exray_finding_number(f, "edge_offset", (double)edge->offset);
    if (reference->state == XR_RANKS_OFFSET)
        exray_finding_number(f, "reference_offset", (double)reference->offset);
}

static void say_vector(exray_finding *f, const xr_labelling *l)
{
    const xr_shift *s = &l->shift;
    if (l->state == XR_LABELS_VECTOR_SHIFTED) {
        exray_finding_summary(
            f, "The edge's output is the reference's moved by %+d places (%zu and %zu classes).", s->places,
            s->elements[EXRAY_SIDE_EDGE], s->elements[EXRAY_SIDE_REFERENCE]);
        exray_finding_fix(f, "Set label_offset to %d more on the edge, or feed both the same label map.",
                          s->places);
        exray_finding_number(f, "difference", s->places);
        exray_finding_number(f, "runner_up_residual", s->runner_up);
    } else {
        exray_finding_summary(f, "The edge's output has the reference's values in another order.");
        exray_finding_fix(f, "Use the label map that goes with the edge's order of classes.");
    }
    exray_finding_detail(f, "That leaves %.2g of the deviation, without it %.2g, in %zu of %zu frames.",
                         s->after, s->before, l->supporting, l->frames);
    exray_finding_number(f, "residual_before", s->before);
    exray_finding_number(f, "residual_after", s->after);
}

static void say_permuted(exray_finding *f, const xr_labelling *l)
{
    const char *side = l->side == EXRAY_SIDE_EDGE ? "edge" : "reference";
    exray_finding_summary(f, "The %s's classes are in another order than its outputs.", side);
    exray_finding_detail(
        f, "Each output has a class of its own, always the same (%zu came up again), by no offset.",
        l->ranks[l->side].repeats);
    exray_finding_fix(f, "Use the label map that goes with the model on the %s.", side);
    exray_finding_number(f, "repeats", (double)l->ranks[l->side].repeats);
}

static void report(const exray_comparison *comparison, const xr_labelling *l, exray_findings *findings)
{
    const exray_io_pair *output = exray_comparison_output(comparison, 0);
    exray_finding *f =
        exray_findings_add(findings, "output.label_offset", EXRAY_SEVERITY_ERROR, l->confidence);
    exray_finding_where(f, "output", output ? output->name[EXRAY_SIDE_EDGE] : NULL, EXRAY_NO_INDEX);
    if (l->state == XR_LABELS_SHIFTED)
        say_shifted(f, l);
    else if (l->state == XR_LABELS_PERMUTED)
        say_permuted(f, l);
    else
        say_vector(f, l);
    exray_finding_number(f, "frames_supporting", (double)l->supporting);
    exray_finding_number(f, "frames", (double)l->frames);
    if (l->ambiguous)
        exray_finding_alternative(f, "output.postprocess", 1 - l->confidence);
}

/* Compares a detector's classes with its own output, on each side. */
static exray_status check_boxes(const exray_comparison *comparison, exray_findings *findings,
                                exray_error *error)
{
    xr_box_labels edge, reference;
    exray_status status = xr_box_labels_make(comparison, EXRAY_SIDE_EDGE, &edge, error);
    if (status == EXRAY_OK)
        status = xr_box_labels_make(comparison, EXRAY_SIDE_REFERENCE, &reference, error);
    bool shifted = edge.state == XR_BOX_LABELS_OFFSET && edge.offset != reference.offset;
    if (status != EXRAY_OK || reference.state != XR_BOX_LABELS_OFFSET ||
        (!shifted && edge.state != XR_BOX_LABELS_PERMUTED))
        return status;
    exray_finding *f =
        exray_findings_add(findings, "output.label_offset", EXRAY_SEVERITY_ERROR, shifted ? 0.97 : 0.9);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    long long difference = (long long)(reference.offset - edge.offset);
    if (shifted) {
        exray_finding_summary(f, "The classes of the edge's boxes are %+lld from the reference's, always.",
                              difference);
        exray_finding_fix(f,
                          "Set label_offset so that classes are %lld %s, or use the label file that goes "
                          "with the model.",
                          llabs(difference), difference > 0 ? "lower" : "higher");
        exray_finding_number(f, "difference", (double)difference);
    } else {
        exray_finding_summary(f, "The classes of the edge's boxes are in another order than its outputs.");
        exray_finding_fix(f, "Use the label map that goes with the model on the edge.");
    }
    exray_finding_detail(f, "In all of its %zu boxes of %zu classes, each side held against its own output.",
                         edge.boxes, edge.classes);
    exray_finding_number(f, "boxes", (double)edge.boxes);
    exray_finding_number(f, "classes", (double)edge.classes);
    exray_finding_number(f, "frames", (double)edge.frames);
    return EXRAY_OK;
}

/* An output of class numbers: whole numbers on both sides, the edge's always as far from the reference's. */
typedef struct class_output {
    bool constant; /* so far */
    size_t values;
    double difference;  /* edge's - reference's */
    double least, most; /* of the reference's */
} class_output;

static void add_classes(class_output *o, const float *edge, const float *reference, uint64_t count)
{
    for (uint64_t i = 0; i < count && o->constant; i++) {
        float a, b;
        memcpy(&a, (const char *)edge + i * sizeof a, sizeof a);
        memcpy(&b, (const char *)reference + i * sizeof b, sizeof b);
        if (o->values++ == 0) {
            o->difference = (double)a - b;
            o->least = o->most = b;
        }
        o->constant = a == rintf(a) && b == rintf(b) && (double)a - b == o->difference && fabsf(b) < 1e6F;
        o->least = fmin(o->least, b);
        o->most = fmax(o->most, b);
    }
}

static exray_status read_class_output(const exray_comparison *comparison, size_t pair, class_output *o,
                                      exray_error *error)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    *o = (class_output){.constant = true};
    for (size_t f = 0; status == EXRAY_OK && o->constant && f < exray_comparison_frame_count(comparison);
         f++) {
        exray_tensor_view view[2];
        const float *values[2];
        for (int s = 0; s < 2 && status == EXRAY_OK; s++)
            status = exray_comparison_values(comparison, (exray_side)s, f, EXRAY_KIND_OUTPUT, pair, slot[s],
                                             &view[s], &values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            status = error->status = EXRAY_OK;
        else if (status == EXRAY_OK && view[0].count == view[1].count)
            add_classes(o, values[0], values[1], view[0].count);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing class numbers"};
    return status;
}

/* Such an output of a detector is wrong by a class, however small that is beside the noise of its network. */
static exray_status check_class_outputs(const exray_comparison *comparison, exray_findings *findings,
                                        exray_error *error)
{
    /* Values, how far they range, else any small integers would do; and classes that label files differ by.
     */
    enum { FEWEST = 8, RANGE = 3, FURTHEST = 8 };
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *io = exray_comparison_output(comparison, i);
        class_output o;
        const exray_metrics *m = &io->metrics;
        double apart = fabs(m->mean[0] - m->mean[1]);
        bool may_be = io->comparable && m->max_abs >= 1 && m->max_abs <= FURTHEST &&
                      fabs(apart - m->max_abs) < 1e-3 && !xr_is_reordered(findings, i);
        if (!may_be || xr_inputs_differ_by_any(comparison, findings))
            continue;
        exray_status status = read_class_output(comparison, i, &o, error);
        if (status != EXRAY_OK)
            return status;
        if (!o.constant || o.values < FEWEST || o.most - o.least < RANGE)
            continue;
        const char *name = io->name[EXRAY_SIDE_EDGE];
        exray_finding *f = exray_findings_add(findings, "output.label_offset", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "output", name, EXRAY_NO_INDEX);
        exray_finding_summary(f, "The classes in output %.80s are %+.0f from the reference's, always.", name,
                              o.difference);
        exray_finding_detail(f, "All %zu values are whole numbers, %.0f to %.0f in the reference.", o.values,
                             o.least, o.most);
        exray_finding_fix(f,
                          "Set label_offset so that classes are %.0f %s, or use the label file that goes "
                          "with the model.",
                          fabs(o.difference), o.difference > 0 ? "lower" : "higher");
        exray_finding_number(f, "difference", o.difference);
        exray_finding_number(f, "values", (double)o.values);
        xr_mark_reordered(findings, i);
    }
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const xr_labelling *labels = xr_labelling_of(comparison, findings, error);
    if (!labels)
        return error->status;
    bool mine = labels->state != XR_LABELS_RIGHT && labels->state != XR_LABELS_LATE &&
                labels->state != XR_LABELS_BROKEN;
    bool vector = labels->state == XR_LABELS_VECTOR_SHIFTED || labels->state == XR_LABELS_VECTOR_PERMUTED;
    if (mine && !(vector && xr_is_reordered(findings, 0)))
        report(comparison, labels, findings);
    exray_status status = check_class_outputs(comparison, findings, error);
    return status == EXRAY_OK ? check_boxes(comparison, findings, error) : status;
}

static const char *const causes[] = {"output.label_offset", NULL};

const exray_assertion xr_assertion_output_label_offset = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.label_offset",
    .summary = "both sides count and order the classes alike",
    .causes = causes,
    .needs = "/result of both logs with /output or equal inputs; or /output with data and equal inputs",
    .run = run,
};
