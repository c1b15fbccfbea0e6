#include "checks/model/model_fit.h"

#include "checks/ascending.h"
#include "checks/beyond_noise.h"
#include "checks/findings.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/channel_order.h"
#include "checks/model/gates.h"
#include "checks/model/graph/between/integer_scales.h"
#include "checks/model/partition.h"
#include "checks/model/weight_match.h"
#include "checks/model/weights/made_up_for.h"
#include "checks/model/weights/order_of_input.h"
#include "checks/model/weights/weight_elsewhere.h"
#include "checks/model/weights/weight_layout.h"
#include "checks/op_name.h"
#include "checks/place_of.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Architecture, from /model alone ------------------------------------------------------- */

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* How many numbers each constant stands for: packed ones for more than they have elements; in how many
 * equal parts other engines have it, which may be those of a gate each; and how many nodes read it. */
static void note_sizes(const exray_model *model, const exray_node *node, uint32_t count, uint64_t *size,
                       uint32_t *parts, uint32_t *readers)
{
    for (uint32_t n = 0; n < count; n++) {
        note_sizes(model, node[n].inner, node[n].inner_count, size, parts, readers);
        for (uint32_t i = 0; i < node[n].input_count; i++) {
            const xr_node_constant constant = {.tensor = node[n].inputs[i], .node = &node[n], .input = i};
            xr_gate_layout layout;
            if (constant.tensor >= model->tensor_count)
                continue;
            readers[constant.tensor]++;
            parts[constant.tensor] = xr_gate_parts(model, &constant);
            size[constant.tensor] = xr_weight_count(model, &constant) * parts[constant.tensor];
            if (xr_gate_layout_of(model, &constant, &layout))
                parts[constant.tensor] *= layout.gates;
        }
    }
}

/* Sizes of the constants that hold weights, and of parts of them. */
typedef struct size_list {
    uint64_t *size; /* [count], sorted */
    size_t count;
    double total;
} size_list;

/* by_readers: a constant once for each node that reads it.  False: out of memory. */
static bool list_sizes(const xr_constant_table *c, bool by_readers, size_list *out)
{
    enum { SMALLEST = 256, MOST_PARTS = XR_MOST_GATE_PARTS * 4 };
    size_t tensors = (size_t)c->model->tensor_count + 1, room = 0;
    uint64_t *own = calloc(tensors, sizeof *own);
    uint32_t *parts = calloc(tensors, sizeof *parts), *readers = calloc(tensors, sizeof *readers);
    bool ok = own && parts && readers;
    *out = (size_list){.size = NULL};
    for (uint32_t i = 0; ok && i < c->model->tensor_count; i++)
        own[i] = xr_weight_count(c->model, &(xr_node_constant){.tensor = i});
    if (ok)
        note_sizes(c->model, c->model->nodes, c->model->node_count, own, parts, readers);
    for (uint32_t i = 0; ok && i < c->model->tensor_count; i++) {
        readers[i] = by_readers && readers[i] ? readers[i] : 1;
        room += readers[i];
    }
    out->size = ok ? calloc(MOST_PARTS * room + 1, sizeof *out->size) : NULL;
    ok = out->size != NULL;
    for (uint32_t i = 0; ok && i < c->model->tensor_count; i++) {
        uint32_t n = parts[i] > 1 && parts[i] <= MOST_PARTS ? parts[i] : 1;
        bool weight = c->model->tensors[i].constant || c->recorded[i];
        /* A gate counts by its own size: TensorFlow Lite has it alone. */
        if (!weight || own[i] / n < SMALLEST)
            continue;
        for (uint32_t k = 0; k < n * readers[i]; k++)
            out->size[out->count++] = own[i] / n;
        out->total += (double)own[i] * readers[i];
    }
    free(own);
    free(parts);
    free(readers);
    if (ok)
        qsort(out->size, out->count, sizeof *out->size, by_size);
    return ok;
}

/* How many numbers are in constants of sizes that both lists have. */
static double shared_size(const size_list list[2])
{
    double shared = 0;
    for (size_t i = 0, k = 0; i < list[0].count && k < list[1].count;) {
        if (list[0].size[i] == list[1].size[k])
            shared += (double)list[0].size[i];
        bool both = list[0].size[i] == list[1].size[k], first = list[0].size[i] < list[1].size[k];
        i += both || first;
        k += both || !first;
    }
    return shared;
}

