/* model.mode: a side runs in training mode: its batch normalizations use the statistics of each batch, its
 * dropouts zero values.  Said by the model's description where the tap records it; else the values show it.
 */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/op_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAMES = 3,
    FEWEST_IN_CHANNEL = 16, /* values that a mean and a deviation are judged by */
    FEWEST_CHANNELS = 4,
    FEWEST_DROPPED = 10,
};

typedef enum trained_kind { OTHER, BATCH_NORM, DROPOUT, RANDOM_SLOPE, KINDS } trained_kind;

typedef struct mode_side {
    const exray_comparison *comparison;
    exray_side side;
    const exray_log *log;
    const exray_model *model;
    exray_slot *slot[3];
    /* What was found. */
    bool trained[KINDS];   /* by kind */
    uint32_t first[KINDS]; /* node, by kind */
    uint32_t nodes[KINDS]; /* how many, by kind */
    double zeroed;         /* share of its input that the first dropout sets to 0; 0: unknown */
    bool by_values;        /* not as the log says it, but as the values show it */
    uint32_t node;         /* the first of all */
} mode_side;

static trained_kind kind_of(const exray_node *node)
{
    static const char *const norms[] = {"batchnormalization", "batchnorm",      "batchnorm1d",
                                        "batchnorm2d",        "batchnorm3d",    "syncbatchnorm",
                                        "instancenorm1d",     "instancenorm2d", "instancenorm3d"};
    static const char *const dropouts[] = {"dropout", "dropout1d", "dropout2d", "dropout3d", "alphadropout"};
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++)
        if (xr_is_op(node->op, norms[i]))
            return BATCH_NORM;
    for (size_t i = 0; i < sizeof dropouts / sizeof *dropouts; i++)
        if (xr_is_op(node->op, dropouts[i]))
            return DROPOUT;
    return xr_is_op(node->op, "rrelu") ? RANDOM_SLOPE : OTHER;
}

/* Dropout between the layers of a recurrent node, or in an attention: in a node of another kind, which says
 * so. */
static bool has_dropout_inside(const exray_node *node)
{
    static const char *const keys[] = {"dropout", "dropout_p"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = exray_node_attribute(node, keys[i]);
        if (text && strtod(text, NULL) > 0)
            return true;
    }
    return false;
}

/* 1: said to be in training mode, 0: said not to be, -1: not said. */
static int said_mode(const exray_node *node)
{
    static const char *const keys[] = {"training", "training_mode"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = exray_node_attribute(node, keys[i]);
        if (text && *text)
            return *text == 'T' || *text == 't' || *text == '1';
    }
    return -1;
}

/* ---- Values ---------------------------------------------------------------------------- */

static const float *read_record(const mode_side *m, const exray_record *record, int slot,
                                exray_tensor_view *view)
{
    const float *values = NULL;
    exray_error error;
    bool ok = record && record->has_data &&
              exray_log_read_values(m->log, record, m->slot[slot], view, &values, &error) == EXRAY_OK;
    return ok ? values : NULL;
}

static const float *read_output(const mode_side *m, uint32_t node, size_t frame, exray_tensor_view *view)
{
    size_t position = exray_comparison_frame(m->comparison, frame).frame[m->side];
    return read_record(m, exray_log_find(m->log, position, EXRAY_KIND_LAYER, node, 0, NULL), 0, view);
}

/* A tensor that a node before makes, or an input of the model. */
static const float *read_tensor(const mode_side *m, uint32_t tensor, uint32_t node, size_t frame, int slot,
                                exray_tensor_view *view)
{
    size_t position = exray_comparison_frame(m->comparison, frame).frame[m->side];
    for (uint32_t n = node; n-- > 0;)
        for (uint32_t k = 0; k < m->model->nodes[n].output_count; k++)
            if (m->model->nodes[n].outputs[k] == tensor)
                return read_record(m, exray_log_find(m->log, position, EXRAY_KIND_LAYER, n, k, NULL), slot,
                                   view);
    const char *name = tensor < m->model->tensor_count ? m->model->tensors[tensor].name : NULL;
    return name && *name
               ? read_record(m, exray_log_find(m->log, position, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, name),
                             slot, view)
               : NULL;
}

