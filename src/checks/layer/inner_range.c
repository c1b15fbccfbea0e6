#include "checks/layer/inner_range.h"

#include "checks/op_name.h"
#include "checks/place_of.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 4 };

static const exray_model *edge_model(const exray_comparison *comparison)
{
    return exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
}

/* The layer whose result on the edge a tensor is, or SIZE_MAX. */
static size_t layer_of(const exray_comparison *comparison, uint32_t tensor)
{
    return xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, tensor);
}

/* ---- A copy behind a layer ------------------------------------------------------------------------ */

static bool is_quantizer(const exray_node *node)
{
    return xr_is_op(node->op, "quantizelinear") || xr_is_op(node->op, "quantize");
}

static bool unpacks(const exray_node *node)
{
    return xr_is_op(node->op, "dequantizelinear") || xr_is_op(node->op, "dequantize");
}

bool xr_has_quantizers(const exray_comparison *comparison)
{
    const exray_model *model = edge_model(comparison);
    for (uint32_t n = 0; model && n < model->node_count; n++)
        if (is_quantizer(&model->nodes[n]))
            return true;
    return false;
}

uint32_t xr_quantizer_behind(const exray_comparison *comparison, size_t layer)
{
    const exray_model *model = edge_model(comparison);
    const exray_tensor_info *made =
        xr_layer_info(comparison, exray_comparison_layer(comparison, layer), EXRAY_SIDE_EDGE);
    if (!model || !made || made->quantization.count || made->constant)
        return EXRAY_NO_INDEX;
    const uint32_t tensor = (uint32_t)(made - model->tensors);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (!node->input_count || node->inputs[0] != tensor || !is_quantizer(node) || !node->output_count ||
            node->outputs[0] >= model->tensor_count)
            continue;
        xr_layer_evidence range = {0};
        xr_note_range(&model->tensors[node->outputs[0]], &range);
        if (range.step > 0 && layer_of(comparison, node->outputs[0]) == SIZE_MAX)
            return n;
    }
    return EXRAY_NO_INDEX;
}

exray_status xr_quantizer_evidence(const exray_comparison *comparison, size_t layer, uint32_t node,
                                   xr_layer_evidence *out, exray_error *error)
{
    const exray_model *model = edge_model(comparison);
    const exray_tensor_info *copy = &model->tensors[model->nodes[node].outputs[0]];
    exray_status status = xr_layer_range_evidence_in(comparison, layer, copy, out, error);
    out->unclipped = NAN;
    out->difference += out->clipped + out->step * out->step / 12;
    return status;
}

/* ---- Integers before a layer ------------------------------------------------------------------------ */

/* The first tensor that a node reads, or the integers that a DequantizeLinear before it unpacks. */
static uint32_t integers_read_by(const exray_model *model, const exray_node *node)
{
    uint32_t maker, output;
    const exray_node *before =
        xr_place_of(model, node->inputs[0], &maker, &output) ? &model->nodes[maker] : NULL;
    return before && before->input_count && xr_is_op(before->op, "dequantizelinear") ? before->inputs[0]
                                                                                     : node->inputs[0];
}

/* Whether a tensor is the copy in integers of what a layer with a counterpart made. */
static bool is_copy(const exray_comparison *comparison, const exray_model *model, const exray_node *maker)
{
    return is_quantizer(maker) && maker->input_count && maker->inputs[0] < model->tensor_count &&
           layer_of(comparison, maker->inputs[0]) != SIZE_MAX;
}

uint32_t xr_integers_before(const exray_comparison *comparison, size_t layer, uint32_t *maker)
{
    const exray_model *model = edge_model(comparison);
    uint32_t n = exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE];
    const exray_node *node = model && n < model->node_count ? &model->nodes[n] : NULL;
    /* What a DequantizeLinear unpacks are the layer's own integers, and judged as such. */
    if (!node || !node->input_count || node->inner_count || unpacks(node))
        return EXRAY_NO_INDEX;
    uint32_t tensor = integers_read_by(model, node);
    uint32_t output;
    if (tensor >= model->tensor_count || !xr_place_of(model, tensor, maker, &output) ||
        is_copy(comparison, model, &model->nodes[*maker]))
        return EXRAY_NO_INDEX;
    xr_layer_evidence range = {0};
    xr_note_range(&model->tensors[tensor], &range);
    return range.step > 0 && layer_of(comparison, tensor) == SIZE_MAX ? tensor : EXRAY_NO_INDEX;
}