static bool compare_sizes(const xr_weight_matcher *m, bool by_readers, double total[2], double *shared)
{
    size_list list[2] = {{NULL}, {NULL}};
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        ok = list_sizes(&m->side[s], by_readers, &list[s]) && ok;
        total[s] = list[s].total;
    }
    *shared = ok ? shared_size(list) : 0;
    free(list[0].size);
    free(list[1].size);
    return ok;
}

static bool is_other_architecture(const double total[2], double shared)
{
    double most = fmax(total[0], total[1]), least = fmin(total[0], total[1]);
    return least > 1000 && shared < 0.5 * most && least < 0.9 * most;
}

/* Converters change the graph but keep the sizes of weights.  So models with less than half of
 * their weights in tensors of common sizes, and another total number of weights, are different
 * models; unless one has a copy for each layer of what the other's layers share. */
static bool compare_architectures(const xr_weight_matcher *m, xr_model_fit *fit)
{
    double total[2], shared;
    if (!compare_sizes(m, false, fit->total, &fit->shared))
        return false;
    if (!is_other_architecture(fit->total, fit->shared) ||
        xr_has_bodies(m->side[0].model) != xr_has_bodies(m->side[1].model))
        return true;
    if (!compare_sizes(m, true, total, &shared))
        return false;
    fit->other_architecture = is_other_architecture(total, shared);
    return true;
}

/* More than storing floats costs; in 8 bits a factor for each channel explains much. */
#define FLOATS 1e-3

/* ---- Summing up ------------------------------------------------------------------------------ */

static double median(double *value, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(value, count, sizeof *value, xr_ascending_doubles);
    return value[count / 2];
}

static bool is_of_integers(const xr_weight_matcher *m, const xr_weight_pair *pair)
{
    for (int s = 0; s < 2; s++) {
        const exray_tensor_info *info = &m->side[s].model->tensors[pair->of[s].tensor];
        if (info->quantization.count && !xr_is_float8(info->dtype))
            return true;
    }
    return false;
}

static bool has_same_operator(const exray_comparison *comparison, const xr_weight_pair *pair)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, pair->layer);
    return strcmp(layer->op[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_REFERENCE]) == 0;
}

/* Where the node that reads the weights has no counterpart, the first layer behind it is not judged alone,
 * and may be wrong though nothing before it is. */
static bool is_first_wrong(const exray_layer_pair *layer)
{
    return layer->role == EXRAY_LAYER_ROLE_ORIGINATES ||
           (layer->role == EXRAY_LAYER_ROLE_UNJUDGED && layer->error > layer->noise);
}

/* Whether what a node makes of the weights is multiplied with a constant behind it. */
static bool is_scaled_behind(const exray_model *model, uint32_t weights)
{
    uint32_t made = EXRAY_NO_INDEX;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (xr_node_reads(node, weights) && node->output_count)
            made = node->outputs[0];
        bool scales = made != EXRAY_NO_INDEX && xr_node_reads(node, made) &&
                      (xr_is_op(node->op, "mul") || xr_is_op(node->op, "div"));
        for (uint32_t i = 0; scales && i < node->input_count; i++)
            if (node->inputs[i] < model->tensor_count && model->tensors[node->inputs[i]].constant)
                return true;
    }
    return false;
}

/* Whether a layer is right, or right given what it reads. */
static bool is_explained(const exray_layer_pair *layer)
{
    return layer->role == EXRAY_LAYER_ROLE_CLEAN || layer->role == EXRAY_LAYER_ROLE_PROPAGATES;
}

/* The largest error of what the edge's node of a layer reads, its constants aside; NAN: one is not known. */
static double error_read(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const exray_node *node =
        model && layer->node[0] < model->node_count ? &model->nodes[layer->node[0]] : NULL;
    double most = 0;
    for (uint32_t i = 0; node && i < node->input_count; i++) {
        if (node->inputs[i] >= model->tensor_count || model->tensors[node->inputs[i]].constant)
            continue;
        const size_t from = xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, node->inputs[i]);
        const exray_layer_pair *before = from == SIZE_MAX ? NULL : exray_comparison_layer(comparison, from);
        if (!before || !isfinite(before->error))
            return NAN;
        most = fmax(most, before->error);
    }
    return node ? most : NAN;
}

