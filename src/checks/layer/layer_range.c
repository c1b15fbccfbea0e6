/* layer.saturation, layer.range, layer.zero_point: the range that a layer's 8-bit output
 * can hold against the range of the reference's values.
 *
 * A range has two costs: values beyond it are clipped, and a wide one has coarse steps.
 * Calibration that fits its data makes the first no larger than the second, whatever
 * method chose it (the one by mean squared error makes them equal; the usual ones clip
 * less).  So clipping that costs several times the rounding error is a range too narrow;
 * rounding that costs much more than the values' own range needs is one too wide; and a
 * range wide enough that is clipped on one side and unused on the other has a wrong zero
 * point. */
#include "checks/builtin.h"
#include "checks/layer/layer_evidence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Clipping below this share of the signal changes nothing that another layer would notice. */
#define LEAST_CLIPPING 0.01
/* Of the layer that is clipped most: layers before the first such are not the reason. */
#define SHARE_OF_WORST 0.25

/* 6 times the noise of weights of 8 bits, 4 / (127 sqrt(12)): what counts as clean (localise.c). */
#define MOST_OF_8_BITS 0.055

typedef enum fault { HEALTHY, TOO_NARROW, TOO_WIDE, OFF_CENTRE } fault;

typedef struct judged {
    size_t layer;
    fault fault;
    bool known;  /* the reference's quantization is of the same type */
    double cost; /* of the clipping or the steps, of the signal's deviation */
    xr_layer_evidence evidence;
} judged;

typedef struct limits {
    double clip_ratio, step_ratio;
} limits;

/* How far the values reach beyond the range on one side, and how far the range beyond the
 * values on the other, agree: the range is long enough, and in the wrong place. */
static bool is_off_centre(const xr_layer_evidence *e)
{
    double over = e->max[1] - e->high, under = e->low - e->min[1];
    double beyond = fmax(over, under), unused = -fmin(over, under);
    return beyond > 0 && unused > 0.7 * beyond && e->high - e->low > 0.9 * (e->max[1] - e->min[1]);
}

/* The quantization of the reference's output, where one scale does it in the same type: what
 * the edge's must be is known then, and needs no guess.  Else NULL. */
static const exray_quantization *same_type(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    const exray_tensor_info *edge = xr_layer_info(comparison, layer, EXRAY_SIDE_EDGE);
    const exray_tensor_info *reference = xr_layer_info(comparison, layer, EXRAY_SIDE_REFERENCE);
    bool alike = edge && reference && edge->dtype == reference->dtype && reference->quantization.count == 1;
    return alike ? &reference->quantization : NULL;
}

/* No calibration changes a zero point and leaves the scale as it was to the last bit. */
static bool is_moved(const xr_layer_evidence *e, const exray_quantization *reference)
{
    double zero = reference->zero_point ? (double)reference->zero_point[0] : 0;
    return e->step == (double)reference->scale[0] && e->zero_point != zero && e->below + e->above > 0;
}

static fault judge(const xr_layer_evidence *e, const limits *limit, const exray_quantization *reference,
                   double *cost)
{
    *cost = 0;
    if (e->frames == 0 || e->step <= 0 || !(e->deviation > 0))
        return HEALTHY;
    double clipping = sqrt(e->clipped) / e->deviation, rounding = e->step / sqrt(12) / e->deviation;
    if (reference && is_moved(e, reference)) {
        *cost = clipping;
        return OFF_CENTRE;
    }
    if (clipping > limit->clip_ratio * rounding && clipping > LEAST_CLIPPING) {
        *cost = clipping;
        return is_off_centre(e) ? OFF_CENTRE : TOO_NARROW;
    }
    double error = sqrt(e->difference) / e->deviation;
    if (reference) {
        *cost = e->step > limit->step_ratio * reference->scale[0] ? fmax(rounding, error) : 0;
        return *cost > 0 ? TOO_WIDE : HEALTHY;
    }
    double used = (e->max[1] - e->min[1]) / (e->high - e->low);
    if (used * limit->step_ratio < 1 && rounding > 0.5 * error) {
        *cost = rounding;
        return TOO_WIDE;
    }
    return HEALTHY;
}

