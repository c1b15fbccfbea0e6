#include "checks/layer/blame.h"

#include "checks/findings.h"
#include "checks/layer/equal_frames.h"
#include "checks/layer/layers_behind.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/coarse.h"
#include "checks/model/state/loops.h"
#include "checks/port/port_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "layer.blame";

/* What is known of everything that a layer may be given. */
typedef struct blame {
    xr_given *layer;  /* [layers of the comparison] what it was given */
    xr_given *tensor; /* [tensors of the edge's model]; NULL: it is not in the log, all layers are a chain */
    bool *proven;     /* [layers] wrong in a frame whose inputs are equal, given what is right in it */
    bool any;         /* an input is reported wrong */
    char input[80];   /* the first such one */
} blame;

static void release(void *state)
{
    blame *b = state;
    free(b->layer);
    free(b->tensor);
    free(b->proven);
    free(b);
}

static xr_given worse(xr_given a, xr_given b)
{
    return a == XR_GIVEN_WRONG_INPUT || b == XR_GIVEN_RIGHT ? a : b;
}

/* ---- Inputs that are reported wrong ------------------------------------------------------ */

static bool is_reported(const exray_findings *findings, const char *name)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (f->severity == EXRAY_SEVERITY_ERROR &&
            (strncmp(f->cause, "input.", 6) == 0
                 ? !f->tensor || strcmp(f->tensor, name) == 0
                 : strcmp(f->cause, "model.state") == 0 && f->tensor && strcmp(f->tensor, name) == 0))
            return true;
    return false;
}

/* Without the assertion about inputs (--assert), a difference beyond noise has to do. */
static bool is_wrong(const exray_comparison *comparison, const exray_findings *findings, size_t i)
{
    const exray_io_pair *input = exray_comparison_input(comparison, i);
    return is_reported(findings, input->name[EXRAY_SIDE_EDGE]) ||
           xr_is_exchanged(findings, EXRAY_KIND_INPUT, i) ||
           (!findings->inputs_judged && input->comparable && !(input->error <= input->noise));
}

/* The model's tensor that a port is about: by name, or because there is only one.  EXRAY_NO_INDEX: not known.
 */
static uint32_t port_tensor(const exray_model *model, const uint32_t *ports, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (ports[i] < model->tensor_count && model->tensors[ports[i]].name &&
            strcmp(model->tensors[ports[i]].name, name) == 0)
            return ports[i];
    return count == 1 && ports[0] < model->tensor_count ? ports[0] : EXRAY_NO_INDEX;
}

static void mark_input(const exray_model *model, const char *name, blame *b)
{
    if (!b->any)
        snprintf(b->input, sizeof b->input, "%s", name);
    b->any = true;
    if (!b->tensor)
        return;
    uint32_t tensor = port_tensor(model, model->inputs, model->input_count, name);
    if (tensor != EXRAY_NO_INDEX)
        b->tensor[tensor] = XR_GIVEN_WRONG_INPUT;
    else /* noted under another name: it may be any of them */
        for (uint32_t i = 0; i < model->input_count; i++)
            if (model->inputs[i] < model->tensor_count)
                b->tensor[model->inputs[i]] = XR_GIVEN_WRONG_INPUT;
}

static void mark_inputs(const exray_comparison *comparison, const exray_findings *findings,
                        const exray_model *model, blame *b)
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++)
        if (is_wrong(comparison, findings, i))
            mark_input(model, exray_comparison_input(comparison, i)->name[EXRAY_SIDE_EDGE], b);
    /* Strings are no pair of numbers, and told all the same. */
    for (const exray_finding *f = findings->first; f && model; f = f->next)
        for (uint32_t i = 0; f->tensor && i < model->input_count; i++) {
            const uint32_t tensor = model->inputs[i];
            const char *name = tensor < model->tensor_count ? model->tensors[tensor].name : NULL;
            if (name && strcmp(f->tensor, name) == 0 && is_reported(findings, name))
                mark_input(model, name, b);
        }
}

/* ---- The graph ------------------------------------------------------------------------------ */

/* An error is of the values that are finite on both sides. */
static bool is_finite_alike(const exray_metrics *m)
{
    return m->nan_count[0] == m->nan_count[1] && m->inf_count[0] == m->inf_count[1];
}

/* What a layer gives to others, by what it was given. */
static xr_given made_by(const exray_layer_pair *layer, xr_given given)
{
    if (isnan(layer->error))
        return given;
    if (layer->error == 0 && xr_layer_has_data(layer) && is_finite_alike(&layer->metrics))
        return XR_GIVEN_RIGHT;
    if (given == XR_GIVEN_WRONG_INPUT)
        return given;
    bool wrong = !(layer->error <= layer->noise) || layer->role == EXRAY_LAYER_ROLE_ORIGINATES;
    return wrong ? XR_GIVEN_WRONG_LAYER : XR_GIVEN_RIGHT;
}

/* The worst of what a node reads. */
static xr_given given_by(const exray_model *model, const exray_node *node, const xr_given *tensor)
{
    xr_given given = XR_GIVEN_RIGHT;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count)
            given = worse(tensor[node->inputs[i]], given);
    return given;
}