/* Whether a layer errs as other weights make it err, though what it reads does not: nothing beside it undoes
 * their factors.  The noise of 8 and of 4 bits is wide enough to hide that. */
static bool errs_by_weights(const exray_comparison *comparison, const exray_layer_pair *layer,
                            const xr_weight_pair *p)
{
    static const double most_of_it = 0.5, beyond = 3; /* times the rounding and what was read */
    const double read = error_read(comparison, layer);
    return layer->error > most_of_it * fmin(p->difference, 1) &&
           layer->error > beyond * hypot(read, p->rounding);
}

/* Whether other weights of more than one dimension are in the same order, as those of a layer that reads such
 * channels are.  Fewer may be the places of a kernel. */
static bool is_ordered_back(const xr_model_fit *fit, const xr_weight_pair *p)
{
    enum { FEWEST_CHANNELS = 8 };
    for (size_t i = 0; i < fit->count; i++) {
        const xr_weight_pair *other = &fit->pair[i];
        if (other != p && !other->bias && other->order == p->order && other->slices >= FEWEST_CHANNELS)
            return true;
    }
    return false;
}

/* Nodes that multiply with constants, or normalize: what a converter may have folded. */
static uint32_t count_scalings(const exray_model *model)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool constant = false;
        for (uint32_t i = 0; i < node->input_count; i++)
            constant = constant ||
                       (node->inputs[i] < model->tensor_count && model->tensors[node->inputs[i]].constant);
        bool scales =
            xr_is_op(node->op, "mul") || xr_is_op(node->op, "div") || xr_is_op(node->op, "fusedmatmul");
        constant = constant || xr_is_op(node->op, "rescaling"); /* Keras': its numbers are attributes */
        scales = scales || xr_is_op(node->op, "rescaling");
        count += node->inner_count > 0 || (constant && scales) || (node->op && strstr(node->op, "orm"));
    }
    return count;
}

/* Whether a side's model reads integers with another scale than it writes them with: a factor. */
static bool reads_with_a_factor(const xr_weight_matcher *m)
{
    bool found = false;
    for (int s = 0; s < 2 && !found; s++) {
        xr_model_constants constants;
        xr_scale_mismatch one;
        if (!xr_model_constants_open(m->side[s].log, &constants))
            continue;
        found = xr_scale_mismatches(&constants, &one, 1) > 0;
        xr_model_constants_close(&constants);
    }
    return found;
}

/* Whether nothing is there that could undo another layer's other constants: the graphs scale in as many
 * places, and no other layer has other numbers. */
static bool is_undone_nowhere(const exray_comparison *comparison, const xr_weight_matcher *m,
                              const xr_model_fit *fit, const xr_weight_pair *p)
{
    if (xr_inputs_differ(comparison) || p->from_stats ||
        count_scalings(m->side[0].model) != count_scalings(m->side[1].model))
        return false;
    for (size_t i = 0; i < fit->count; i++) {
        const xr_weight_pair *other = &fit->pair[i];
        /* By node: two of them may lie within one layer that was compared. */
        const bool elsewhere = other->layer != p->layer || other->of[1].node != p->of[1].node;
        if (elsewhere && other->difference > m->factor * other->rounding)
            return false;
    }
    return !reads_with_a_factor(m);
}

/* Whether a layer makes the same of other values of the model's input: its weights must be others then. */
static bool undoes_input(const exray_comparison *comparison, const xr_weight_pair *p)
{
    const exray_layer_pair *layer =
        p->layer == SIZE_MAX ? NULL : exray_comparison_layer(comparison, p->layer);
    return layer && layer->role == EXRAY_LAYER_ROLE_CLEAN && xr_inputs_are_undone(comparison) &&
           (p->rescaled || isnan(error_read(comparison, layer)));
}

/* Weights that differ by a factor for each channel belong to the same model where the graphs differ
 * (a folded normalization) and the error does not begin there, or where the layer computes the same; floats
 * of one operator in graphs of one size have nothing folded, and a coarse type (bfloat16) hides in a layer
 * what its weights prove.  Those that may have been paired wrongly count where their layer shows it; so do
 * those of a layer that one side makes of more weights than the other (branches that were summed, an adapter
 * that was merged).  Channels in another order are so in the next layer, too, where the outputs agree. */