static exray_status judge_all(const exray_comparison *comparison, const limits *limit, judged *list,
                              size_t *count, exray_error *error)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        const exray_tensor_info *edge = xr_layer_info(comparison, layer, EXRAY_SIDE_EDGE);
        if (!edge || edge->quantization.count != 1)
            continue;
        judged j = {.layer = i};
        exray_status status = EXRAY_OK;
        if (layer->from_stats || layer->from_sketch)
            xr_layer_evidence_from_stats(comparison, i, &j.evidence);
        else
            status = xr_layer_evidence_get(comparison, i, &j.evidence, error);
        if (status != EXRAY_OK)
            return status;
        const exray_quantization *reference = same_type(comparison, layer);
        j.known = reference != NULL;
        j.fault = judge(&j.evidence, limit, reference, &j.cost);
        /* A lower bound of the error does not say that the steps are most of it. */
        if (j.fault == TOO_WIDE && layer->from_stats && !j.known)
            j.fault = HEALTHY;
        if (j.fault != HEALTHY)
            list[(*count)++] = j;
    }
    return EXRAY_OK;
}

/* What is a fault though nothing else is wrong, as a healthy model of 8 bits may err as much
 * for other reasons: a range in the wrong place, as no calibration leaves it; one that clips
 * what the same type holds in the reference, or steps, which explain their own error, where
 * they cost more than all that a healthy layer may err. */
static size_t keep_certain(judged *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const judged *j = &list[i];
        bool costly = j->cost > MOST_OF_8_BITS;
        if (j->fault == OFF_CENTRE || (costly && (j->fault == TOO_WIDE || j->known)))
            list[kept++] = *j;
    }
    return kept;
}

static bool any_alone(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (isfinite(exray_comparison_layer(comparison, i)->isolated_error))
            return true;
    return false;
}

/* Behind a wrong input, what each range costs is not known from the edge's values; but a layer
 * that was run alone on them, and had no room for what came of it, has a range too narrow where
 * the reference's values do not fit either. */
static size_t keep_cut_off(const exray_comparison *comparison, judged *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].fault != TOO_WIDE && xr_is_cut_off(exray_comparison_layer(comparison, list[i].layer)))
            list[kept++] = list[i];
    return kept;
}

/* ---- Findings ------------------------------------------------------------------------- */

static const char *cause_of(fault f)
{
    return f == TOO_NARROW ? "layer.saturation" : f == TOO_WIDE ? "layer.range" : "layer.zero_point";
}

static void describe(const exray_comparison *comparison, const judged *j, exray_finding *f)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, j->layer);
    const xr_layer_evidence *e = &j->evidence;
    unsigned node = (unsigned)layer->node[EXRAY_SIDE_EDGE];
    const char *op = layer->op[EXRAY_SIDE_EDGE], *name = layer->name[EXRAY_SIDE_EDGE];
    double outside = 100 * (e->below + e->above);
    switch (j->fault) {
    case TOO_NARROW:
        exray_finding_summary(f,
                              "Layer %u (%s) %.*s saturates: it can hold %.4g to %.4g, the reference's "
                              "values are %.4g to %.4g.",
                              node, op, XR_SHORT_NAME(name), e->low, e->high, e->min[1], e->max[1]);
        exray_finding_detail(
            f,
            "%.2g %% of the values are clipped, which costs %.2g of the signal; the steps of "
            "that range cost %.2g.",
            outside, j->cost, e->step / sqrt(12) / e->deviation);
        exray_finding_fix(f, "Calibrate again with data as in use: the range of this layer is too narrow.");
        exray_finding_alternative(f, "layer.range", 0.4);
        break;
    case OFF_CENTRE:
        exray_finding_summary(
            f,
            "Layer %u (%s) %.*s has its zero point off: it can hold %.4g to %.4g, the reference's values are "
            "%.4g to %.4g.",
            node, op, XR_SHORT_NAME(name), e->low, e->high, e->min[1], e->max[1]);
        exray_finding_detail(
            f, "The range is long enough, and in the wrong place: %.2g %% of the values are clipped.",
            outside);
        exray_finding_fix(f, "Quantize this layer again: its scale fits, its zero point does not.");
        exray_finding_alternative(f, "layer.saturation", 0.3);
        break;
    default:
        exray_finding_summary(f,
                              "Layer %u (%s) %.*s is quantized too coarsely: it can hold %.4g to %.4g, the "
                              "reference's values are %.4g to %.4g.",
                              node, op, XR_SHORT_NAME(name), e->low, e->high, e->min[1], e->max[1]);
        exray_finding_detail(f, "Its steps of %.3g cost %.2g of the signal.", e->step, j->cost);
        exray_finding_fix(f, "Calibrate again with data as in use: the range of this layer is too wide.");
    }
    exray_finding_number(f, "low", e->low);
    exray_finding_number(f, "high", e->high);
    exray_finding_number(f, "reference_min", e->min[1]);
    exray_finding_number(f, "reference_max", e->max[1]);
    exray_finding_number(f, "clipped_share", e->below + e->above);
    exray_finding_number(f, "cost", j->cost);
    exray_finding_number(f, "error_to_signal", sqrt(e->difference) / e->deviation);
    exray_finding_number(f, "error_without_clipping", sqrt(e->unclipped) / e->deviation);
}