/* Reads what a node made of a frame that both logs have; false: it was not recorded. */
static bool read_made(const exray_comparison *comparison, size_t frame, uint32_t tensor, exray_slot *slot,
                      exray_tensor_view *out, const float **values)
{
    const exray_log *log = exray_comparison_log(comparison, EXRAY_SIDE_EDGE);
    const exray_model *model = edge_model(comparison);
    size_t at = exray_comparison_frame(comparison, frame).frame[EXRAY_SIDE_EDGE];
    exray_error ignored;
    uint32_t node, output;
    const exray_record *record = xr_place_of(model, tensor, &node, &output)
                                     ? exray_log_find(log, at, EXRAY_KIND_LAYER, node, output, NULL)
                                     : NULL;
    return record && record->has_data &&
           exray_log_read_values(log, record, slot, out, values, &ignored) == EXRAY_OK && *values;
}

typedef struct end_sums {
    double n, at_ends, elsewhere, low, high, sum, square;
} end_sums;

static void add_frame(const float *before, const float *made, const float *reference, uint64_t count,
                      xr_layer_evidence *e, end_sums *s)
{
    const double lowest = e->low + e->step / 2, highest = e->high - e->step / 2;
    for (uint64_t i = 0; i < count; i++) {
        double x = before[i], b = reference[i], d = made[i] - b;
        if (!isfinite(d) || !isfinite(x))
            continue;
        bool low = x<lowest, high = x> highest;
        s->low += low;
        s->high += high;
        *(low || high ? &s->at_ends : &s->elsewhere) += d * d;
        s->sum += b;
        s->square += b * b;
        s->n++;
        e->min[0] = fmin(e->min[0], x);
        e->max[0] = fmax(e->max[0], x);
        e->min[1] = fmin(e->min[1], b);
        e->max[1] = fmax(e->max[1], b);
    }
}

static void settle(const end_sums *s, xr_layer_evidence *e)
{
    double mean = s->sum / s->n;
    e->count = s->n;
    e->deviation = sqrt(fmax(s->square / s->n - mean * mean, 0));
    e->below = s->low / s->n;
    e->above = s->high / s->n;
    e->clipped = s->at_ends / s->n;
    e->unclipped = s->elsewhere / s->n;
    e->difference = e->clipped + e->unclipped;
}

exray_status xr_integers_evidence(const exray_comparison *comparison, size_t layer, uint32_t tensor,
                                  xr_layer_evidence *out, exray_error *error)
{
    *out = (xr_layer_evidence){.min = {INFINITY, INFINITY}, .max = {-INFINITY, -INFINITY}, .held = NAN};
    xr_note_range(&edge_model(comparison)->tensors[tensor], out);
    exray_slot *slot[3] = {exray_slot_new(), exray_slot_new(), exray_slot_new()};
    exray_status status = slot[0] && slot[1] && slot[2] ? EXRAY_OK : EXRAY_E_MEMORY;
    end_sums s = {0};
    for (size_t f = 0;
         status == EXRAY_OK && f < exray_comparison_frame_count(comparison) && out->frames < MOST_FRAMES;
         f++) {
        exray_tensor_view view[3];
        const float *value[3] = {NULL, NULL, NULL};
        exray_error ignored; /* a frame without data tells nothing */
        bool whole = read_made(comparison, f, tensor, slot[2], &view[2], &value[2]);
        for (int k = 0; k < 2 && whole; k++)
            whole = exray_comparison_values(comparison, (exray_side)k, f, EXRAY_KIND_LAYER, layer, slot[k],
                                            &view[k], &value[k], &ignored) == EXRAY_OK &&
                    value[k] && view[k].count == view[2].count;
        if (!whole)
            continue;
        add_frame(value[2], value[0], value[1], view[2].count, out, &s);
        out->frames++;
    }
    for (int k = 0; k < 3; k++)
        exray_slot_free(slot[k]);
    if (status != EXRAY_OK)
        *error = (exray_error){status, "out of memory while reading a layer"};
    else if (s.n > 0)
        settle(&s, out);
    else
        out->frames = 0;
    return status;
}

/* ---- Who reads it --------------------------------------------------------------------------------- */