static bool is_harmless(const exray_comparison *comparison, const xr_weight_matcher *m,
                        const xr_model_fit *fit, const xr_weight_pair *p)
{
    if (p->of_more && p->layer != SIZE_MAX && is_explained(exray_comparison_layer(comparison, p->layer)))
        return true;
    if (p->doubtful)
        return p->layer != SIZE_MAX &&
               exray_comparison_layer(comparison, p->layer)->role == EXRAY_LAYER_ROLE_CLEAN;
    if (p->order && ((is_ordered_back(fit, p) && xr_outputs_agree(comparison)) ||
                     xr_is_in_order_of_input(comparison, p->layer, p->difference)))
        return true;
    if (undoes_input(comparison, p))
        return true;
    if (!p->rescaled)
        return false;
    if (xr_is_of_one_factor(p) && xr_is_made_up_for_behind(comparison, p))
        return true;
    if (p->layer == SIZE_MAX)
        return true;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, p->layer);
    exray_layer_role role = layer->role;
    if ((is_first_wrong(layer) && p->correlation > XR_ONE_FACTOR) || errs_by_weights(comparison, layer, p) ||
        is_undone_nowhere(comparison, m, fit, p))
        return false;
    if (is_scaled_behind(m->side[0].model, p->of[0].tensor) !=
        is_scaled_behind(m->side[1].model, p->of[1].tensor))
        return true; /* what the other side has folded */
    bool other_graph = m->side[0].model->node_count != m->side[1].model->node_count;
    if (!other_graph && !is_of_integers(m, p) && has_same_operator(comparison, p))
        return false;
    return role == EXRAY_LAYER_ROLE_CLEAN || role == EXRAY_LAYER_ROLE_UNJUDGED ||
           (other_graph && role == EXRAY_LAYER_ROLE_PROPAGATES);
}

/* Whether some op reads both tensors; the node of a partition reads everything and does not count. */
static bool are_read_together(const exray_node *node, uint32_t count, uint32_t a, uint32_t b)
{
    for (uint32_t n = 0; n < count; n++) {
        bool whole = node[n].inner_count > 0;
        if (whole ? are_read_together(node[n].inner, node[n].inner_count, a, b)
                  : xr_node_reads(&node[n], a) && xr_node_reads(&node[n], b))
            return true;
    }
    return false;
}

/* The rounding of the weights of the same layer, for which a bias may be corrected. */
static double rounding_of_layer(const xr_weight_matcher *m, const xr_model_fit *fit,
                                const xr_weight_pair *bias)
{
    for (size_t i = 0; i < fit->count; i++) {
        const xr_weight_pair *p = &fit->pair[i];
        bool same = !p->bias && bias->layer != SIZE_MAX && p->layer == bias->layer;
        for (int s = 0; s < 2 && !p->bias && !same; s++)
            same = are_read_together(m->side[s].model->nodes, m->side[s].model->node_count, p->of[s].tensor,
                                     bias->of[s].tensor);
        if (same)
            return p->rounding;
    }
    return 0;
}

/* Whether a layer errs within noise, but about as much as the other bias makes it err (an activation cuts
 * some of that off), and several times as much as what it reads and the rounding of its weights. */
static bool errs_by_bias(const exray_comparison *comparison, const exray_layer_pair *layer,
                         const xr_weight_pair *p, double rounding)
{
    static const double most_of_it = 0.4, beyond = 3;
    const double deviation = layer->metrics.std[EXRAY_SIDE_REFERENCE];
    const double made = deviation > 0 ? p->difference * p->unit / deviation : INFINITY;
    return layer->error > most_of_it * made &&
           layer->error > beyond * hypot(error_read(comparison, layer), rounding);
}

/* Whether a bias lost half of its signal or more (it is zero, or negated), alone in the model: tools correct
 * biases of all layers, and move them into others.  What its layer reads may err more than that, so that its
 * values must only not deny it. */
static bool is_lost_alone(const exray_comparison *comparison, const xr_weight_matcher *m,
                          const xr_model_fit *fit, const exray_layer_pair *layer, const xr_weight_pair *p,
                          double rounding)
{
    static const double half = 0.5, most_of_it = 0.4, beyond = 3;
    const double deviation = layer->metrics.std[EXRAY_SIDE_REFERENCE];
    const double off = p->difference * p->unit, made = off / deviation;
    const double signal = sqrt(fmax(p->square[0], p->square[1]) / (double)p->count);
    return deviation > 0 && off > half * signal && made > beyond * rounding &&
           layer->error > most_of_it * made && is_undone_nowhere(comparison, m, fit, p);
}