/* The named layer may err within noise where many that clip a little are beyond it together: then
 * what the roles show begins behind it. */
static void say_where_it_shows(const exray_comparison *comparison, size_t layer, exray_finding *f)
{
    if (exray_comparison_layer(comparison, layer)->role != EXRAY_LAYER_ROLE_CLEAN)
        return;
    for (size_t i = layer + 1; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *later = exray_comparison_layer(comparison, i);
        if (later->role != EXRAY_LAYER_ROLE_ORIGINATES && later->role != EXRAY_LAYER_ROLE_PROPAGATES)
            continue;
        exray_finding_detail(
            f,
            "By itself it errs within noise; such layers add up to more than that from layer %u "
            "(%s) on.",
            (unsigned)later->node[EXRAY_SIDE_EDGE], later->op[EXRAY_SIDE_EDGE]);
        return;
    }
}

/* The layers of one cause are one finding, at the first that matters. */
static void report(const exray_comparison *comparison, const judged *list, size_t count, fault which,
                   exray_findings *findings)
{
    double worst = 0;
    size_t layers = 0;
    const judged *first = NULL;
    for (size_t i = 0; i < count; i++)
        if (list[i].fault == which) {
            worst = fmax(worst, list[i].cost);
            layers++;
        }
    for (size_t i = 0; i < count && !first; i++)
        if (list[i].fault == which && list[i].cost >= SHARE_OF_WORST * worst)
            first = &list[i];
    if (!first)
        return;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, first->layer);
    bool summed = layer->from_stats || layer->from_sketch;
    exray_finding *f =
        exray_findings_add(findings, cause_of(which), EXRAY_SEVERITY_ERROR, summed ? 0.75 : 0.9);
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)first->layer);
    describe(comparison, first, f);
    if (summed)
        exray_finding_detail(f, "Estimated from statistics: the first such layer may be one nearby.");
    if (layers > 1)
        say_where_it_shows(comparison, first->layer, f);
    if (layers > 1)
        exray_finding_detail(f, "%zu layers have this; the worst costs %.2g of its signal.", layers, worst);
    exray_finding_number(f, "layers", (double)layers);
    for (size_t i = 0; i < count; i++) {
        if (list[i].fault != which)
            continue;
        char key[40];
        snprintf(key, sizeof key, "layer_%u",
                 (unsigned)exray_comparison_layer(comparison, list[i].layer)->node[EXRAY_SIDE_EDGE]);
        exray_finding_number(f, key, list[i].cost);
    }
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    bool clean = xr_inputs_are_clean(comparison);
    bool wrong = xr_something_is_wrong(comparison);
    judged *list = calloc(exray_comparison_layer_count(comparison) + 1, sizeof *list);
    if (!list)
        return error->status = EXRAY_E_MEMORY;
    limits limit = {exray_findings_option(findings, "clip_ratio"),
                    exray_findings_option(findings, "step_ratio")};
    size_t count = 0;
    exray_status status = judge_all(comparison, &limit, list, &count, error);
    if (status == EXRAY_OK) {
        /* A range that costs something is a fault where the model is wrong for it. */
        size_t found = count;
        if (!clean)
            count = keep_cut_off(comparison, list, count);
        else if (!wrong)
            count = keep_certain(list, count);
        report(comparison, list, count, TOO_NARROW, findings);
        report(comparison, list, count, OFF_CENTRE, findings);
        report(comparison, list, count, TOO_WIDE, findings);
        if (!clean && found && count == 0) {
            status = error->status = EXRAY_E_STATE;
            snprintf(error->message, sizeof error->message,
                     "the model's inputs differ: what narrow ranges cost is judged once they are equal%s",
                     any_alone(comparison) ? "" : ", or with --engine");
        }
    }
    free(list);
    return status;
}

static const char *const causes[] = {"layer.saturation", "layer.range", "layer.zero_point", NULL};
static const exray_option options[] = {
    {"clip_ratio", "times the rounding error that clipping may cost; the best calibration has 1", 3, 1, 1000},
    {"step_ratio", "times the reference's range that the layer's may be, where rounding is most of its error",
     6, 1, 1000},
    {.name = NULL},
};

const exray_assertion xr_assertion_layer_range = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.range",
    .summary = "every layer's quantization covers the reference's values, and little more",
    .causes = causes,
    .needs = "/model and /layer of both logs (statistics suffice for saturation), and clean inputs",
    .run = run,
    .options = options,
};
