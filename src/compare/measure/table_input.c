#include "compare/measure/table_input.h"

#include "compare/match/layers.h"

#include <stdlib.h>
#include <string.h>

/* Nodes that are looked at behind the input: scaling, transposing and reshaping come before the first
 * weights. */
enum { MOST_NODES = 40 };

/* The dimensions of more than 1; false: they are not two. */
static bool two_dimensions(const exray_tensor_info *info, int64_t size[2])
{
    int64_t shape[EXRAY_MAX_RANK];
    if (xr_squeeze(info, shape) != 2 || shape[0] < 2 || shape[1] < 2)
        return false;
    size[0] = shape[0], size[1] = shape[1];
    return true;
}

bool xr_input_shape(const exray_comparison *c, const xr_pair *pair, exray_tensor_info *info, exray_slot *slot)
{
    const exray_log *log = c->log[EXRAY_SIDE_REFERENCE];
    const exray_model *model = exray_log_model(log);
    const uint32_t tensor = pair->tensor[EXRAY_SIDE_REFERENCE];
    bool known = model && tensor < model->tensor_count;
    for (uint32_t i = 0; known && i < model->tensors[tensor].rank; i++)
        known = model->tensors[tensor].shape[i] > 0;
    if (known)
        *info = model->tensors[tensor];
    for (size_t f = 0; f < c->frame_count && !known; f++) {
        const exray_record *record =
            exray_log_find(log, c->frame[f].frame[EXRAY_SIDE_REFERENCE], EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0,
                           pair->name[EXRAY_SIDE_REFERENCE]);
        exray_tensor_view view;
        exray_error error;
        if (!record)
            continue;
        if (exray_log_read_tensor(log, record, slot, &view, &error) != EXRAY_OK)
            return false;
        *info = view.info;
        return true;
    }
    return known;
}

/* ---- The first weights ---------------------------------------------------------------------------- */

static bool has(const char *op, const char *part)
{
    return op && strstr(op, part) != NULL;
}

static bool is_dense(const char *op)
{
    return has(op, "MatMul") || has(op, "Gemm") || has(op, "FULLY_CONNECTED") || has(op, "BATCH_MATMUL");
}

static bool is_recurrent(const char *op)
{
    return has(op, "GRU") || has(op, "LSTM") || has(op, "RNN");
}

static bool is_convolution(const char *op)
{
    return has(op, "Conv") || has(op, "CONV");
}

static bool is_transposed(const exray_node *node)
{
    for (uint32_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].key, "transB") == 0)
            return strcmp(node->attributes[i].value, "1") == 0;
    return false;
}

/* Whether weights take a dimension of that size for channels. */
static bool takes(const exray_node *node, const exray_tensor_info *w, int64_t size)
{
    const int64_t *s = w->shape;
    const uint32_t last = w->rank - 1;
    if (is_convolution(node->op)) /* filters: [out, in, ...] of ONNX, [out, height, width, in] of TFLite */
        return has(node->op, "CONV") ? s[last] == size : s[1] == size;
    if (is_recurrent(node->op) || has(node->op, "FULLY_CONNECTED") || is_transposed(node))
        return s[last] == size;
    return w->rank == 2 && s[0] == size;
}

/* ---- The way there -------------------------------------------------------------------------------- */

static bool reads(const exray_node *node, const bool *carries, uint32_t tensors)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < tensors && carries[node->inputs[i]])
            return true;
    return false;
}

/* What a tensor is made of that follows from one other alone (weights behind DequantizeLinear), or itself. */
static uint32_t origin_of(const exray_model *model, uint32_t tensor)
{
    const uint32_t maker = xr_maker_of(model, tensor);
    if (maker == EXRAY_NO_INDEX)
        return tensor;
    const exray_node *node = &model->nodes[maker];
    return has(node->op, "equant") && node->input_count ? node->inputs[0] : EXRAY_NO_INDEX;
}

/* The first tensor of two dimensions or more that a node reads beside what it is of, and that does not follow
 * from the input; NULL: none. */