/* The layer that shows a bias: where the two sides add it in other nodes (Gemm; MatMul, Add), a product of
 * zero bias is the other's without any, and what reads that one adds it. */
static const exray_layer_pair *layer_of_bias(const exray_comparison *comparison, const xr_weight_matcher *m,
                                             const xr_weight_pair *p)
{
    const exray_layer_pair *own = p->layer == SIZE_MAX ? NULL : exray_comparison_layer(comparison, p->layer);
    const exray_model *model = m->side[1].model;
    if (!own || own->role != EXRAY_LAYER_ROLE_CLEAN || own->node[1] >= model->node_count ||
        model->nodes[own->node[1]].inner_count || xr_node_reads(&model->nodes[own->node[1]], p->of[1].tensor))
        return own;
    for (size_t i = p->layer + 1; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->node[1] < model->node_count &&
            xr_node_reads(&model->nodes[layer->node[1]], p->of[1].tensor))
            return layer;
    }
    /* Within a layer that was not compared: what comes next shows it, where it errs by itself. */
    const exray_layer_pair *next = exray_comparison_layer(comparison, p->layer + 1);
    return next && next->role == EXRAY_LAYER_ROLE_ORIGINATES ? next : own;
}

/* Converters correct the biases of integer layers, clip them, and change them where it does not
 * matter (a channel that its activation cuts off).  So a different bias counts only where values
 * show it: those of its layer or, if they are not known, the outputs. */
static bool shows_in_values(const exray_comparison *comparison, const xr_weight_matcher *m,
                            const xr_model_fit *fit, const xr_weight_pair *p, double rounding)
{
    const exray_layer_pair *layer = layer_of_bias(comparison, m, p);
    exray_layer_role role = layer ? layer->role : EXRAY_LAYER_ROLE_UNJUDGED;
    if (layer && role == EXRAY_LAYER_ROLE_CLEAN && errs_by_bias(comparison, layer, p, rounding))
        return true;
    if (layer && role != EXRAY_LAYER_ROLE_UNJUDGED && is_lost_alone(comparison, m, fit, layer, p, rounding))
        return true;
    if (role == EXRAY_LAYER_ROLE_CLEAN || role == EXRAY_LAYER_ROLE_ORIGINATES || !is_of_integers(m, p))
        return role != EXRAY_LAYER_ROLE_CLEAN;
    return role == EXRAY_LAYER_ROLE_UNJUDGED && xr_outputs_alone_differ(comparison);
}

static void settle_bias(const exray_comparison *comparison, const xr_weight_matcher *m,
                        const xr_model_fit *fit, xr_weight_pair *p)
{
    /* Tools correct a bias for the rounding of the weights. */
    const double rounding = rounding_of_layer(m, fit, p);
    bool apart = (p->crossed || p->difference > m->factor * 2 * rounding) &&
                 !xr_is_of_scaled_input(fit->pair, fit->count, p) &&
                 !(p->correlation > XR_ONE_FACTOR &&
                   (xr_is_made_up_for_behind(comparison, p) || xr_is_moved_bias(comparison, p)));
    p->differs = p->differs && apart && shows_in_values(comparison, m, fit, p, rounding);
}

/* Convolutions of the same name have the same layout of weights on both sides. */
static bool has_same_convention(const exray_layer_pair *layer)
{
    const char *op = layer->op[EXRAY_SIDE_EDGE];
    return strcmp(op, layer->op[EXRAY_SIDE_REFERENCE]) == 0 && (strstr(op, "CONV") || strstr(op, "Conv"));
}

/* Whether a filter's dimensions are in the two orders of the two formats: one has channels last. */
static bool is_of_two_layouts(const exray_comparison *comparison, const xr_weight_pair *p)
{
    const exray_model *model[2];
    for (int s = 0; s < 2; s++)
        model[s] = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
    return xr_has_channels_last(model[0]) != xr_has_channels_last(model[1]) &&
           p->of[0].tensor < model[0]->tensor_count && model[0]->tensors[p->of[0].tensor].rank > 2;
}