static xr_given given_to(const exray_model *model, const exray_node *node, const blame *b)
{
    xr_given more = b->any && xr_reads_more(node) ? XR_GIVEN_WRONG_INPUT : XR_GIVEN_RIGHT;
    return worse(given_by(model, node, b->tensor), more);
}

static void walk(const exray_comparison *comparison, const exray_model *model, blame *b)
{
    size_t layer = 0, layers = exray_comparison_layer_count(comparison);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        xr_given given = given_to(model, node, b);
        for (uint32_t k = 0; k < node->output_count; k++)
            if (node->outputs[k] < model->tensor_count)
                b->tensor[node->outputs[k]] = given;
        for (; layer < layers; layer++) {
            const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
            if (pair->node[EXRAY_SIDE_EDGE] != n)
                break;
            b->layer[layer] = given;
            if (pair->output < node->output_count && node->outputs[pair->output] < model->tensor_count)
                b->tensor[node->outputs[pair->output]] = made_by(pair, given);
        }
    }
}

/* A state brings into the next frame what an output was given in this one. */
static bool carry(const exray_comparison *comparison, const exray_model *model, const xr_loops *loops,
                  blame *b)
{
    bool changed = false;
    for (size_t i = 0; i < loops->count; i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, loops->loop[i].output);
        const exray_io_pair *input = exray_comparison_input(comparison, loops->loop[i].input);
        if (!output || !input)
            continue; /* the input's own end */
        uint32_t from =
            port_tensor(model, model->outputs, model->output_count, output->name[EXRAY_SIDE_EDGE]);
        uint32_t to = port_tensor(model, model->inputs, model->input_count, input->name[EXRAY_SIDE_EDGE]);
        if (to == EXRAY_NO_INDEX || (from != EXRAY_NO_INDEX && b->tensor[from] != XR_GIVEN_WRONG_INPUT) ||
            b->tensor[to] == XR_GIVEN_WRONG_INPUT)
            continue;
        b->tensor[to] = XR_GIVEN_WRONG_INPUT;
        changed = true;
    }
    return changed;
}

/* ---- A frame with equal inputs ------------------------------------------------------------------ */

/* A layer that is beyond noise behind others that are not is to blame only for an error that is that many
 * times theirs: else it may have passed it on. */
#define ORIGIN 3.0

/* What is known of a tensor in that frame. */
typedef struct in_frame {
    xr_given *given; /* [tensors] */
    double *error;   /* [tensors] of those that were not compared, the largest of what they are made of */
} in_frame;

static double largest_error(const exray_model *model, const exray_node *node, const double *tensor)
{
    double error = 0;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count)
            error = fmax(error, tensor[node->inputs[i]]);
    return error;
}

/* Walks the graph with the errors of that frame alone. */
static void walk_frame(const exray_comparison *comparison, const exray_model *model, size_t frame,
                       exray_slot *slot[2], in_frame *tensor, blame *b)
{
    size_t layer = 0, layers = exray_comparison_layer_count(comparison);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        xr_given given = given_by(model, node, tensor->given);
        double came = largest_error(model, node, tensor->error);
        for (uint32_t k = 0; k < node->output_count; k++)
            if (node->outputs[k] < model->tensor_count) {
                tensor->given[node->outputs[k]] = given;
                tensor->error[node->outputs[k]] = came;
            }
        for (; layer < layers && exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE] == n;
             layer++) {
            const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
            double error = xr_layer_has_data(pair) ? xr_error_in_frame(comparison, layer, frame, slot) : NAN;
            bool wrong = error > pair->noise;
            b->proven[layer] =
                wrong && error > ORIGIN * came && given == XR_GIVEN_RIGHT && node->subgraph == 0;
            if (pair->output < node->output_count && node->outputs[pair->output] < model->tensor_count &&
                !isnan(error)) {
                tensor->given[node->outputs[pair->output]] = wrong ? XR_GIVEN_WRONG_LAYER : XR_GIVEN_RIGHT;
                tensor->error[node->outputs[pair->output]] = error;
            }
        }
    }
}

static void look_at_equal_frame(const exray_comparison *comparison, const exray_model *model, blame *b)
{
    size_t frame = xr_find_equal_frame(comparison);
    if (frame == SIZE_MAX)
        return;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    in_frame tensor = {.given = calloc((size_t)model->tensor_count + 1, sizeof *tensor.given),
                       .error = calloc((size_t)model->tensor_count + 1, sizeof *tensor.error)};
    if (slot[0] && slot[1] && tensor.given && tensor.error)
        walk_frame(comparison, model, frame, slot, &tensor, b);
    free(tensor.given);
    free(tensor.error);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
}

static void fill(const exray_comparison *comparison, const exray_findings *findings, const xr_loops *loops,
                 blame *b)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    mark_inputs(comparison, findings, model, b);
    if (!b->tensor) {
        xr_given given = b->any ? XR_GIVEN_WRONG_INPUT : XR_GIVEN_RIGHT;
        for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
            b->layer[i] = given;
            given = made_by(exray_comparison_layer(comparison, i), given);
        }
        return;
    }
    do
        walk(comparison, model, b);
    while (b->any && carry(comparison, model, loops, b));
    look_at_equal_frame(comparison, model, b);
}