static const float *read_constant(const mode_side *m, uint32_t tensor, int slot, uint64_t *count)
{
    exray_tensor_view view;
    const exray_record *record = exray_log_find(m->log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    const float *values = read_record(m, record, slot, &view);
    *count = values ? view.count : 0;
    return values;
}

/* Whether each channel of an output has the mean that the node's shift says, and no more deviation than its
 * scale says: those of the batch were taken off.  Of faint channels the epsilon leaves less. */
static bool has_batch_statistics(const float *value, const exray_tensor_view *view, const float *scale,
                                 const float *shift, uint64_t channels)
{
    const int64_t *shape = view->info.shape;
    uint32_t rank = view->info.rank;
    bool last =
        rank > 1 && shape[rank - 1] == (int64_t)channels && (rank < 3 || shape[1] != (int64_t)channels);
    if (rank < 2 || channels < FEWEST_CHANNELS || view->count % channels ||
        (!last && shape[1] != (int64_t)channels))
        return false;
    uint64_t each = view->count / channels, batch = shape[0] > 0 ? (uint64_t)shape[0] : 1;
    uint64_t inner = last ? 1 : each / batch, right = 0;
    if (each < FEWEST_IN_CHANNEL || (!last && each % batch))
        return false;
    for (uint64_t c = 0; c < channels; c++) {
        double sum = 0, square = 0;
        for (uint64_t i = 0; i < each; i++) {
            uint64_t at = last ? i * channels + c : (i / inner * channels + c) * inner + i % inner;
            sum += value[at];
            square += (double)value[at] * value[at];
        }
        double mean = sum / (double)each, deviation = sqrt(fmax(square / (double)each - mean * mean, 0));
        double expected = fabs((double)scale[c]);
        right += deviation > 0 && fabs(mean - shift[c]) <= 1e-3 * fmin(deviation, expected) + 1e-5 &&
                 deviation <= 1.02 * expected;
    }
    return right * 20 >= channels * 19;
}

/* The statistics that were trained; frameworks list them in different places. */
static bool is_statistic(const exray_tensor_info *info)
{
    static const char *const ends[] = {"running_mean", "running_var", "moving_mean", "moving_variance"};
    size_t length = info->name ? strlen(info->name) : 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (length >= strlen(ends[i]) && strcmp(info->name + length - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* The scale and the shift of a normalization are the first two other constants of the node; they stay valid
 * until the next is read.  False: they are not known. */
static bool read_norm(const mode_side *m, uint32_t node, const float **scale, const float **shift,
                      uint64_t *channels)
{
    const exray_node *n = &m->model->nodes[node];
    uint32_t constant[2], found = 0;
    for (uint32_t i = 0; i < n->input_count && found < 2; i++)
        if (n->inputs[i] < m->model->tensor_count && m->model->tensors[n->inputs[i]].constant &&
            !is_statistic(&m->model->tensors[n->inputs[i]]))
            constant[found++] = n->inputs[i];
    uint64_t others = 0;
    if (found < 2)
        return false;
    *scale = read_constant(m, constant[0], 1, channels);
    *shift = read_constant(m, constant[1], 2, &others);
    return *scale && *shift && *channels == others;
}

static bool shows_batch_statistics(const mode_side *m, uint32_t node)
{
    uint64_t channels;
    const float *scale, *shift;
    if (!read_norm(m, node, &scale, &shift, &channels))
        return false;
    size_t frames = exray_comparison_frame_count(m->comparison), seen = 0;
    for (size_t f = 0; f < frames && f < MOST_FRAMES; f++) {
        exray_tensor_view view;
        const float *value = read_output(m, node, f, &view);
        if (!value)
            continue;
        if (!has_batch_statistics(value, &view, scale, shift, channels))
            return false;
        seen++;
    }
    return seen > 0;
}

/* The share of the values that are 0 behind the node and not before, where the rest is scaled to make up for
 * it; 0: it zeroes none. */
static double zeroed_share(const mode_side *m, uint32_t node)
{
    const exray_node *n = &m->model->nodes[node];
    double zeroed = 0, kept = 0, sum = 0, square = 0;
    size_t frames = exray_comparison_frame_count(m->comparison);
    for (size_t f = 0; n->input_count && f < frames && f < MOST_FRAMES; f++) {
        exray_tensor_view view[2];
        const float *out = read_output(m, node, f, &view[0]);
        const float *in = out ? read_tensor(m, n->inputs[0], node, f, 1, &view[1]) : NULL;
        for (uint64_t i = 0; in && view[0].count == view[1].count && i < view[0].count; i++) {
            if (in[i] == 0)
                continue;
            if (out[i] == 0) {
                zeroed++;
                continue;
            }
            double factor = (double)out[i] / in[i];
            kept++;
            sum += factor;
            square += factor * factor;
        }
    }
    if (zeroed < FEWEST_DROPPED || kept < FEWEST_DROPPED)
        return 0;
    double factor = sum / kept, share = zeroed / (zeroed + kept);
    bool constant = square / kept - factor * factor <= 1e-6 * factor * factor;
    /* The expected share, as far as so many draws may be off. */
    double expected = 1 - 1 / factor, off = 5 * sqrt(expected * (1 - expected) / (zeroed + kept)) + 1e-6;
    return constant && factor > 1 && fabs(share - expected) <= off ? share : 0;
}

/* ---- One side -------------------------------------------------------------------------------- */

/* One takes the statistics of its input in both modes, unless it says that it keeps trained ones. */
static bool is_of_instances(const exray_node *node)
{
    return xr_is_op(node->op, "instancenorm1d") || xr_is_op(node->op, "instancenorm2d") ||
           xr_is_op(node->op, "instancenorm3d");
}

static bool is_trained(const mode_side *m)
{
    return m->trained[BATCH_NORM] || m->trained[DROPOUT] || m->trained[RANDOM_SLOPE];
}

static void look_at_node(mode_side *m, uint32_t node)
{
    trained_kind k = kind_of(&m->model->nodes[node]);
    bool inside = k == OTHER && has_dropout_inside(&m->model->nodes[node]);
    k = inside ? DROPOUT : k;
    int said = k == OTHER ? 0 : said_mode(&m->model->nodes[node]);
    bool trained = said == 1;
    double share = 0;
    if (k == DROPOUT && said != 0 && !inside) {
        share = zeroed_share(m, node);
        trained = trained || share > 0;
    } else if (k == BATCH_NORM && said < 0 && !is_of_instances(&m->model->nodes[node]))
        trained = shows_batch_statistics(m, node);
    if (!trained)
        return;
    m->by_values = m->by_values || said < 0;
    m->zeroed = m->zeroed > 0 ? m->zeroed : share;
    if (m->nodes[k]++ == 0)
        m->first[k] = node;
    if (!is_trained(m))
        m->node = node;
    m->trained[k] = true;
}

/* ---- Written out ------------------------------------------------------------------------------- */

/* The sum of a node's two inputs, of which the second may be a number for each of the last dimension's
 * channels: what it makes before the activation that is fused into it.  NULL: they are not known, or memory
 * is short. */
static float *read_sum(const mode_side *m, uint32_t node, size_t frame, uint64_t channels,
                       exray_tensor_view *view)
{
    const exray_node *n = &m->model->nodes[node];
    exray_tensor_view other;
    for (uint32_t i = 0; i < 2 && n->input_count == 2; i++) {
        const float *value = read_tensor(m, n->inputs[i], node, frame, 1, view);
        const uint32_t rank = value ? view->info.rank : 0;
        if (rank < 2 || view->info.shape[rank - 1] != (int64_t)channels)
            continue;
        const float *shift = read_tensor(m, n->inputs[1 - i], node, frame, 2, &other);
        if (!shift || (other.count != channels && other.count != view->count))
            continue;
        float *sum = malloc((view->count + 1) * sizeof *sum);
        for (uint64_t k = 0; sum && k < view->count; k++)
            sum[k] = value[k] + shift[other.count == channels ? k % channels : k];
        return sum;
    }
    return NULL;
}

/* Whether a sum has, in each frame, the statistics that a normalization of the other side has numbers for. */
static bool is_written_norm(const mode_side *m, uint32_t node, const float *scale, const float *shift,
                            uint64_t channels)
{
    const char *fused = exray_node_attribute(&m->model->nodes[node], "fused_activation_function");
    const bool hidden = fused && strcmp(fused, "NONE") != 0;
    size_t frames = exray_comparison_frame_count(m->comparison), seen = 0;
    bool shows = true;
    for (size_t f = 0; shows && f < frames && f < MOST_FRAMES; f++) {
        exray_tensor_view view;
        const float *made = hidden ? NULL : read_output(m, node, f, &view);
        float *sum = hidden ? read_sum(m, node, f, channels, &view) : NULL;
        const float *value = hidden ? sum : made;
        shows = !value || has_batch_statistics(value, &view, scale, shift, channels);
        seen += value != NULL;
        free(sum);
    }
    return shows && seen > 0;
}

/* Whether the model takes means of what it computes. */
static bool takes_means(const exray_model *model)
{
    for (uint32_t n = 0; n < model->node_count; n++)
        if (xr_is_op(model->nodes[n].op, "mean") || xr_is_op(model->nodes[n].op, "reducemean"))
            return true;
    return false;
}

/* A graph that was exported in training mode has the statistics of the batch in operators of its own, which
 * end in a sum: with the other side's scale and shift. */
static void look_for_written(mode_side *m, const mode_side *other)
{
    if (!m->model || !other->model || is_trained(m) || !takes_means(m->model))
        return;
    for (uint32_t k = 0; k < other->model->node_count; k++) {
        uint64_t channels;
        const float *scale, *shift;
        if (kind_of(&other->model->nodes[k]) != BATCH_NORM || is_of_instances(&other->model->nodes[k]) ||
            !read_norm(other, k, &scale, &shift, &channels))
            continue;
        for (uint32_t n = 0; n < m->model->node_count; n++) {
            const exray_node *node = &m->model->nodes[n];
            const bool ends = xr_is_op(node->op, "add") || xr_is_op(node->op, "sub");
            if (!ends || !is_written_norm(m, n, scale, shift, channels))
                continue;
            m->node = m->nodes[BATCH_NORM] && m->node < n ? m->node : n;
            m->first[BATCH_NORM] = m->node;
            m->nodes[BATCH_NORM]++;
            m->trained[BATCH_NORM] = m->by_values = true;
            break;
        }
    }
}

static bool look_at_side(const exray_comparison *comparison, exray_side side, mode_side *m)
{
    *m = (mode_side){.comparison = comparison, .side = side, .log = exray_comparison_log(comparison, side)};
    m->model = exray_log_model(m->log);
    bool ok = true;
    for (int i = 0; i < 3; i++)
        ok = (m->slot[i] = exray_slot_new()) && ok;
    for (uint32_t n = 0; ok && m->model && n < m->model->node_count; n++)
        look_at_node(m, n);
    return ok;
}

static void close_side(mode_side *m)
{
    for (int i = 0; i < 3; i++)
        exray_slot_free(m->slot[i]);
}

/* ---- Telling ---------------------------------------------------------------------------------- */

/* The first pair of layers at or behind a side's node; EXRAY_NO_INDEX: none. */
static uint32_t layer_at(const exray_comparison *comparison, exray_side side, uint32_t node)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (exray_comparison_layer(comparison, i)->node[side] >= node)
            return (uint32_t)i;
    return EXRAY_NO_INDEX;
}

/* The node from which on values differ: where the other side has folded the normalization into the layer
 * before, that one. */
static uint32_t first_node(const mode_side *m)
{
    uint32_t layer = layer_at(m->comparison, m->side, m->node);
    const exray_node *node = &m->model->nodes[m->node];
    const exray_layer_pair *pair =
        layer == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(m->comparison, layer);
    const exray_model *other = exray_log_model(exray_comparison_log(m->comparison, (exray_side)!m->side));
    bool paired = pair && pair->node[m->side] == m->node && other &&
                  pair->node[!m->side] < other->node_count &&
                  kind_of(&other->nodes[pair->node[!m->side]]) == BATCH_NORM;
    if (paired || kind_of(node) != BATCH_NORM || node->input_count == 0)
        return m->node;
    for (uint32_t n = m->node; n-- > 0;)
        for (uint32_t k = 0; k < m->model->nodes[n].output_count; k++)
            if (m->model->nodes[n].outputs[k] == node->inputs[0])
                return n;
    return m->node;
}

static void describe(const mode_side *m, const char *side, exray_finding *f)
{
    if (m->trained[BATCH_NORM])
        exray_finding_detail(f,
                             "In the %s, %u batch normalizations take mean and variance of each batch, not "
                             "those that were trained; the first is node %u, %.100s.",
                             side, (unsigned)m->nodes[BATCH_NORM], (unsigned)m->first[BATCH_NORM],
                             exray_node_name(m->model, m->first[BATCH_NORM]));
    if (m->trained[DROPOUT])
        exray_finding_detail(f, "In the %s, %u dropouts set values to 0%s; the first is node %u, %.100s.",
                             side, (unsigned)m->nodes[DROPOUT], m->zeroed > 0 ? " and scale the rest" : "",
                             (unsigned)m->first[DROPOUT], exray_node_name(m->model, m->first[DROPOUT]));
    if (m->trained[RANDOM_SLOPE])
        exray_finding_detail(
            f, "In the %s, %u leaky ReLUs draw their slopes at random; the first is node %u, %.100s.", side,
            (unsigned)m->nodes[RANDOM_SLOPE], (unsigned)m->first[RANDOM_SLOPE],
            exray_node_name(m->model, m->first[RANDOM_SLOPE]));
    if (m->zeroed > 0)
        exray_finding_detail(f, "It sets %.0f %% of the values that it gets to 0.", 100 * m->zeroed);
    if (!m->by_values)
        exray_finding_detail(f, "The log's description of the model says so.");
}

/* "batch statistics and dropout" */
static const char *kinds_in_words(const mode_side *m, char *text, size_t size)
{
    static const char *const word[KINDS] = {NULL, "batch statistics", "dropout", "random slopes"};
    size_t used = 0;
    for (int k = BATCH_NORM; k < KINDS; k++)
        if (m->trained[k] && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " and " : "", word[k]);
    return text;
}

static void report(const exray_comparison *comparison, const mode_side side[2], exray_findings *findings)
{
    bool trained[2];
    for (int s = 0; s < 2; s++)
        trained[s] = is_trained(&side[s]);
    if (!trained[0] && !trained[1])
        return;
    bool both = trained[0] && trained[1];
    int s = trained[0] ? 0 : 1;
    const char *name = s == 0 ? "edge" : "reference";
    bool by_values = (trained[0] && side[0].by_values) || (trained[1] && side[1].by_values);
    exray_finding *f =
        exray_findings_add(findings, "model.mode", EXRAY_SEVERITY_ERROR, by_values ? 0.9 : 0.98);
    uint32_t layer = layer_at(comparison, (exray_side)s, first_node(&side[s]));
    exray_finding_where(f, "model", exray_node_name(side[s].model, side[s].node), layer);
    if (both) {
        exray_finding_summary(
            f, "Both sides run in training mode: their results are not those of the deployed model.");
        exray_finding_fix(
            f, "Put the model into inference mode (PyTorch: model.eval(), Keras: training=False) and "
               "record both sides again.");
    } else {
        char words[64];
        exray_finding_summary(f, "The %s runs in training mode: %s.", name,
                              kinds_in_words(&side[s], words, sizeof words));
        exray_finding_fix(
            f,
            "Put the %s's model into inference mode (PyTorch: model.eval(), Keras: training=False) and "
            "record it again.",
            name);
    }
    for (int i = 0; i < 2; i++)
        if (trained[i])
            describe(&side[i], i ? "reference" : "edge", f);
    exray_finding_text(f, "side", both ? "both" : name);
    exray_finding_number(f, "batch_norms", side[s].nodes[BATCH_NORM]);
    exray_finding_number(f, "dropouts", side[s].nodes[DROPOUT]);
    if (side[s].zeroed > 0)
        exray_finding_number(f, "zeroed_share", side[s].zeroed);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    mode_side side[2] = {{0}, {0}};
    if (!(xr_layers_differ(comparison) || xr_outputs_differ(comparison)))
        return EXRAY_OK;
    bool ok = true;
    for (int s = 0; s < 2; s++)
        ok = look_at_side(comparison, (exray_side)s, &side[s]) && ok;
    for (int s = 0; ok && s < 2; s++)
        look_for_written(&side[s], &side[!s]);
    if (ok)
        report(comparison, side, findings);
    for (int s = 0; s < 2; s++)
        close_side(&side[s]);
    if (ok)
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while looking for training mode"};
    return EXRAY_E_MEMORY;
}

static const char *const causes[] = {"model.mode", NULL};

const exray_assertion xr_assertion_model_mode = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "model.mode",
    .summary = "neither side runs in training mode",
    .causes = causes,
    .needs = "/model of both logs, with `training` among the attributes, or the values of layers",
    .run = run,
};
