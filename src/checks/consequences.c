#include "checks/consequences.h"

#include "checks/beyond_noise.h"
#include "checks/head/head_check.h"
#include "checks/layer/blame.h"
#include "checks/layer/layers_behind.h"
#include "checks/layer/run_together.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/coarse.h"
#include "checks/model/operator_report.h"
#include "checks/model/state/state_length.h"
#include "checks/output/graph_tail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_prefix(const char *cause, const char *prefix)
{
    return strncmp(cause, prefix, strlen(prefix)) == 0;
}

/* In the order in which data pass through the model: an earlier stage can cause errors of a later
 * one. */
static int stage_of(const exray_finding *f)
{
    static const char *const stages[] = {"input.", "model.", "layer.", "output.", "user.", "perf.", "log."};
    enum { COUNT = sizeof stages / sizeof *stages };
    for (int i = 0; i < COUNT; i++)
        if (has_prefix(f->cause, stages[i]))
            return i;
    return COUNT;
}

static bool is_unknown(const exray_finding *f)
{
    size_t length = strlen(f->cause);
    return length > 8 && strcmp(f->cause + length - 8, ".unknown") == 0;
}

static bool is_whole(const exray_finding *f)
{
    return strcmp(f->cause, "model.mode") == 0 || strcmp(f->cause, "model.version") == 0;
}

static int compare(const void *left, const void *right)
{
    const exray_finding *a = *(exray_finding *const *)left, *b = *(exray_finding *const *)right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int stage = stage_of(a) - stage_of(b);
    if (stage)
        return stage;
    /* The whole model before its layers. */
    if (is_whole(a) != is_whole(b))
        return is_whole(a) ? -1 : 1;
    /* A named cause comes before "something else differs, too". */
    if (is_unknown(a) != is_unknown(b))
        return is_unknown(a) ? 1 : -1;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    bool doubtful = a->confidence < 0.5;
    if (doubtful != (b->confidence < 0.5))
        return doubtful ? 1 : -1;
    return (a->number > b->number) - (a->number < b->number);
}

static bool is_of_kind(const exray_finding *f, const char *cause, const char *kind)
{
    const xr_evidence *is = strcmp(f->cause, cause) == 0 ? xr_finding_evidence(f, "kind") : NULL;
    return is && is->text && strcmp(is->text, kind) == 0;
}

/* An error that builds up over many layers: a cause named for any layer accounts for it. */
static bool is_build_up(const exray_finding *f)
{
    return xr_finding_evidence(f, "build_up") != NULL;
}

/* Whether `cause`, which is about the model or some of its layers, explains why the layer of `f`
 * computes something else: it is about the whole model, or lists that layer. */
static bool layers_account_for(const exray_comparison *comparison, const exray_finding *cause,
                               const exray_finding *f)
{
    if (strcmp(cause->cause, "model.version") == 0)
        return true;
    bool of_operator = strcmp(cause->cause, "model.operator") == 0;
    bool lists_layers = of_operator || strcmp(cause->cause, "model.weights") == 0 ||
                        (has_prefix(cause->cause, "layer.") && !is_unknown(cause));
    if (!lists_layers || !comparison || f->layer == EXRAY_NO_INDEX)
        return false;
    if (is_build_up(f))
        return true;
    /* From statistics only a lower bound of the error is known: it may begin at an earlier layer. */
    if (exray_comparison_layer(comparison, f->layer)->from_stats && cause->layer != EXRAY_NO_INDEX &&
        cause->layer < f->layer)
        return true;
    /* What a warning says is little does not hide an error behind it, of layers that were not compared. */
    return cause->severity == EXRAY_SEVERITY_ERROR || f->severity != EXRAY_SEVERITY_ERROR
               ? xr_is_about_layer_or_run_with(comparison, cause, f->layer)
               : xr_is_about_layer(comparison, cause, f->layer);
}