/* Engines differ in how they store a square matrix.  A transposed one is a fault where both sides have the
 * same convention, as one that lies alike is where they have not (unless it is its own transpose); where
 * theirs are not known, where its layer is wrong. */
static bool is_wrongly_transposed(const exray_comparison *comparison, const xr_weight_matcher *m,
                                  const xr_weight_pair *p)
{
    if (p->layer == SIZE_MAX || is_of_two_layouts(comparison, p))
        return false;
    const exray_model *const model[2] = {m->side[0].model, m->side[1].model};
    const exray_layer_pair *layer = exray_comparison_layer(comparison, p->layer);
    const xr_matrix_layout stored = xr_matrix_layout_of(model, p->of);
    if (!p->transposed)
        return !p->differs && !p->from_stats && stored == XR_MATRICES_TURNED &&
               layer->role != EXRAY_LAYER_ROLE_CLEAN && layer->error > layer->noise &&
               xr_is_square_turned(m->side[0].log, p->of[0].tensor, m->factor * p->rounding * p->unit);
    return stored != XR_MATRICES_UNKNOWN ? stored == XR_MATRICES_ALIKE
                                         : is_first_wrong(layer) || has_same_convention(layer);
}

/* Whether one side has a pair's weights in a layer that holds a normalization, too: the other side may have
 * folded it into these. */
static bool is_normed_within(const xr_weight_matcher *m, const xr_weight_pair *p)
{
    return xr_weight_is_beside_norm(m->side[0].model, &p->of[0]) ||
           xr_weight_is_beside_norm(m->side[1].model, &p->of[1]);
}

/* Which pairs differ in earnest. */
static void settle(const exray_comparison *comparison, const xr_weight_matcher *m, xr_model_fit *fit)
{
    for (size_t i = 0; i < fit->count; i++) {
        xr_weight_pair *p = &fit->pair[i];
        /* Of what differs, though harmlessly, it is not known how it lies. */
        p->transposed = is_wrongly_transposed(comparison, m, p);
        if (p->differs && (is_harmless(comparison, m, fit, p) || xr_is_of_parts(p) ||
                           ((p->bias || p->rescaled) && is_normed_within(m, p))))
            p->differs = p->moved = false;
        p->differs = p->differs || p->transposed;
        p->moved = p->moved || p->differs; /* equal values in another's place do not say so */
        if (p->bias)
            settle_bias(comparison, m, fit, p);
    }
}

/* Counts weights that differ. */
static void count_differing(const xr_weight_pair *p, xr_model_fit *fit)
{
    const bool reordered = p->gates_exchanged || p->crossed || p->order || p->transposed,
               elsewhere = p->from != SIZE_MAX, rescaled = p->rescaled && p->rounding < FLOATS;
    fit->weights_differ++;
    fit->elsewhere += elsewhere;
    fit->rescaled += rescaled;
    fit->converted += reordered || elsewhere || rescaled;
    for (int s = 0; s < 2; s++)
        fit->zeroed[s] += p->zeroed[s] > 0;
    fit->parameters_differ += p->count;
}

static bool sum_up(xr_model_fit *fit)
{
    double *ratio = calloc(fit->count + 1, sizeof *ratio),
           *correlation = calloc(fit->count + 1, sizeof *ratio);
    size_t ratios = 0, correlations = 0;
    for (size_t i = 0; ratio && correlation && i < fit->count; i++) {
        const xr_weight_pair *p = &fit->pair[i];
        fit->from_stats = fit->from_stats || p->from_stats;
        if (p->bias) {
            fit->biases++;
            fit->biases_differ += p->differs;
            continue;
        }
        fit->weights++;
        fit->weights_moved += p->moved;
        fit->parameters += p->count;
        if (p->rounding > 0)
            ratio[ratios++] = p->difference / p->rounding;
        if (!p->differs)
            continue;
        count_differing(p, fit);
        if (isfinite(p->correlation))
            correlation[correlations++] = p->correlation;
    }
    bool ok = ratio && correlation;
    if (ok) {
        fit->ratio = median(ratio, ratios);
        fit->correlation = median(correlation, correlations);
    }
    free(ratio);
    free(correlation);
    return ok;
}

static bool are_recorded(const exray_comparison *comparison)
{
    size_t count[2];
    for (int s = 0; s < 2; s++)
        exray_log_constants(exray_comparison_log(comparison, (exray_side)s), &count[s]);
    return count[0] > 0 && count[1] > 0;
}

