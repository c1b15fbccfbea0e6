/* output.activation: an activation is missing, doubled, or another, at the model's end. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/head/head_check.h"
#include "checks/output/graph_tail.h"
#include "checks/output/labelling.h"
#include "checks/output/relation.h"
#include "checks/output/told.h"

#include <math.h>

typedef struct wording {
    const char *summary, *fix;
} wording;

/* What edge = f(reference) means, and reference = f(edge). */
static wording words_of(const xr_relation *r, xr_output_function f, bool inverse)
{
    bool doubled =
        f == XR_FUNCTION_SOFTMAX && r->probabilities[inverse ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE];
    if (doubled && !inverse)
        return (wording){
            "The edge applies softmax twice: its output is the softmax of the reference's, which "
            "are probabilities already.",
            "Remove the second softmax: the model has one at its end."};
    if (doubled)
        return (wording){"The reference applies softmax twice: its output is the softmax of the edge's "
                         "probabilities.",
                         "Remove the second softmax from the reference."};
    switch (f) {
    case XR_FUNCTION_SOFTMAX:
        return inverse ? (wording){"The softmax is missing on the edge: its output is logits.",
                                   "Apply softmax to the edge's output, or export the model with it."}
                       : (wording){"The edge applies a softmax that the reference does not have.",
                                   "Remove the softmax on the edge, or add it to the reference."};
    case XR_FUNCTION_SOFTMAX_TWICE:
        return inverse ? (wording){"The reference applies softmax twice, the edge not at all.",
                                   "Apply softmax once on both sides."}
                       : (wording){"The edge applies softmax twice, to logits.", "Apply softmax once."};
    case XR_FUNCTION_LOG_SOFTMAX:
        return inverse ? (wording){"The log-softmax is missing on the edge: its output is logits.",
                                   "Apply log-softmax to the edge's output."}
                       : (wording){"The edge applies a log-softmax that the reference does not have.",
                                   "Remove the log-softmax on the edge."};
    case XR_FUNCTION_SIGMOID:
        return inverse ? (wording){"The sigmoid is missing on the edge: its output is logits.",
                                   "Apply sigmoid to the edge's output, or export the model with it."}
                       : (wording){"The edge applies a sigmoid that the reference does not have.",
                                   "Remove the sigmoid on the edge, or add it to the reference."};
    case XR_FUNCTION_INVERSE:
        return (wording){"The edge's output is the inverse (1 / x) of the reference's.",
                         "Give one of the two on both sides: a depth or a disparity, a period or a rate."};
    case XR_FUNCTION_SQUARE:
        return inverse ? (wording){"The edge's output is the square root of the reference's.",
                                   "Take the square on the edge, or the root in the reference."}
                       : (wording){"The edge's output is the square of the reference's.",
                                   "Take the square root on the edge: it has a variance for a deviation."};
    case XR_FUNCTION_LOG:
        if (r->max[inverse ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE] > 1 + 1e-6)
            return inverse ? (wording){"The edge gives values where the reference gives their logarithms.",
                                       "Take the logarithm on the edge, or not in the reference."}
                           : (wording){"The edge gives the logarithms of the reference's values.",
                                       "Take the exponential on the edge, as the reference does."};
        return inverse ? (wording){"The edge gives probabilities where the reference gives their logarithms.",
                                   "Take the logarithm on the edge, or not in the reference."}
                       : (wording){"The edge gives the logarithms of the reference's probabilities.",
                                   "Take the exponential on the edge: it has a log-softmax for a softmax."};
    default:
        return inverse ? (wording){"The edge applies a sigmoid where the reference applies softmax.",
                                   "Use softmax on the edge."}
                       : (wording){"The edge applies softmax where the reference applies a sigmoid.",
                                   "Use sigmoid on the edge."};
    }
}

static const char *name_of(xr_output_function f, bool inverse)
{
    static const char *const names[2][XR_FUNCTION_COUNT] = {
        {"edge = softmax(reference)", "edge = softmax(softmax(reference))", "edge = log_softmax(reference)",
         "edge = sigmoid(reference)", "edge = log(reference)", "edge = softmax(logit(reference))",
         "edge = 1 / reference", "edge = reference ^ 2"},
        {"reference = softmax(edge)", "reference = softmax(softmax(edge))", "reference = log_softmax(edge)",
         "reference = sigmoid(edge)", "reference = log(edge)", "reference = softmax(logit(edge))",
         "reference = 1 / edge", "reference = edge ^ 2"}};
    return names[inverse][f];
}

static void add_alternatives(exray_finding *f, const xr_relation *r, const xr_candidate *best,
                             const xr_candidate *other)
{
    for (int d = 0; d < 2 && other; d++)
        for (int i = 0; i < XR_FUNCTION_COUNT; i++)
            if (other == &r->function[d][i]) {
                exray_finding_text(f, "runner_up", name_of((xr_output_function)i, d == 1));
                exray_finding_number(f, "runner_up_residual", other->residual);
                bool same =
                    best == &r->function[0][XR_FUNCTION_LOG] || best == &r->function[1][XR_FUNCTION_LOG];
                if (!same && other->explains && other->residual < 2 * best->residual)
                    exray_finding_detail(f, "The data cannot tell it from %s.",
                                         name_of((xr_output_function)i, d == 1));
            }
    if (r->affine.explains)
        exray_finding_alternative(f, "output.dequantization", 0.4);
}

/* Whether the values fit a difference of activations: one of the functions explains half of the
 * variance, or the outputs are too coarse to tell. */
