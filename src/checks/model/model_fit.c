#include "checks/model/model_fit.h"

#include "checks/ascending.h"
#include "checks/findings.h"
#include "checks/layer/value_evidence.h"
#include "checks/output/relation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 8 }; /* elements of a constant; smaller ones say nothing about the training */

/* Constant records by tensor. */
typedef struct constant_table {
    const exray_log *log;
    const exray_model *model;
    const exray_record **record; /* [tensor_count] */
    bool *taken;
} constant_table;

static uint64_t elements(const exray_tensor_info *info)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 1 || count > ((uint64_t)1 << 40) / (uint64_t)info->shape[i])
            return 0;
        count *= (uint64_t)info->shape[i];
    }
    return count;
}

static bool collect(const exray_log *log, constant_table *c)
{
    *c = (constant_table){.log = log, .model = exray_log_model(log)};
    if (!c->model)
        return true;
    c->record = calloc((size_t)c->model->tensor_count + 1, sizeof *c->record);
    c->taken = calloc((size_t)c->model->tensor_count + 1, sizeof *c->taken);
    if (!c->record || !c->taken)
        return false;
    size_t count;
    const exray_record *record = exray_log_constants(log, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_CONSTANT &&
            record[i].index < c->model->tensor_count && !c->record[record[i].index])
            c->record[record[i].index] = &record[i];
    return true;
}

static void drop(constant_table *c)
{
    free(c->record);
    free(c->taken);
}

/* ---- One pair -------------------------------------------------------------------------- */

/* The values; or NULL where the record has only statistics. */
static exray_status read_constant(const constant_table *c, uint32_t tensor, exray_slot *slot,
                                  exray_tensor_view *view, const float **values, exray_error *error)
{
    *values = NULL;
    if (c->record[tensor]->has_data)
        return exray_log_read_values(c->log, c->record[tensor], slot, view, values, error);
    return exray_log_read_tensor(c->log, c->record[tensor], slot, view, error);
}

/* Statistics of values, to compare a log that has data with one that has not. */
static void add_stats(exray_tensor_view *view, const float *values)
{
    double sum = 0, square = 0;
    for (uint64_t i = 0; i < view->count; i++) {
        sum += values[i];
        square += (double)values[i] * values[i];
    }
    double n = (double)view->count;
    view->has_stats = true;
    view->stats = (exray_stats){
        .count = view->count, .mean = sum / n, .variance = fmax(square / n - sum / n * (sum / n), 0)};
}

static bool push(xr_model_fit *fit, const xr_weight_pair *pair)
{
    xr_weight_pair *grown = realloc(fit->pair, (fit->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    fit->pair = grown;
    fit->pair[fit->count++] = *pair;
    return true;
}

typedef struct matcher {
    constant_table side[2];
    exray_slot *slot[2];
    double factor;
    xr_model_fit *fit;
    exray_error *error;
} matcher;

/* EXRAY_OK also where the two cannot be compared. */
static exray_status compare_pair(matcher *m, size_t layer, uint32_t edge, uint32_t reference)
{
    uint32_t tensor[2] = {edge, reference};
    exray_tensor_view view[2];
    const float *values[2];
    for (int s = 0; s < 2; s++) {
        exray_status status =
            read_constant(&m->side[s], tensor[s], m->slot[s], &view[s], &values[s], m->error);
        if (status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_STATE)
            return EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        if (values[s] && view[s].count < FEWEST)
            return EXRAY_OK;
    }
    for (int s = 0; s < 2; s++)
        if (values[s] && !values[!s])
            add_stats(&view[s], values[s]);
    if (values[0] && values[1] && view[0].count != view[1].count)
        return EXRAY_OK;
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < view[1].info.rank; i++)
        dimensions += view[1].info.shape[i] != 1;
    xr_weight_pair pair = {.layer = layer,
                           .tensor = {edge, reference},
                           .name = m->side[0].model->tensors[edge].name,
                           .bias = dimensions <= 1};
    if (!xr_weight_difference(view, values, m->factor, &pair))
        return EXRAY_OK;
    m->side[0].taken[edge] = m->side[1].taken[reference] = true;
    return push(m->fit, &pair) ? EXRAY_OK : EXRAY_E_MEMORY;
}

/* ---- Matching tensors ------------------------------------------------------------------- */

static bool is_free(const constant_table *c, uint32_t tensor)
{
    return tensor < c->model->tensor_count && c->record[tensor] && !c->taken[tensor] &&
           elements(&c->model->tensors[tensor]) >= FEWEST;
}

static uint32_t dimensions_of(const exray_tensor_info *info)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        count += info->shape[i] != 1;
    return count;
}