/* NULL: out of memory, which the findings tell. */
static const blame *blame_of(const exray_comparison *comparison, exray_findings *findings)
{
    blame *b = xr_findings_attached(findings, key, 0);
    if (b)
        return b;
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    bool graph = model && exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    b = calloc(1, sizeof *b);
    if (b) {
        b->proven = calloc(exray_comparison_layer_count(comparison) + 1, sizeof *b->proven);
        b->layer = calloc(exray_comparison_layer_count(comparison) + 1, sizeof *b->layer);
        b->tensor = graph ? calloc((size_t)model->tensor_count + 1, sizeof *b->tensor) : NULL;
        const xr_loops *loops = xr_loops_get(comparison, findings);
        bool whole = b->layer && b->proven && (b->tensor || !graph) && loops;
        if (whole) {
            fill(comparison, findings, loops, b);
            if (xr_findings_attach(findings, key, 0, b, release))
                return b;
        } else
            release(b);
    }
    findings->out_of_memory = true;
    return NULL;
}

/* ---- Questions -------------------------------------------------------------------------------- */

xr_given xr_layer_given(const exray_comparison *comparison, exray_findings *findings, size_t layer)
{
    const blame *b = blame_of(comparison, findings);
    return b ? b->layer[layer] : XR_GIVEN_WRONG_INPUT;
}

static bool was_run_alone(const exray_layer_pair *layer)
{
    return !isnan(layer->isolated_error);
}

/* Whether the layer is the first to be wrong in a frame whose inputs are equal, where those of others are
 * not: it originates an error, whatever its role over all frames is. */
static bool is_wrong_in_equal_frame(const exray_comparison *comparison, exray_findings *findings,
                                    size_t layer)
{
    const blame *b = blame_of(comparison, findings);
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    return b && b->proven[layer] && !(was_run_alone(pair) && pair->isolated_error <= pair->own_noise);
}

bool xr_originates(const exray_comparison *comparison, exray_findings *findings, size_t layer)
{
    return exray_comparison_layer(comparison, layer)->role == EXRAY_LAYER_ROLE_ORIGINATES ||
           is_wrong_in_equal_frame(comparison, findings, layer);
}

bool xr_may_be_blamed(const exray_comparison *comparison, exray_findings *findings, size_t layer)
{
    return was_run_alone(exray_comparison_layer(comparison, layer)) ||
           xr_layer_given(comparison, findings, layer) == XR_GIVEN_RIGHT ||
           is_wrong_in_equal_frame(comparison, findings, layer);
}

bool xr_output_is_behind_wrong_input(const exray_comparison *comparison, exray_findings *findings,
                                     size_t output)
{
    const blame *b = blame_of(comparison, findings);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    if (!b || !b->any || !b->tensor)
        return !b || b->any;
    uint32_t tensor = port_tensor(model, model->outputs, model->output_count,
                                  exray_comparison_output(comparison, output)->name[EXRAY_SIDE_EDGE]);
    return tensor == EXRAY_NO_INDEX || b->tensor[tensor] == XR_GIVEN_WRONG_INPUT;
}

bool xr_has_sharp_bound(const exray_layer_pair *layer)
{
    return layer->noise < layer->own_noise;
}

bool xr_may_be_rounding(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    static const double threefold = 3;
    if (xr_is_same_file(comparison) || layer->noise < XR_COARSE_NOISE || isfinite(layer->reference_error) ||
        xr_has_sharp_bound(layer))
        return false;
    /* Run alone, the other file's layer has other weights by what 8 bits round. */
    return was_run_alone(layer) ? layer->isolated_error <= threefold * layer->own_noise
                                : layer->error <= threefold * layer->noise;
}

exray_layer_role xr_judged_role(const exray_comparison *comparison, exray_findings *findings, size_t layer)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    if (is_wrong_in_equal_frame(comparison, findings, layer))
        return EXRAY_LAYER_ROLE_ORIGINATES;
    bool unjudged = pair->role == EXRAY_LAYER_ROLE_ORIGINATES && !was_run_alone(pair) &&
                    xr_layer_given(comparison, findings, layer) == XR_GIVEN_WRONG_INPUT;
    return unjudged ? EXRAY_LAYER_ROLE_UNJUDGED : pair->role;
}

exray_status xr_say_unjudged(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const blame *b = blame_of(comparison, findings);
    bool data = false, alone = false;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        data = data || xr_layer_has_data(exray_comparison_layer(comparison, i));
        alone = alone || was_run_alone(exray_comparison_layer(comparison, i));
    }
    snprintf(
        error->message, sizeof error->message,
        "layers behind the input %s, which differs, may rightly answer to that: they are judged once it is "
        "equal, or where they are run alone on what the edge gave them%s",
        b ? b->input : "",
        alone  ? ", as others were"
        : data ? " (--engine NAME --reference-model FILE)"
               : " (record both sides with --capture full, and give --engine NAME --reference-model FILE)");
    return error->status = EXRAY_E_STATE;
}