/* ---- Layers that were paired crosswise ---------------------------------------------------------- */

static bool makes(const exray_node *node, uint32_t tensor)
{
    for (uint32_t k = 0; k < node->output_count; k++)
        if (node->outputs[k] == tensor && tensor != EXRAY_NO_INDEX)
            return true;
    return false;
}

static bool takes_any_order(const exray_node *node)
{
    return xr_is_op(node->op, "add") || xr_is_op(node->op, "mul");
}

/* The node that alone reads a tensor; NULL: none does, or several. */
static const exray_node *only_reader(const exray_model *model, uint32_t tensor)
{
    const exray_node *found = NULL;
    for (uint32_t n = 0; n < model->node_count; n++)
        if (xr_node_reads(&model->nodes[n], tensor)) {
            if (found)
                return NULL;
            found = &model->nodes[n];
        }
    return found;
}

/* What a node makes, behind what only moves it: heads are cut out of queries, and turned. */
static uint32_t made_and_moved(const exray_model *model, const exray_node *node)
{
    enum { FURTHEST = 4 };
    static const char *const moves[] = {"reshape", "view", "transpose", "permute"};
    uint32_t tensor = node->output_count ? node->outputs[0] : EXRAY_NO_INDEX;
    for (int k = 0; k < FURTHEST && tensor != EXRAY_NO_INDEX; k++) {
        const exray_node *reader = only_reader(model, tensor);
        bool moved = false;
        for (size_t i = 0; reader && reader->output_count == 1 && i < sizeof moves / sizeof *moves; i++)
            moved = moved || xr_is_op(reader->op, moves[i]);
        if (!moved)
            return tensor;
        tensor = reader->outputs[0];
    }
    return tensor;
}

/* Whether a pair of layers reads what a node of the edge makes where the reference's reads what the other
 * makes. */
static bool feed_one_place(const exray_comparison *comparison, const exray_node *edge,
                           const exray_node *reference)
{
    const exray_node *node[2] = {edge, reference};
    const exray_model *model[2];
    uint32_t moved[2];
    for (int s = 0; s < 2; s++) {
        model[s] = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
        moved[s] = made_and_moved(model[s], node[s]);
    }
    for (size_t l = 0; l < exray_comparison_layer_count(comparison); l++) {
        const exray_layer_pair *pair = exray_comparison_layer(comparison, l);
        if (pair->node[0] >= model[0]->node_count || pair->node[1] >= model[1]->node_count)
            continue;
        const exray_node *a = &model[0]->nodes[pair->node[0]], *b = &model[1]->nodes[pair->node[1]];
        for (uint32_t i = 0; i < a->input_count; i++)
            for (uint32_t k = 0; k < b->input_count; k++)
                if ((i == k || (takes_any_order(a) && takes_any_order(b))) &&
                    (makes(edge, a->inputs[i]) || a->inputs[i] == moved[0]) &&
                    (makes(reference, b->inputs[k]) || b->inputs[k] == moved[1]))
                    return true;
    }
    return false;
}

/* Whether weights are the reference's of the very layer whose place theirs has in what reads it: behind a
 * fault, layers of one size under other names are easily paired crosswise. */
static bool is_paired_crosswise(const exray_comparison *comparison, const xr_model_fit *fit,
                                const xr_weight_pair *p)
{
    if (p->from == SIZE_MAX || p->layer == SIZE_MAX || fit->pair[p->from].layer == SIZE_MAX ||
        exray_comparison_layer(comparison, p->layer)->role == EXRAY_LAYER_ROLE_ORIGINATES)
        return false;
    const uint32_t node[2] = {exray_comparison_layer(comparison, p->layer)->node[0],
                              exray_comparison_layer(comparison, fit->pair[p->from].layer)->node[1]};
    const exray_node *n[2];
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
        if (node[s] >= model->node_count)
            return false;
        n[s] = &model->nodes[node[s]];
    }
    return feed_one_place(comparison, n[0], n[1]);
}