/* In ONNX the scales and zero points of a quantized operator are constant inputs; `tensor` lists
 * the inputs that are not. */
static bool is_parameter_of_quantization(const exray_node *node, uint32_t input)
{
    static const struct {
        const char *op;
        uint32_t tensor[3];
    } rules[] = {{"QLinearConv", {0, 3, 8}}, {"QGemm", {0, 3, 6}}};
    for (size_t i = 0; node->op && i < sizeof rules / sizeof *rules; i++)
        if (strcmp(node->op, rules[i].op) == 0)
            return input != rules[i].tensor[0] && input != rules[i].tensor[1] && input != rules[i].tensor[2];
    return node->op && strncmp(node->op, "QLinear", 7) == 0 && input != 0 && input != 3;
}

/* Pairs the constant inputs of aligned nodes, in their order, by size. */
static exray_status match_layer(matcher *m, size_t layer, const exray_layer_pair *pair)
{
    const exray_model *model[2] = {m->side[0].model, m->side[1].model};
    if (pair->node[0] >= model[0]->node_count || pair->node[1] >= model[1]->node_count)
        return EXRAY_OK;
    const exray_node *edge = &model[0]->nodes[pair->node[0]], *reference = &model[1]->nodes[pair->node[1]];
    if (edge->inner_count || reference->inner_count)
        return EXRAY_OK; /* a partition reads the weights of many layers: match_names pairs them */
    for (uint32_t i = 0; i < edge->input_count; i++) {
        uint32_t a = edge->inputs[i];
        if (!is_free(&m->side[0], a) || is_parameter_of_quantization(edge, i))
            continue;
        for (uint32_t k = 0; k < reference->input_count; k++) {
            uint32_t b = reference->inputs[k];
            if (!is_free(&m->side[1], b) || is_parameter_of_quantization(reference, k) ||
                elements(&model[0]->tensors[a]) != elements(&model[1]->tensors[b]) ||
                (dimensions_of(&model[0]->tensors[a]) > 1) != (dimensions_of(&model[1]->tensors[b]) > 1))
                continue;
            exray_status status = compare_pair(m, layer, a, b);
            if (status != EXRAY_OK)
                return status;
            break;
        }
    }
    return EXRAY_OK;
}

/* Pairs by name the constants that no aligned layer reads (of a partition that runs as one
 * node). */
static exray_status match_names(matcher *m)
{
    const exray_model *edge = m->side[0].model, *reference = m->side[1].model;
    for (uint32_t a = 0; a < edge->tensor_count; a++) {
        const char *name = edge->tensors[a].name;
        if (!is_free(&m->side[0], a) || !name || !*name)
            continue;
        for (uint32_t b = 0; b < reference->tensor_count; b++) {
            const char *other = reference->tensors[b].name;
            if (!other || strcmp(name, other) != 0 || !is_free(&m->side[1], b) ||
                elements(&edge->tensors[a]) != elements(&reference->tensors[b]))
                continue;
            exray_status status = compare_pair(m, SIZE_MAX, a, b);
            if (status != EXRAY_OK)
                return status;
            break;
        }
    }
    return EXRAY_OK;
}

/* ---- Architecture, from /model alone ------------------------------------------------------- */

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Sizes of the constants that hold weights, sorted; their number in *count. */
static uint64_t *weight_sizes(const constant_table *c, size_t *count, double *total)
{
    enum { SMALLEST = 256 };
    uint64_t *size = calloc((size_t)c->model->tensor_count + 1, sizeof *size);
    *count = 0;
    *total = 0;
    for (uint32_t i = 0; size && i < c->model->tensor_count; i++) {
        uint64_t n = elements(&c->model->tensors[i]);
        if ((!c->model->tensors[i].constant && !c->record[i]) || n < SMALLEST)
            continue;
        size[(*count)++] = n;
        *total += (double)n;
    }
    if (size)
        qsort(size, *count, sizeof *size, by_size);
    return size;
}

