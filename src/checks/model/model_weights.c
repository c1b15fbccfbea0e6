/* model.weights: some layers' weights differ beyond what storing them explains. */
#include "checks/builtin.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/model_fit.h"
#include "checks/model/partition.h"
#include "checks/model/weights/body_weights.h"
#include "checks/model/weights/made_up_for.h"
#include "checks/place_of.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NAMED = 6 };

/* The pair of layers that computes with the weights: where they were paired by name alone, the partition that
 * they lie in.  SIZE_MAX: unknown. */
static size_t layer_of(const exray_comparison *comparison, const xr_weight_pair *pair)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    size_t count = pair->layer == SIZE_MAX && model ? exray_comparison_layer_count(comparison) : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t n = exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE];
        if (n < model->node_count && model->nodes[n].inner_count &&
            xr_partition_reads(&model->nodes[n], pair->of[EXRAY_SIDE_EDGE].tensor))
            return i;
    }
    return pair->layer;
}

/* ", of the forget gate": which gates of a recurrent layer are others, where some are not. */
static const char *some_gates(const xr_weight_pair *pair, char text[80])
{
    static const struct {
        char letter;
        const char *name;
    } names[] = {{'i', "input"}, {'f', "forget"}, {'c', "cell"},  {'o', "output"},
                 {'r', "reset"}, {'z', "update"}, {'h', "hidden"}};
    size_t count = pair->gates ? strlen(pair->gates) : 0, used = 0;
    text[0] = 0;
    if (!count || !pair->gates_differ || pair->gates_differ + 1 == 1u << count)
        return text;
    for (size_t g = 0; g < count; g++)
        for (size_t n = 0; (pair->gates_differ >> g & 1) && n < sizeof names / sizeof *names; n++)
            if (names[n].letter == pair->gates[g])
                used += (size_t)snprintf(text + used, 80 - used, "%s%s", used ? " and " : ", of the ",
                                         names[n].name);
    snprintf(text + used, 80 - used, " gate%s", strstr(text, " and ") ? "s" : "");
    return text;
}

/* Whether each of two weights has the values of the other. */
static bool are_exchanged(const xr_model_fit *fit, const xr_weight_pair *pair)
{
    const xr_weight_pair *other = &fit->pair[pair->from];
    return other->from != SIZE_MAX && &fit->pair[other->from] == pair;
}

/* "layer_17": how far its weights are off; xr_is_about_layer looks it up. */
static void add_layer(const exray_comparison *comparison, exray_finding *f, const xr_model_fit *fit,
                      const xr_weight_pair *pair, size_t shown)
{
    char key[40], gates[80];
    size_t layer = layer_of(comparison, pair);
    unsigned node = layer == SIZE_MAX
                        ? EXRAY_NO_INDEX
                        : (unsigned)exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE];
    if (layer != SIZE_MAX) {
        snprintf(key, sizeof key, "layer_%u", node);
        exray_finding_number(f, key, pair->difference);
    }
    if (shown >= MOST_NAMED)
        return;
    char place[32] = "";
    if (layer != SIZE_MAX)
        snprintf(place, sizeof place, "Layer %u, ", node);
    if (pair->transposed) {
        exray_finding_detail(f, "%sweights %.*s: transposed; the same values with two dimensions exchanged.",
                             place, XR_SHORT_NAME(pair->name ? pair->name : ""));
        return;
    }
    if (pair->crossed) {
        exray_finding_detail(
            f,
            "%s%s %.*s: in the place of others of this layer (another input's, the other direction's, or "
            "the state's for the inputs'); their values are the same.",
            place, pair->bias ? "biases" : "weights", XR_SHORT_NAME(pair->name ? pair->name : ""));
        return;
    }
    if (pair->gates_exchanged) {
        exray_finding_detail(f, "%s%s %.*s: the gates are in another order; their values are the same.",
                             place, pair->bias ? "biases" : "weights",
                             XR_SHORT_NAME(pair->name ? pair->name : ""));
        return;
    }
    if (pair->from != SIZE_MAX) {
        const xr_weight_pair *other = &fit->pair[pair->from];
        exray_finding_detail(f, "%s%s %.*s: the values of the reference's %.*s%s.", place,
                             pair->bias ? "biases" : "weights", XR_SHORT_NAME(pair->name ? pair->name : ""),
                             XR_SHORT_NAME(other->name ? other->name : ""),
                             are_exchanged(fit, pair) ? ", which has these: the two are exchanged" : "");
        return;
    }
    if (pair->order) {
        exray_finding_detail(f, "%s%s %.*s: the same values, in another order along dimension %u.", place,
                             pair->bias ? "biases" : "weights", XR_SHORT_NAME(pair->name ? pair->name : ""),
                             (unsigned)pair->along);
        return;
    }
    if (pair->not_finite) {
        exray_finding_detail(f, "%s%s %.*s: %" PRIu64 " values are NaN or infinite.", place,
                             pair->bias ? "biases" : "weights", XR_SHORT_NAME(pair->name ? pair->name : ""),
                             pair->not_finite);
        return;
    }
    for (int s = 0; s < 2; s++)
        if (pair->zeroed[s]) {
            exray_finding_detail(f,
                                 "%s%s %.*s: %" PRIu64 " of %" PRIu64 " values are zero %s alone (pruned, or "
                                 "not loaded); the others are the same.",
                                 place, pair->bias ? "biases" : "weights",
                                 XR_SHORT_NAME(pair->name ? pair->name : ""), pair->zeroed[s], pair->count,
                                 s ? "in the reference" : "on the edge");
            return;
        }
    exray_finding_detail(f, "%s%s %.*s%s: off by %.2g of their deviation; rounding explains %.2g.", place,
                         pair->bias ? "biases" : "weights", XR_SHORT_NAME(pair->name ? pair->name : ""),
                         some_gates(pair, gates), pair->difference, pair->rounding);
}