static void drop_crosswise(const exray_comparison *comparison, xr_model_fit *fit)
{
    for (size_t i = 0; i < fit->count; i++) {
        xr_weight_pair *p = &fit->pair[i];
        if (!p->bias && p->differs && is_paired_crosswise(comparison, fit, p))
            p->differs = p->moved = false;
    }
    for (size_t i = 0; i < fit->count; i++) { /* of two that were paired crosswise, both were */
        xr_weight_pair *p = &fit->pair[i];
        const xr_weight_pair *other = p->from == SIZE_MAX ? NULL : &fit->pair[p->from];
        if (p->differs && other && other->from == i && !other->differs)
            p->differs = p->moved = false;
    }
    for (size_t i = 0; i < fit->count; i++) /* kept until all were looked at */
        if (!fit->pair[i].differs)
            fit->pair[i].from = SIZE_MAX;
}

static exray_status compare_all(const exray_comparison *comparison, xr_weight_matcher *m, xr_model_fit *fit)
{
    exray_status status = xr_match_weights(comparison, m);
    fit->pair = m->pair;
    fit->count = m->count;
    m->pair = NULL;
    m->count = 0;
    if (status != EXRAY_OK)
        return status;
    if (!compare_architectures(m, fit))
        return EXRAY_E_MEMORY;
    settle(comparison, m, fit);
    status = xr_weights_find_elsewhere(m, fit->pair, fit->count);
    if (status != EXRAY_OK)
        return status;
    drop_crosswise(comparison, fit);
    if (!sum_up(fit))
        return EXRAY_E_MEMORY;
    if (fit->count == 0)
        fit->why =
            are_recorded(comparison)
                ? "the weights of the two logs have no counterparts"
                : "the weights of one log or both were not recorded: record both sides with --capture full";
    return EXRAY_OK;
}

/* Whether both sides ran the same file, and no layer suggests that weights were changed in
 * memory. */
static bool is_beyond_doubt(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (exray_comparison_layer(comparison, i)->role == EXRAY_LAYER_ROLE_ORIGINATES)
            return false;
    return xr_is_same_file(comparison);
}

static exray_status make(const exray_comparison *comparison, double factor, xr_model_fit *fit,
                         exray_error *error)
{
    *fit = (xr_model_fit){.ratio = NAN, .correlation = NAN, .factor = factor};
    if (is_beyond_doubt(comparison))
        return EXRAY_OK;
    xr_weight_matcher m = {.factor = factor, .error = error};
    exray_status status = EXRAY_E_MEMORY;
    if (xr_weight_matcher_make(comparison, &m)) {
        bool described = m.side[0].model && m.side[1].model;
        if (!described)
            fit->why = "a log has no /model, so the weights cannot be told apart";
        status = described ? compare_all(comparison, &m, fit) : EXRAY_OK;
    }
    xr_weight_matcher_free(&m);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing weights"};
    return status;
}

static void release(void *state)
{
    xr_model_fit *fit = state;
    free(fit->pair);
    free(fit);
}

static const char key[] = "model_fit";

const xr_model_fit *xr_model_fit_made(const exray_findings *findings)
{
    return xr_findings_attached(findings, key, 0);
}

exray_status xr_model_fit_get(const exray_comparison *comparison, exray_findings *findings,
                              const xr_model_fit **fit, exray_error *error)
{
    double factor = exray_findings_option(findings, "rounding_factor");
    exray_status status = EXRAY_OK;
    xr_model_fit *kept = xr_findings_attached(findings, key, 0);
    if (!kept) {
        kept = calloc(1, sizeof *kept);
        if (!kept || !xr_findings_attach(findings, key, 0, kept, release)) {
            *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing weights"};
            return EXRAY_E_MEMORY;
        }
        kept->factor = NAN;
    }
    if (isnan(factor)) /* an assertion without the option takes what was compared before */
        factor = isnan(kept->factor) ? XR_ROUNDING_FACTOR : kept->factor;
    if (kept->factor != factor) {
        free(kept->pair);
        status = make(comparison, factor, kept, error);
        if (status != EXRAY_OK)
            kept->factor = NAN; /* so that the next call tries again */
    }
    *fit = kept;
    return status;
}

bool xr_model_fit_all_over(const xr_model_fit *fit, double share)
{
    enum { ENOUGH = 8 }; /* tensors of which one alone says little */
    double least = share * (double)fit->weights;
    bool moved = fit->weights >= ENOUGH && (double)(fit->weights_moved - fit->converted) >= least;
    return fit->weights >= 3 && (moved || (double)(fit->weights_differ - fit->converted) >= least);
}