static double evidence_number(const exray_finding *f, const char *key)
{
    const xr_evidence *e = xr_finding_evidence(f, key);
    return e && !e->text ? e->number : NAN;
}

/* A layer of 8 bits whose error is only a little above the usual is reported because the outputs
 * are wrong.  Where the outputs are wrong for another reason, nothing speaks against the layer. */
static bool is_doubtful_layer(const exray_finding *f)
{
    double error = evidence_number(f, "error_to_signal"), noise = evidence_number(f, "noise_to_signal");
    return noise > XR_COARSE_NOISE && error < 3 * noise;
}

/* An output that is a function of the reference's output (an activation, a scale) explains the
 * errors of all layers from the place of `cause` on. */
static bool output_accounts_for(const exray_finding *cause, const exray_finding *f)
{
    if (!has_prefix(cause->cause, "output.") || !cause->stage || strcmp(cause->stage, "output") != 0)
        return false;
    bool behind = cause->layer != EXRAY_NO_INDEX && f->layer != EXRAY_NO_INDEX && f->layer >= cause->layer;
    return behind || is_doubtful_layer(f);
}

/* Whether a layer reads, maybe through others, what an earlier one made.  Out of memory: it may. */
static bool reads_from(const exray_comparison *comparison, uint32_t earlier, uint32_t later)
{
    const size_t layers = exray_comparison_layer_count(comparison);
    bool *behind = earlier < layers && later < layers ? calloc(layers, sizeof *behind) : NULL;
    if (!behind)
        return true;
    behind[earlier] = true;
    const bool reads = !xr_mark_behind(comparison, behind) || behind[later];
    free(behind);
    return reads;
}

/* Behind a layer that has a cause, one of 8 bits whose error is only a little above the usual makes more of
 * what it was given: of a mean of many values the noise of those is averaged away, and what they are all off
 * by is not.  Nor is one to blame that errs so little where it was run alone. */
static bool earlier_layer_accounts_for(const exray_comparison *comparison, const exray_finding *cause,
                                       const exray_finding *f)
{
    bool of_layers = strcmp(cause->cause, "model.operator") == 0 ||
                     strcmp(cause->cause, "model.weights") == 0 ||
                     (has_prefix(cause->cause, "layer.") && !is_unknown(cause));
    return of_layers && cause->layer != EXRAY_NO_INDEX && f->layer != EXRAY_NO_INDEX &&
           cause->layer < f->layer &&
           (is_doubtful_layer(f) ||
            (comparison && xr_may_be_rounding(comparison, exray_comparison_layer(comparison, f->layer)))) &&
           (!comparison || reads_from(comparison, cause->layer, f->layer));
}

/* Factors of channels and biases that a folded normalization has: it is another one in training mode alone.
 */
static bool is_folded(const exray_finding *mode, const exray_finding *f)
{
    double differ = evidence_number(f, "weights_differ"), rescaled = evidence_number(f, "weights_rescaled");
    return strcmp(f->cause, "model.weights") == 0 && evidence_number(mode, "batch_norms") > 0 &&
           differ == (isnan(rescaled) ? 0 : rescaled);
}

/* Whether each layer that the finding lists is listed by the other, too. */
static bool lists_no_other_layer(const exray_finding *f, const exray_finding *other)
{
    size_t listed = 0;
    for (size_t i = 0; i < f->evidence_count; i++) {
        if (strncmp(f->evidence[i].key, "layer_", strlen("layer_")) != 0)
            continue;
        if (!xr_finding_evidence(other, f->evidence[i].key))
            return false;
        listed++;
    }
    return listed > 0;
}

/* Weights that differ by a factor for each channel alone, in graphs that are not the same: a scale before or
 * behind the layer was folded into them, which is no fault; that the layer is wrong follows from an operator
 * that is another.  One factor for all of a layer is in its bias, too.  With a normalization, which that
 * operator may be, a shift is folded into the bias; other biases are not hidden behind a warning. */