static const exray_tensor_info *weights_of(const exray_model *model, const exray_node *node,
                                           const bool *carries)
{
    for (uint32_t i = 1; i < node->input_count; i++) {
        uint32_t t = node->inputs[i];
        if (t >= model->tensor_count || carries[t])
            continue;
        if (!model->tensors[t].constant)
            t = origin_of(model, t);
        if (t < model->tensor_count && !carries[t] && model->tensors[t].rank >= 2)
            return &model->tensors[t];
    }
    return NULL;
}

/* The first weights that the input's values meet, and the node that reads them; NULL: there are none near. */
static const exray_tensor_info *first_weights(const exray_model *model, uint32_t input, bool *carries,
                                              const exray_node **reader)
{
    carries[input] = true;
    for (uint32_t i = 0, seen = 0; i < model->node_count && seen < MOST_NODES; i++) {
        const exray_node *node = &model->nodes[i];
        if (!reads(node, carries, model->tensor_count))
            continue;
        seen++;
        const bool weighs = is_convolution(node->op) || is_dense(node->op) || is_recurrent(node->op);
        const exray_tensor_info *weights = weighs ? weights_of(model, node, carries) : NULL;
        *reader = node;
        if (weights)
            return weights;
        for (uint32_t k = 0; k < node->output_count; k++)
            if (node->outputs[k] < model->tensor_count)
                carries[node->outputs[k]] = true;
    }
    return NULL;
}

/* Whether the first weights that the input's values meet take one of its two dimensions for channels: a
 * convolution over time alone, a dense or recurrent layer over the values of each row.  A gray picture is one
 * channel, or flattened.  channels: which it is; -1: both are of that size. */
static bool takes_rows(const exray_model *model, uint32_t input, const int64_t size[2], int *channels)
{
    bool *carries =
        model && input < model->tensor_count ? calloc(model->tensor_count, sizeof *carries) : NULL;
    const exray_node *reader = NULL;
    const exray_tensor_info *weights = carries ? first_weights(model, input, carries, &reader) : NULL;
    bool of[2] = {false, false};
    for (int d = 0; weights && d < 2; d++)
        of[d] = takes(reader, weights, size[d]);
    free(carries);
    *channels = of[0] == of[1] ? -1 : of[1] ? 1 : 0;
    return of[0] || of[1];
}

/* ---- What the sensor recorded --------------------------------------------------------------------- */

static bool is_sound_format(const char *f)
{
    return f && (strcmp(f, "wav") == 0 || strcmp(f, "s16") == 0 || strcmp(f, "f32") == 0);
}

/* Whether the first frame of either log holds a sound and no picture. */
static bool only_heard(const exray_comparison *c, exray_slot *slot)
{
    bool sound = false, other = false;
    for (int s = 0; s < 2 && c->frame_count; s++) {
        const exray_record *records = exray_log_records(c->log[s], c->frame[0].frame[s]);
        const size_t count = records ? exray_log_frame(c->log[s], c->frame[0].frame[s])->record_count : 0;
        for (size_t i = 0; i < count; i++) {
            exray_tensor_view view;
            exray_error error;
            if (records[i].message != EXRAY_MESSAGE_TENSOR || records[i].kind != EXRAY_KIND_SENSOR ||
                exray_log_read_tensor(c->log[s], &records[i], slot, &view, &error) != EXRAY_OK ||
                !view.has_media)
                continue;
            const bool heard = is_sound_format(view.media.format);
            sound = sound || heard;
            other = other || (!heard && (view.media.width > 0 || view.media.format));
        }
    }
    return sound && !other;
}

void xr_find_tables(exray_comparison *c)
{
    int heard = -1; /* not asked yet */
    exray_slot *slot = exray_slot_new();
    for (size_t i = 0; slot && i < c->inputs.count; i++) {
        xr_pair *pair = &c->inputs.pair[i];
        exray_tensor_info info;
        int64_t size[2];
        pair->table_channels = -1;
        if (!xr_input_shape(c, pair, &info, slot) || info.rank < 2 || !two_dimensions(&info, size))
            continue;
        for (int s = 1; s >= 0 && !pair->table; s--)
            pair->table =
                takes_rows(exray_log_model(c->log[s]), pair->tensor[s], size, &pair->table_channels);
        if (!pair->table && heard < 0)
            heard = only_heard(c, slot);
        pair->table = pair->table || heard > 0;
    }
    exray_slot_free(slot);
}