/* Whether a node reads what another makes of a constant, which has no counterpart of its own: a normalization
 * in another place was judged with each layer behind it. */
static bool reads_through(const exray_comparison *comparison, const exray_model *model, uint32_t node,
                          uint32_t constant)
{
    for (uint32_t i = 0; i < model->nodes[node].input_count; i++) {
        uint32_t maker, output;
        if (xr_place_of(model, model->nodes[node].inputs[i], &maker, &output) &&
            xr_node_reads(&model->nodes[maker], constant) &&
            xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, model->nodes[node].inputs[i]) == SIZE_MAX)
            return true;
    }
    return false;
}

/* Whether the reference's node of a layer reads its constant, which the edge's leaves to the next. */
static bool reference_reads(const exray_comparison *comparison, size_t layer, uint32_t constant)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    const uint32_t n = exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_REFERENCE];
    return model && n < model->node_count && xr_node_reads(&model->nodes[n], constant);
}

/* The other layers that read the same constant, by themselves or through such a node. */
static void add_readers(const exray_comparison *comparison, exray_finding *f, const xr_weight_pair *pair)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    for (size_t i = 0; model && i < exray_comparison_layer_count(comparison); i++) {
        uint32_t n = exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE];
        const uint32_t constant = pair->of[EXRAY_SIDE_EDGE].tensor;
        const bool reads =
            i != pair->layer && n < model->node_count &&
            (xr_node_reads(&model->nodes[n], constant) || reads_through(comparison, model, n, constant) ||
             reference_reads(comparison, i, pair->of[EXRAY_SIDE_REFERENCE].tensor));
        char key[40];
        snprintf(key, sizeof key, "layer_%u", (unsigned)n);
        if (reads)
            exray_finding_number(f, key, pair->difference);
    }
}

static bool are_all_elsewhere(const xr_model_fit *fit)
{
    for (size_t i = 0; i < fit->count; i++)
        if (fit->pair[i].differs && fit->pair[i].from == SIZE_MAX)
            return false;
    return true;
}

static void say_exchange(exray_finding *f, const xr_model_fit *fit, const xr_weight_pair *first)
{
    const xr_weight_pair *other = &fit->pair[first->from];
    bool exchanged = true;
    for (size_t i = 0; i < fit->count; i++)
        exchanged = exchanged && (!fit->pair[i].differs || are_exchanged(fit, &fit->pair[i]));
    exray_finding_summary(
        f,
        "The weights of %zu layers and the biases of %zu are %s: %.*s has the values of the reference's "
        "%.*s%s.",
        fit->weights_differ, fit->biases_differ, exchanged ? "exchanged" : "those of other layers",
        XR_SHORT_NAME(first->name ? first->name : ""), XR_SHORT_NAME(other->name ? other->name : ""),
        are_exchanged(fit, first) ? ", which has its" : "");
    exray_finding_text(f, "kind", exchanged ? "exchanged" : "elsewhere");
}

/* How many biases differ by the one factor that the weights of their layer do, and one number that is added
 * to all of them: what the layer makes is scaled and shifted, as for a function behind it. */
static size_t scaled_biases(const xr_model_fit *fit)
{
    static const double near = 1e-3;
    size_t count = 0;
    for (size_t i = 0; i < fit->count; i++) {
        const xr_weight_pair *b = &fit->pair[i];
        const bool may = b->bias && b->differs && b->correlation > XR_ONE_FACTOR;
        bool scaled = false;
        for (size_t k = 0; may && k < fit->count && !scaled; k++) {
            const xr_weight_pair *w = &fit->pair[k];
            const double gain = sqrt(w->square[0] / w->square[1]),
                         own = xr_weight_deviation(b, 0) / xr_weight_deviation(b, 1);
            scaled = !w->bias && w->layer == b->layer && w->rescaled && w->correlation > XR_ONE_FACTOR &&
                     fabs(gain - own) <= near * gain;
        }
        count += scaled;
    }
    return count;
}