size_t xr_layers_that_read(const exray_comparison *comparison, uint32_t tensor, size_t *layer, size_t most)
{
    const exray_model *model = edge_model(comparison);
    bool *copy = model ? calloc((size_t)model->tensor_count + 1, sizeof *copy) : NULL;
    size_t found = 0;
    if (!copy || tensor >= model->tensor_count) {
        free(copy);
        return 0;
    }
    copy[tensor] = true;
    for (uint32_t n = 0; n < model->node_count && found < most; n++) {
        const exray_node *node = &model->nodes[n];
        bool reader = false;
        for (uint32_t i = 0; i < node->input_count && !reader; i++)
            reader = node->inputs[i] < model->tensor_count && copy[node->inputs[i]];
        for (uint32_t k = 0; k < node->output_count && reader; k++) {
            uint32_t made = node->outputs[k];
            size_t pair = made < model->tensor_count ? layer_of(comparison, made) : SIZE_MAX;
            if (made < model->tensor_count && pair == SIZE_MAX)
                copy[made] = true;
            else if (pair != SIZE_MAX && found < most)
                layer[found++] = pair;
        }
    }
    free(copy);
    return found;
}

/* ---- Ranges that are kept from one tensor to the next -------------------------------------------- */

static bool keeps_scale(const exray_node *node)
{
    static const char *const ops[] = {
        "concat",       "concatenation",
        "averagepool",  "averagepool2d",
        "maxpool",      "maxpool2d",
        "resize",       "resizebilinear",
        "upsample",     "resizenearestneighbor",
        "pad",          "padv2",
        "mirrorpad",    "slice",
        "stridedslice", "split",
        "splitv",       "gather",
        "tile",         "minimum",
        "maximum",      "min",
        "max",          "depthtospace",
        "spacetodepth", "transpose",
        "reshape",      "flatten",
    };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (xr_is_op(node->op, ops[i]))
            return true;
    return false;
}

static double own_scale(const exray_model *model, uint32_t tensor)
{
    if (tensor >= model->tensor_count || model->tensors[tensor].constant)
        return 0;
    const exray_quantization *q = &model->tensors[tensor].quantization;
    return q->count == 1 ? (double)q->scale[0] : 0;
}

/* That of a tensor, of the integers that it is unpacked from, or of those that it is packed into; 0: none. */
static double scale_of(const exray_model *model, uint32_t tensor)
{
    uint32_t maker, output;
    double scale = own_scale(model, tensor);
    if (scale == 0 && xr_place_of(model, tensor, &maker, &output) && unpacks(&model->nodes[maker]) &&
        model->nodes[maker].input_count)
        scale = own_scale(model, model->nodes[maker].inputs[0]);
    for (uint32_t n = 0; scale == 0 && n < model->node_count; n++)
        if (is_quantizer(&model->nodes[n]) && model->nodes[n].output_count &&
            xr_node_reads(&model->nodes[n], tensor))
            scale = own_scale(model, model->nodes[n].outputs[0]);
    return scale;
}

static bool keeps_what_it_reads(const exray_model *model, uint32_t node, double scale)
{
    const exray_node *n = &model->nodes[node];
    for (uint32_t i = 0; i < n->input_count && keeps_scale(n); i++)
        if (scale_of(model, n->inputs[i]) == scale)
            return true;
    return false;
}

/* Whether what reads a tensor, packs or unpacks it before, makes something of the same scale. */
static bool is_kept(const exray_model *model, uint32_t tensor, double scale, int depth)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (!node->output_count || !xr_node_reads(node, tensor))
            continue;
        if (keeps_scale(node) ? scale_of(model, node->outputs[0]) == scale
                              : depth > 0 && (is_quantizer(node) || unpacks(node)) &&
                                    is_kept(model, node->outputs[0], scale, depth - 1))
            return true;
    }
    return false;
}

bool xr_shares_range(const exray_comparison *comparison, size_t layer)
{
    enum { PACKED_AND_UNPACKED = 2 };
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const exray_tensor_info *made = xr_layer_info(comparison, pair, EXRAY_SIDE_EDGE);
    if (!model || !made)
        return false;
    const uint32_t tensor = (uint32_t)(made - model->tensors);
    const double scale = scale_of(model, tensor);
    return scale > 0 && (keeps_what_it_reads(model, pair->node[EXRAY_SIDE_EDGE], scale) ||
                         is_kept(model, tensor, scale, PACKED_AND_UNPACKED));
}