static bool is_folded_scale(const exray_comparison *comparison, const exray_finding *operator,
                            const exray_finding * f)
{
    uint32_t nodes[2] = {0, 0};
    for (int s = 0; comparison && s < 2; s++) {
        const exray_model *model = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
        nodes[s] = model ? model->node_count : 0;
    }
    return strcmp(operator->cause, "model.operator") == 0 && strcmp(f->cause, "model.weights") == 0 &&
           evidence_number(f, "weights_differ") == evidence_number(f, "weights_rescaled") &&
           (evidence_number(f, "biases_differ") == 0 ||
            evidence_number(f, "biases_differ") == evidence_number(f, "biases_rescaled") ||
            (operator->severity == EXRAY_SEVERITY_ERROR && lists_no_other_layer(f, operator))) &&
           nodes[0] != nodes[1];
}

/* Whether `f` is about a layer at or behind the one that `cause` begins at, or about what comes after all. */
static bool is_behind(const exray_finding *cause, const exray_finding *f)
{
    bool layers = has_prefix(f->cause, "layer.") || strcmp(f->cause, "model.operator") == 0;
    if (!layers)
        return has_prefix(f->cause, "output.");
    return cause->layer == EXRAY_NO_INDEX || f->layer == EXRAY_NO_INDEX || f->layer >= cause->layer;
}

/* Behind exchanged inputs nothing is known of a layer that was not run alone.  In two files, layers may even
 * be paired with those of another branch, whose values they have; then running them alone proves nothing. */
static bool exchange_accounts_for(const exray_comparison *comparison, const exray_finding *cause,
                                  const exray_finding *f)
{
    const exray_layer_pair *layer =
        comparison && f->layer != EXRAY_NO_INDEX ? exray_comparison_layer(comparison, f->layer) : NULL;
    bool blamed = strcmp(f->cause, "layer.kernel") == 0 || strcmp(f->cause, "layer.unknown") == 0;
    /* Layers that were paired by their values read each other's places then. */
    const xr_evidence *attribute = xr_finding_evidence(f, "attribute");
    if (strcmp(cause->cause, "input.order") == 0 && strcmp(f->cause, "model.operator") == 0 && attribute &&
        attribute->text && strcmp(attribute->text, "inputs") == 0)
        return true;
    return strcmp(cause->cause, "input.order") == 0 && blamed && layer &&
           (isnan(layer->isolated_error) || !xr_is_same_file(comparison));
}

/* Behind layers that are wrong for another reason, rows of an output that are nearly another unit's are so by
 * chance, unless every row is. */
static bool wrong_layers_account_for(const exray_finding *cause, const exray_finding *f)
{
    bool named = strcmp(cause->cause, "model.weights") == 0 ||
                 (has_prefix(cause->cause, "layer.") && !is_unknown(cause));
    bool format =
        strcmp(f->cause, "output.box_format") == 0 || strcmp(f->cause, "output.dequantization") == 0;
    return named && format && !xr_finding_evidence(f, XR_EXPLAINS_OUTPUT);
}

/* Whether the layer that makes a tensor of the edge's only passes an error on, or has that cause itself. */
static bool is_propagated(const exray_comparison *comparison, const exray_finding *cause, uint32_t tensor)
{
    const size_t i = xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, tensor);
    return i != SIZE_MAX && (exray_comparison_layer(comparison, i)->role == EXRAY_LAYER_ROLE_PROPAGATES ||
                             xr_is_about_layer(comparison, cause, i));
}

/* Rows of an output that the model itself puts in another order, where its weights are others: of a decoder's
 * queries, of a head's classes. */