static void report(const exray_comparison *comparison, const xr_model_fit *fit, exray_findings *findings)
{
    const xr_weight_pair *first = NULL;
    for (size_t i = 0; i < fit->count && !first; i++)
        if (fit->pair[i].differs)
            first = &fit->pair[i];
    if (!first)
        return;
    exray_finding *f =
        exray_findings_add(findings, "model.weights", EXRAY_SEVERITY_ERROR, fit->from_stats ? 0.8 : 0.97);
    size_t layer = layer_of(comparison, first);
    exray_finding_where(f, "model", first->name, layer == SIZE_MAX ? EXRAY_NO_INDEX : (uint32_t)layer);
    if (first->from != SIZE_MAX && are_all_elsewhere(fit))
        say_exchange(f, fit, first);
    else
        exray_finding_summary(f, "The weights of %zu of %zu layers and the biases of %zu of %zu are others.",
                              fit->weights_differ, fit->weights, fit->biases_differ, fit->biases);
    size_t shown = 0;
    uint32_t last = EXRAY_NO_INDEX; /* parts of one constant are told once */
    for (size_t i = 0; i < fit->count; i++)
        if (fit->pair[i].differs && fit->pair[i].of[EXRAY_SIDE_EDGE].tensor != last) {
            last = fit->pair[i].of[EXRAY_SIDE_EDGE].tensor;
            add_layer(comparison, f, fit, &fit->pair[i], shown++);
            add_readers(comparison, f, &fit->pair[i]);
        }
    xr_body_weights_tell(comparison, f);
    if (shown > MOST_NAMED)
        exray_finding_detail(f, "%zu more; all are in the JSON.", shown - MOST_NAMED);
    if (fit->from_stats)
        exray_finding_detail(f, "Seen in means and deviations alone; --capture full would show the weights.");
    exray_finding_fix(f, fit->elsewhere
                             ? "Load and name each weight by its whole name: lists sorted as text put "
                               "layer 10 before layer 2, and a loop's number may be off by one."
                             : "Convert the model again, and compare the file on the device with the "
                               "one deployed.");
    exray_finding_number(f, "weights_compared", (double)fit->weights);
    exray_finding_number(f, "weights_differ", (double)fit->weights_differ);
    if (fit->elsewhere)
        exray_finding_number(f, "weights_elsewhere", (double)fit->elsewhere);
    if (fit->rescaled)
        exray_finding_number(f, "weights_rescaled", (double)fit->rescaled);
    exray_finding_number(f, "biases_differ", (double)fit->biases_differ);
    const size_t biases_rescaled = scaled_biases(fit);
    if (biases_rescaled)
        exray_finding_number(f, "biases_rescaled", (double)biases_rescaled);
    exray_finding_number(f, "difference", first->difference);
    exray_finding_number(f, "rounding", first->rounding);
    if (fit->weights < 3 && fit->weights_differ == fit->weights)
        exray_finding_alternative(f, "model.version", 0.5);
}

/* Weights within bodies alone, which no constants of the logs are. */
static void report_bodies(const exray_comparison *comparison, const xr_body_weights *bodies,
                          exray_findings *findings)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, bodies->layer);
    exray_finding *f = exray_findings_add(findings, "model.weights", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "model", layer->name[EXRAY_SIDE_EDGE], (uint32_t)bodies->layer);
    exray_finding_summary(
        f, "The weights within the bodies of %zu %s are others: %.40s of layer %u (%s) %.*s.", bodies->layers,
        bodies->layers == 1 ? "layer" : "layers", bodies->key, (unsigned)layer->node[EXRAY_SIDE_EDGE],
        layer->op[EXRAY_SIDE_EDGE], XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
    xr_body_weights_tell(comparison, f);
    exray_finding_fix(f,
                      "Convert the model again, and compare the file on the device with the one deployed.");
    exray_finding_number(f, "bodies_differ", (double)bodies->layers);
    exray_finding_alternative(f, "model.version", 0.3);
}

static bool has_any(const xr_model_fit *fit)
{
    for (size_t i = 0; i < fit->count; i++)
        if (fit->pair[i].differs)
            return true;
    return false;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    xr_body_weights bodies;
    const xr_model_fit *fit = NULL;
    exray_status status = xr_model_fit_get(comparison, findings, &fit, error);
    if (status == EXRAY_OK && !fit->other_architecture && !has_any(fit) &&
        xr_body_weights_find(comparison, &bodies))
        report_bodies(comparison, &bodies, findings);
    else if (status == EXRAY_OK && fit->why && !fit->other_architecture) {
        status = error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message, "%s", fit->why);
    } else if (status == EXRAY_OK && !fit->other_architecture &&
               !xr_model_fit_all_over(fit, exray_findings_option(findings, "share")))
        report(comparison, fit, findings);
    return status;
}

static const char *const causes[] = {"model.weights", NULL};
static const exray_option options[] = {
    {"rounding_factor", "times the rms rounding of the stored weights; rounding to either neighbor reaches 2",
     XR_ROUNDING_FACTOR, 1, 1000},
    {"share", "share of the weight tensors that may differ; more are model.version", 0.5, 0, 1},
    {.name = NULL},
};

const exray_assertion xr_assertion_model_weights = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "model.weights",
    .summary = "every layer has the same weights on both sides",
    .causes = causes,
    .needs = "/model and /constant of both logs; data, or statistics with less certainty",
    .run = run,
    .options = options,
};