static bool is_plausible(const xr_relation *r)
{
    for (int d = 0; d < 2; d++)
        for (int f = 0; f < XR_FUNCTION_COUNT; f++)
            if (r->function[d][f].residual < 0.7 && r->function[d][f].residual < r->function[d][f].before)
                return true;
    return r->coarse;
}

/* Where the values show nothing (8 bits leave hardly anything of a second softmax), compares the
 * graphs themselves. */
static void report_graphs(const exray_comparison *comparison, const xr_relation *r, exray_findings *findings)
{
    xr_tail edge = xr_output_tail(comparison, EXRAY_SIDE_EDGE, r->pair),
            reference = xr_output_tail(comparison, EXRAY_SIDE_REFERENCE, r->pair);
    if (!xr_tails_differ(&edge, &reference))
        return;
    char words[2][80];
    xr_tail_words(&edge, words[EXRAY_SIDE_EDGE], sizeof words[0]);
    xr_tail_words(&reference, words[EXRAY_SIDE_REFERENCE], sizeof words[0]);
    const exray_severity severity = xr_severity_by_told(comparison);
    exray_finding *f =
        exray_findings_add(findings, "output.activation", severity,
                           (xr_inputs_known(comparison) ? 0.93 : 0.85) * (is_plausible(r) ? 1 : 0.9));
    uint32_t layer = xr_tail_layer(comparison, r->io);
    exray_finding_where(f, "output", r->io->name[EXRAY_SIDE_EDGE],
                        layer == EXRAY_NO_INDEX ? xr_output_layer(comparison, r->io) : layer);
    exray_finding_summary(f, "The edge's model ends with %s, the reference's with %s.",
                          words[EXRAY_SIDE_EDGE], words[EXRAY_SIDE_REFERENCE]);
    exray_finding_detail(f, "So say the graphs of both logs, and the outputs differ by %.2g of the signal.",
                         r->io->error);
    exray_finding_fix(f, "Export both models with the same activation at the end, once.");
    xr_say_told(f, severity);
    exray_finding_text(f, "edge_tail", words[EXRAY_SIDE_EDGE]);
    exray_finding_text(f, "reference_tail", words[EXRAY_SIDE_REFERENCE]);
}

static exray_status report(const exray_comparison *comparison, const xr_relation *r, exray_findings *findings,
                           exray_error *error)
{
    (void)error;
    xr_output_function which = XR_FUNCTION_SOFTMAX;
    bool inverse = false;
    const xr_candidate *other = NULL;
    if (!xr_relation_function(r, &which, &inverse, &other)) {
        report_graphs(comparison, r, findings);
        return EXRAY_OK;
    }
    const xr_candidate *best = &r->function[inverse][which];
    if (xr_relation_is_affine(r, best))
        return EXRAY_OK;
    wording w = words_of(r, which, inverse);
    double sure = xr_inputs_known(comparison) ? 0.98 : 0.9;
    const exray_severity severity = xr_severity_by_told(comparison);
    exray_finding *f =
        exray_findings_add(findings, "output.activation", severity, r->affine.explains ? 0.6 : sure);
    exray_finding_where(f, "output", r->io->name[EXRAY_SIDE_EDGE], xr_output_layer(comparison, r->io));
    exray_finding_summary(f, "%s", w.summary);
    exray_finding_detail(f,
                         "%s leaves %.2g of the deviation, without it %.2g; noise explains %.2g. "
                         "%zu of %zu frames say so, none contradicts.",
                         name_of(which, inverse), best->residual, best->before, best->allowed,
                         best->supporting, r->frames);
    exray_finding_fix(f, "%s", w.fix);
    xr_say_told(f, severity);
    exray_finding_text(f, "relation", name_of(which, inverse));
    exray_finding_number(f, "residual_before", best->before);
    exray_finding_number(f, "residual_after", best->residual);
    exray_finding_number(f, "noise", best->allowed);
    exray_finding_number(f, "frames_supporting", (double)best->supporting);
    exray_finding_number(f, "frames", (double)r->frames);
    if (!r->affine.explains)
        exray_finding_number(f, XR_EXPLAINS_OUTPUT, 1);
    add_alternatives(f, r, best, other);
    return EXRAY_OK;
}

/* The application's own softmax on an output that has been through one: seen in the scores of its
 * results, whatever the inputs are. */
static exray_status check_scores(const exray_comparison *comparison, exray_findings *findings,
                                 exray_error *error)
{
    const xr_labelling *labels = xr_labelling_of(comparison, findings, error);
    if (!labels)
        return error->status;
    const xr_interpretation *edge = &labels->ranks[EXRAY_SIDE_EDGE].interpretation;
    const xr_interpretation *reference = &labels->ranks[EXRAY_SIDE_REFERENCE].interpretation;
    if (edge->state != XR_INTERPRETATION_EXPLAINED || !edge->softmax || !edge->probabilities ||
        xr_interpretation_same(edge, reference))
        return EXRAY_OK;
    exray_finding *f = exray_findings_add(findings, "output.activation", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's scores are the softmax of an output that is probabilities already.");
    exray_finding_detail(f, "In all of its %zu frames with scores.", edge->scored);
    exray_finding_fix(f,
                      "Take the scores from the output as they are: the model has an activation at its end.");
    exray_finding_number(f, "frames", (double)edge->scored);
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    exray_status status = check_scores(comparison, findings, error);
    return status == EXRAY_OK ? xr_each_relation(comparison, report, findings, error) : status;
}

static const char *const causes[] = {"output.activation", NULL};

const exray_assertion xr_assertion_output_activation = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.activation",
    .summary = "both sides end with the same activation",
    .causes = causes,
    .needs = "/output of both logs, with data; equal inputs",
    .run = run,
};