static bool weights_account_for_order(const exray_comparison *comparison, const exray_finding *cause,
                                      const exray_finding *f)
{
    if (!comparison || strcmp(cause->cause, "model.weights") != 0 || strcmp(f->cause, "output.order") != 0 ||
        !(xr_finding_evidence(f, "order") || is_of_kind(f, "output.order", "shifted")))
        return false;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *io = exray_comparison_output(comparison, i);
        if (f->tensor && strcmp(io->name[EXRAY_SIDE_EDGE], f->tensor) == 0)
            return is_propagated(comparison, cause, xr_output_tensor(comparison, EXRAY_SIDE_EDGE, i));
    }
    return false;
}

/* The range that an input is quantized to changes what all layers get. */
static bool input_range_accounts_for(const exray_finding *cause, const exray_finding *f)
{
    return has_prefix(cause->cause, "layer.") && cause->stage && strcmp(cause->stage, "input") == 0 &&
           (strcmp(f->cause, "layer.kernel") == 0 || strcmp(f->cause, "layer.unknown") == 0);
}

/* Whether `f` is about layers from `layer` on alone. */
static bool begins_at(const exray_comparison *comparison, const exray_finding *f, uint32_t layer)
{
    if (f->layer != EXRAY_NO_INDEX)
        return f->layer >= layer;
    for (uint32_t i = 0; i < layer; i++)
        if (xr_is_about_layer(comparison, f, i))
            return false;
    return xr_is_about_layer(comparison, f, layer);
}

/* Vectors alone: what a graph multiplies with or adds, such as the strides of a detector's levels. */
static bool is_of_vectors(const exray_finding *f)
{
    return strcmp(f->cause, "model.weights") == 0 && evidence_number(f, "weights_differ") == 0;
}

/* An output whose every row is explained by another format: then the operators, the vectors, or what seems a
 * kernel, that make it so at the model's end are how it came about. */
static bool whole_format_accounts_for(const exray_comparison *comparison, const exray_finding *cause,
                                      const exray_finding *f)
{
    const bool of_layer = strcmp(f->cause, "model.operator") == 0 || strcmp(f->cause, "layer.kernel") == 0 ||
                          strcmp(f->cause, "layer.unknown") == 0 || is_of_vectors(f);
    if (!of_layer || !comparison || !xr_finding_evidence(cause, XR_EXPLAINS_OUTPUT))
        return false;
    if (xr_finding_evidence(f, XR_AT_OUTPUT) && exray_comparison_output_count(comparison) == 1)
        return true;
    return cause->layer != EXRAY_NO_INDEX && begins_at(comparison, f, cause->layer);
}

/* A layer of one value that an operator makes so, which is told as another. */
static bool operator_accounts_for_dead_layer(const exray_comparison *comparison, const exray_finding *cause,
                                             const exray_finding *f)
{
    return comparison && strcmp(cause->cause, "model.operator") == 0 &&
           strcmp(f->cause, "layer.constant") == 0 && f->layer != EXRAY_NO_INDEX &&
           xr_is_about_layer_or_run_with(comparison, cause, f->layer);
}

/* An output of one value, where a layer or the model has a cause: nothing passes through it. */
static bool accounts_for_dead_output(const exray_finding *cause, const exray_finding *f)
{
    const bool accepted = cause->known && !f->known; /* that one only */
    return !accepted && cause->severity == EXRAY_SEVERITY_ERROR && strcmp(f->cause, "layer.constant") == 0 &&
           f->stage && strcmp(f->stage, "output") == 0 &&
           (has_prefix(cause->cause, "layer.") || has_prefix(cause->cause, "model.")) && cause != f &&
           strcmp(cause->cause, "layer.constant") != 0 && strcmp(cause->cause, "layer.unknown") != 0;
}

/* Another format of an output that the application knows: a warning, and why the output differs. */
static bool format_accounts_for(const exray_finding *cause, const exray_finding *f)
{
    return cause->severity == EXRAY_SEVERITY_WARNING && has_prefix(cause->cause, "output.") && cause->stage &&
           f->stage && strcmp(cause->stage, "output") == 0 && strcmp(f->cause, "layer.unknown") == 0 &&
           (output_accounts_for(cause, f) || (strcmp(f->stage, "output") == 0 && cause->tensor && f->tensor &&
                                              strcmp(cause->tensor, f->tensor) == 0));
}