/* Converters change the graph but keep the sizes of weights.  So models with less than half of
 * their weights in tensors of common sizes, and another total number of weights, are different
 * models. */
static bool compare_architectures(matcher *m)
{
    size_t count[2];
    uint64_t *size[2];
    xr_model_fit *fit = m->fit;
    for (int s = 0; s < 2; s++)
        size[s] = weight_sizes(&m->side[s], &count[s], &fit->total[s]);
    bool ok = size[0] && size[1];
    for (size_t i = 0, k = 0; ok && i < count[0] && k < count[1];) {
        if (size[0][i] == size[1][k]) {
            fit->shared += (double)size[0][i];
            i++;
            k++;
        } else if (size[0][i] < size[1][k])
            i++;
        else
            k++;
    }
    free(size[0]);
    free(size[1]);
    double most = fmax(fit->total[0], fit->total[1]), least = fmin(fit->total[0], fit->total[1]);
    fit->other_architecture = least > 1000 && fit->shared < 0.5 * most && least < 0.9 * most;
    return ok;
}

/* ---- Summing up ------------------------------------------------------------------------------ */

static double median(double *value, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(value, count, sizeof *value, xr_ascending_doubles);
    return value[count / 2];
}

/* Weights that differ by a factor for each channel belong to the same model where the graphs differ
 * (a folded normalization), or where the layer computes the same nevertheless. */
static bool is_harmless(const exray_comparison *comparison, const matcher *m, const xr_weight_pair *p)
{
    if (!p->rescaled)
        return false;
    if (m->side[0].model->node_count != m->side[1].model->node_count || p->layer == SIZE_MAX)
        return true;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, p->layer);
    return layer->role == EXRAY_LAYER_ROLE_CLEAN || layer->role == EXRAY_LAYER_ROLE_UNJUDGED;
}

static bool reads(const exray_node *node, uint32_t tensor)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] == tensor)
            return true;
    return false;
}

/* Whether some op reads both tensors; the node of a partition reads everything and does not count. */
static bool are_read_together(const exray_node *node, uint32_t count, uint32_t a, uint32_t b)
{
    for (uint32_t n = 0; n < count; n++) {
        bool whole = node[n].inner_count > 0;
        if (whole ? are_read_together(node[n].inner, node[n].inner_count, a, b)
                  : reads(&node[n], a) && reads(&node[n], b))
            return true;
    }
    return false;
}

/* The rounding of the weights of the same layer, for which a bias may be corrected. */
static double rounding_of_layer(const matcher *m, const xr_weight_pair *bias)
{
    for (size_t i = 0; i < m->fit->count; i++) {
        const xr_weight_pair *p = &m->fit->pair[i];
        bool same = !p->bias && bias->layer != SIZE_MAX && p->layer == bias->layer;
        for (int s = 0; s < 2 && !p->bias && !same; s++)
            same = are_read_together(m->side[s].model->nodes, m->side[s].model->node_count, p->tensor[s],
                                     bias->tensor[s]);
        if (same)
            return p->rounding;
    }
    return 0;
}

static bool is_of_integers(const matcher *m, const xr_weight_pair *bias)
{
    for (int s = 0; s < 2; s++)
        if (m->side[s].model->tensors[bias->tensor[s]].quantization.count)
            return true;
    return false;
}

/* Whether an output is wrong beyond noise though the inputs are equal. */
static bool outputs_show_it(const exray_comparison *comparison)
{
    bool wrong = false;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        wrong = wrong || (output->comparable && !(output->error <= output->noise));
    }
    return wrong && xr_inputs_known(comparison) && !xr_inputs_differ(comparison);
}

/* Converters correct the biases of integer layers, clip them, and change them where it does not
 * matter (a channel that its activation cuts off).  So a different bias counts only where values
 * show it: those of its layer or, if they are not known, the outputs. */
static bool shows_in_values(const exray_comparison *comparison, const matcher *m, const xr_weight_pair *p)
{
    exray_layer_role role =
        p->layer == SIZE_MAX ? EXRAY_LAYER_ROLE_UNJUDGED : exray_comparison_layer(comparison, p->layer)->role;
    if (role == EXRAY_LAYER_ROLE_CLEAN || role == EXRAY_LAYER_ROLE_ORIGINATES || !is_of_integers(m, p))
        return role != EXRAY_LAYER_ROLE_CLEAN;
    return role == EXRAY_LAYER_ROLE_UNJUDGED && outputs_show_it(comparison);
}