/* What is wrong behind an input of which no numbers were compared: the finding says that the input may be
 * why. */
static bool input_accounts_for(const exray_finding *cause, const exray_finding *f)
{
    bool open = false;
    for (size_t i = 0; i < f->alternative_count; i++)
        open = open || strcmp(f->alternative[i].cause, "input.unknown") == 0;
    return open && strcmp(f->cause, "layer.unknown") == 0 && has_prefix(cause->cause, "input.");
}

/* Whether `cause` accounts for `f`, one of the unexplained differences that any earlier fault
 * leads to.  Findings with a named cause are faults of their own and are not suppressed. */
static bool accounts_for(const exray_comparison *comparison, const exray_finding *cause,
                         const exray_finding *f)
{
    /* Another operator of little effect is a warning, and the cause nevertheless; one whose effect is said to
     * end within the model (info) is none of outputs that are wrong. */
    bool of_operator = strcmp(cause->cause, "model.operator") == 0;
    bool counts = cause->severity == EXRAY_SEVERITY_ERROR ||
                  (of_operator && (cause->severity == EXRAY_SEVERITY_WARNING ||
                                   (comparison && xr_outputs_agree(comparison))));
    if (cause != f && !cause->is_consequence &&
        (format_accounts_for(cause, f) || whole_format_accounts_for(comparison, cause, f) ||
         accounts_for_dead_output(cause, f)))
        return true;
    /* What follows from folded weights follows from what was folded into them. */
    if (cause != f && cause->is_consequence && strcmp(cause->cause, "model.weights") == 0 &&
        strcmp(f->cause, "layer.unknown") == 0 && layers_account_for(comparison, cause, f))
        return true;
    if (cause == f || cause->is_consequence || !counts)
        return false;
    if (stage_of(cause) > 3 || !f->stage)
        return false;
    /* Who accepts a broad cause accepts what cannot be explained behind it, and no other cause that was
     * proven. */
    bool broad = !(cause->known && !f->known && !is_unknown(f));
    /* Another model computes other values everywhere. */
    if (broad && strcmp(cause->cause, "model.version") == 0 &&
        (has_prefix(f->cause, "layer.") || strcmp(f->cause, "model.operator") == 0 ||
         strcmp(f->cause, "output.order") == 0))
        return true;
    /* Of another state every layer behind it makes other values of the same inputs. */
    if (broad && strcmp(cause->cause, "model.state") == 0 && has_prefix(f->cause, "layer."))
        return true;
    if (broad && xr_follows_from_state(comparison, cause, f))
        return true;
    /* A model that was shown to run late has the outputs of the frame before. */
    if (strcmp(f->cause, "output.frame_order") == 0 && is_of_kind(cause, "model.state", "late"))
        return true;
    if (strcmp(cause->cause, "model.mode") == 0 && (is_folded(cause, f) || (broad && is_behind(cause, f))))
        return true;
    if (is_folded_scale(comparison, cause, f))
        return true;
    if (xr_finding_evidence(f, XR_BEHIND_WRONG_INPUT))
        return has_prefix(cause->cause, "input.");
    if (input_accounts_for(cause, f))
        return true;
    if (has_prefix(f->cause, "output.") && is_unknown(f))
        return stage_of(cause) < 3;
    if (broad && operator_accounts_for_dead_layer(comparison, cause, f))
        return true;
    if (wrong_layers_account_for(cause, f) || weights_account_for_order(comparison, cause, f))
        return true;
    if (exchange_accounts_for(comparison, cause, f) || (broad && input_range_accounts_for(cause, f)))
        return true;
    /* Where one scale costs that much somewhere, it costs a little more than usual elsewhere. */
    if (strcmp(cause->cause, "layer.per_tensor_weights") == 0 && strcmp(f->cause, "layer.unknown") == 0 &&
        is_doubtful_layer(f))
        return true;
    if (strcmp(f->cause, "layer.unknown") == 0 &&
        (layers_account_for(comparison, cause, f) || output_accounts_for(cause, f) ||
         earlier_layer_accounts_for(comparison, cause, f)))
        return true;
    /* A difference that is seen only at the outputs, behind any earlier fault. */
    if (strcmp(f->cause, "layer.unknown") == 0 && strcmp(f->stage, "output") == 0)
        return !is_unknown(cause) || stage_of(cause) < 2 ||
               (cause->stage && strcmp(cause->stage, "layer") == 0);
    return false;
}

static void note_consequence(exray_finding *cause, const exray_finding *f)
{
    for (size_t i = 0; i < cause->evidence_count; i++) {
        xr_evidence *e = &cause->evidence[i];
        if (strcmp(e->key, "consequences") != 0 || !e->text)
            continue;
        size_t size = strlen(e->text) + strlen(f->cause) + 3;
        char *joined = malloc(size);
        if (joined) {
            snprintf(joined, size, "%s, %s", e->text, f->cause);
            free(e->text);
            e->text = joined;
        }
        return;
    }
    exray_finding_text(cause, "consequences", f->cause);
}

/* Counts the layers that only propagate an error: consequences of the first cause. */
static void note_layers(const exray_comparison *comparison, exray_finding *cause)
{
    size_t propagating = 0;
    for (size_t i = 0; comparison && i < exray_comparison_layer_count(comparison); i++)
        propagating += exray_comparison_layer(comparison, i)->role == EXRAY_LAYER_ROLE_PROPAGATES;
    if (propagating)
        exray_finding_number(cause, "propagating_layers", (double)propagating);
}

/* Outputs that differ and of which nothing else is known: they are of one model, and one finding lists them.
 */
static void join_outputs(exray_findings *findings)
{
    exray_finding *first = NULL;
    for (exray_finding *f = findings->first; f; f = f->next) {
        if (f->is_consequence || strcmp(f->cause, "layer.unknown") != 0 || !f->stage ||
            strcmp(f->stage, "output") != 0 || !f->tensor || f->severity != EXRAY_SEVERITY_ERROR || f->known)
            continue;
        if (!first) {
            first = f;
            continue;
        }
        f->is_consequence = true;
        note_consequence(first, f);
        exray_finding_detail(first, "%s", f->summary);
    }
}

size_t xr_suppress_consequences(const exray_comparison *comparison, exray_findings *findings,
                                exray_finding **shown)
{
    for (exray_finding *f = findings->first; f; f = f->next)
        for (exray_finding *cause = findings->first; cause && !f->is_consequence; cause = cause->next)
            if (accounts_for(comparison, cause, f)) {
                f->is_consequence = true;
                note_consequence(cause, f);
                if (xr_finding_evidence(f, XR_BEHIND_WRONG_INPUT) ||
                    (xr_finding_evidence(cause, XR_EXPLAINS_OUTPUT) &&
                     strcmp(f->cause, "model.operator") == 0))
                    exray_finding_detail(cause, "%s", f->summary);
                if (xr_finding_evidence(cause, XR_EXPLAINS_OUTPUT) && is_of_vectors(f) && f->detail_count)
                    exray_finding_detail(cause, "%s", f->detail[0]);
            }
    join_outputs(findings);
    size_t count = 0;
    for (exray_finding *f = findings->first; f; f = f->next)
        if (!f->is_consequence)
            shown[count++] = f;
    qsort(shown, count, sizeof *shown, compare);
    if (count && shown[0]->severity == EXRAY_SEVERITY_ERROR)
        note_layers(comparison, shown[0]);
    return count;
}