static void settle_bias(const exray_comparison *comparison, matcher *m, xr_weight_pair *p)
{
    /* Tools correct a bias for the rounding of the weights. */
    p->differs = p->differs && p->difference > m->factor * 2 * rounding_of_layer(m, p) &&
                 shows_in_values(comparison, m, p);
    m->fit->biases++;
    m->fit->biases_differ += p->differs;
}

/* Convolutions of the same name have the same layout of weights on both sides. */
static bool has_same_convention(const exray_layer_pair *layer)
{
    const char *op = layer->op[EXRAY_SIDE_EDGE];
    return strcmp(op, layer->op[EXRAY_SIDE_REFERENCE]) == 0 && (strstr(op, "CONV") || strstr(op, "Conv"));
}

/* Engines differ in how they store a square matrix.  A transposed one is a fault where its layer is
 * wrong, or where both sides have the same convention. */
static bool is_wrongly_transposed(const exray_comparison *comparison, const xr_weight_pair *p)
{
    if (!p->transposed || p->layer == SIZE_MAX)
        return false;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, p->layer);
    return layer->role == EXRAY_LAYER_ROLE_ORIGINATES || has_same_convention(layer);
}

static bool sum_up(const exray_comparison *comparison, matcher *m)
{
    xr_model_fit *fit = m->fit;
    double *ratio = calloc(fit->count + 1, sizeof *ratio),
           *correlation = calloc(fit->count + 1, sizeof *ratio);
    size_t ratios = 0, correlations = 0;
    for (size_t i = 0; ratio && correlation && i < fit->count; i++) {
        xr_weight_pair *p = &fit->pair[i];
        if (p->differs && is_harmless(comparison, m, p))
            p->differs = p->moved = false;
        p->transposed = is_wrongly_transposed(comparison, p);
        p->differs = p->differs || p->transposed;
        fit->from_stats = fit->from_stats || p->from_stats;
        if (p->bias) {
            settle_bias(comparison, m, p);
            continue;
        }
        fit->weights++;
        fit->weights_moved += p->moved;
        fit->parameters += p->count;
        if (p->rounding > 0)
            ratio[ratios++] = p->difference / p->rounding;
        if (!p->differs)
            continue;
        fit->weights_differ++;
        fit->parameters_differ += p->count;
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

static exray_status compare_all(const exray_comparison *comparison, matcher *m)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; status == EXRAY_OK && i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->output == 0)
            status = match_layer(m, i, layer);
    }
    if (status == EXRAY_OK)
        status = match_names(m);
    if (status != EXRAY_OK)
        return status;
    if (!compare_architectures(m) || !sum_up(comparison, m))
        return EXRAY_E_MEMORY;
    if (m->fit->count == 0)
        m->fit->why = "the weights of the two logs have no counterparts, or none was recorded: record both "
                      "sides with --capture full";
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
    matcher m = {.factor = factor, .fit = fit, .error = error, .slot = {exray_slot_new(), exray_slot_new()}};
    exray_status status = EXRAY_E_MEMORY;
    bool ok = collect(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), &m.side[0]) &&
              collect(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE), &m.side[1]);
    if (ok && (!m.side[0].model || !m.side[1].model)) {
        fit->why = "a log has no /model, so the weights cannot be told apart";
        status = EXRAY_OK;
    } else if (ok && m.slot[0] && m.slot[1])
        status = compare_all(comparison, &m);
    for (int s = 0; s < 2; s++) {
        exray_slot_free(m.slot[s]);
        drop(&m.side[s]);
    }
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

exray_status xr_model_fit_get(const exray_comparison *comparison, exray_findings *findings,
                              const xr_model_fit **fit, exray_error *error)
{
    static const char key[] = "model_fit";
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
    bool moved = fit->weights >= ENOUGH && (double)fit->weights_moved >= share * (double)fit->weights;
    return fit->weights >= 3 && (moved || (double)fit->weights_differ >= share * (double)fit->weights);
}
