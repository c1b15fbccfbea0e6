#include "checks/model/weight_values.h"

#include "checks/model/gates.h"
#include "checks/model/graph/model_constants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool xr_weight_values_make(xr_weight_values *v)
{
    *v = (xr_weight_values){.slot = {exray_slot_new(), exray_slot_new(), exray_slot_new()}};
    return v->slot[0] && v->slot[1] && v->slot[2];
}

void xr_weight_values_free(xr_weight_values *v)
{
    for (int i = 0; i < 3; i++)
        exray_slot_free(v->slot[i]);
    free(v->unpacked);
    *v = (xr_weight_values){0};
}

/* ---- Blocks ------------------------------------------------------------------------------------ */

/* MatMulNBits: [rows][blocks][bytes] for the transpose of MatMul's [columns][rows]; blocks of `size` columns.
 */
typedef struct block_layout {
    uint64_t rows, columns, blocks, size;
    unsigned bits;
} block_layout;

static uint64_t number(const exray_node *node, const char *key)
{
    const char *text = exray_node_attribute(node, key);
    long long value = text ? strtoll(text, NULL, 10) : 0;
    return value > 0 && value < (1 << 24) ? (uint64_t)value : 0; /* so that products of two fit */
}

/* False: the constant is not packed. */
static bool find_blocks(const xr_node_constant *c, block_layout *out)
{
    if (!c->node || !c->node->op || strcmp(c->node->op, "MatMulNBits") != 0 || c->input != 1)
        return false;
    *out = (block_layout){.rows = number(c->node, "N"),
                          .columns = number(c->node, "K"),
                          .size = number(c->node, "block_size"),
                          .bits = (unsigned)number(c->node, "bits")};
    out->blocks = out->size ? (out->columns + out->size - 1) / out->size : 0;
    return true;
}

static unsigned unpack(const uint8_t *bytes, unsigned bits, uint64_t i)
{
    uint64_t bit = i * bits;
    return bytes[bit / 8] >> bit % 8 & ((1u << bits) - 1);
}

static const exray_record *record_of(const exray_log *log, uint32_t tensor)
{
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    return record && record->has_data ? record : NULL;
}

static exray_status unsupported(exray_error *error)
{
    return error->status = EXRAY_E_UNSUPPORTED;
}

/* The zero points: packed integers, each row in whole bytes; NULL where they are left out. */
static exray_status read_zeros(const exray_log *log, const xr_node_constant *c, const block_layout *b,
                               xr_weight_values *v, const uint8_t **zeros, exray_error *error)
{
    *zeros = NULL;
    uint32_t tensor = c->node->input_count > 3 ? c->node->inputs[3] : EXRAY_NO_INDEX;
    if (tensor == EXRAY_NO_INDEX)
        return EXRAY_OK;
    const exray_record *record = record_of(log, tensor);
    exray_tensor_view view;
    if (!record)
        return unsupported(error);
    exray_status status = exray_log_read_tensor(log, record, v->slot[2], &view, error);
    if (status == EXRAY_OK &&
        (view.info.dtype != EXRAY_DTYPE_UINT8 || view.size < b->rows * ((b->blocks * b->bits + 7) / 8)))
        status = unsupported(error);
    *zeros = view.data;
    return status;
}

/* In the order of MatMul.  group: [columns] the block whose scale a column has; NULL: that in which it lies.
 */
static void dequantize(const block_layout *b, const uint8_t *packed, const float *scale, const uint8_t *zeros,
                       const uint32_t *group, float *out)
{
    uint64_t bytes = b->size * b->bits / 8, zero_bytes = (b->blocks * b->bits + 7) / 8;
    for (uint64_t row = 0; row < b->rows; row++)
        for (uint64_t i = 0; i < b->columns; i++) {
            uint64_t in = i / b->size, block = group ? group[i] : in;
            unsigned zero = zeros ? unpack(zeros + row * zero_bytes, b->bits, block) : 1u << (b->bits - 1);
            unsigned value = unpack(packed + (row * b->blocks + in) * bytes, b->bits, i % b->size);
            out[i * b->rows + row] = ((float)value - (float)zero) * scale[row * b->blocks + block];
        }
}

/* The blocks of columns that were sorted before they were quantized (input g_idx); *group: NULL where they
 * were not. */
static exray_status read_groups(const exray_log *log, const xr_node_constant *c, const block_layout *b,
                                xr_weight_values *v, uint32_t **group, exray_error *error)
{
    *group = NULL;
    uint32_t tensor = c->node->input_count > 4 ? c->node->inputs[4] : EXRAY_NO_INDEX;
    const exray_record *record = tensor == EXRAY_NO_INDEX ? NULL : record_of(log, tensor);
    exray_tensor_view view;
    if (tensor == EXRAY_NO_INDEX)
        return EXRAY_OK;
    if (!record)
        return unsupported(error);
    exray_status status = exray_log_read_tensor(log, record, v->slot[2], &view, error);
    if (status != EXRAY_OK)
        return status;
    if (view.info.dtype != EXRAY_DTYPE_INT32 || view.size < b->columns * sizeof(int32_t))
        return unsupported(error);
    uint32_t *made = malloc((b->columns + 1) * sizeof *made);
    if (!made)
        return EXRAY_E_MEMORY;
    for (uint64_t i = 0; i < b->columns; i++) {
        memcpy(&made[i], (const char *)view.data + i * sizeof *made, sizeof *made);
        if (made[i] >= b->blocks) {
            free(made);
            return unsupported(error);
        }
    }
    *group = made;
    return EXRAY_OK;
}

static exray_status read_blocks(const exray_log *log, const xr_node_constant *c, const block_layout *b,
                                xr_weight_values *v, exray_error *error)
{
    bool known = b->rows && b->blocks && (b->bits == 2 || b->bits == 4 || b->bits == 8) && b->size % 8 == 0;
    const exray_record *record = record_of(log, c->tensor),
                       *scale_record = c->node->input_count > 2 ? record_of(log, c->node->inputs[2]) : NULL;
    if (!known || !record || !scale_record)
        return unsupported(error);
    exray_tensor_view packed, scale_view;
    const float *scale;
    const uint8_t *zeros;
    uint32_t *group = NULL;
    exray_status status = read_groups(log, c, b, v, &group, error);
    if (status == EXRAY_OK)
        status = exray_log_read_tensor(log, record, v->slot[0], &packed, error);
    if (status == EXRAY_OK)
        status = exray_log_read_values(log, scale_record, v->slot[1], &scale_view, &scale, error);
    if (status == EXRAY_OK)
        status = read_zeros(log, c, b, v, &zeros, error);
    if (status == EXRAY_OK && (packed.size < b->rows * b->blocks * (b->size * b->bits / 8) ||
                               scale_view.count < b->rows * b->blocks))
        status = unsupported(error);
    free(status == EXRAY_OK ? v->unpacked : NULL);
    if (status == EXRAY_OK) {
        v->unpacked = malloc((b->rows * b->columns + 1) * sizeof *v->unpacked);
        status = v->unpacked ? EXRAY_OK : EXRAY_E_MEMORY;
    }
    if (status == EXRAY_OK)
        dequantize(b, packed.data, scale, zeros, group, v->unpacked);
    free(group);
    if (status != EXRAY_OK)
        return status;
    v->shape[0] = (int64_t)b->columns;
    v->shape[1] = (int64_t)b->rows;
    v->view = (exray_tensor_view){
        .count = b->rows * b->columns,
        .info = {.dtype = EXRAY_DTYPE_UINT8,
                 .rank = 2,
                 .shape = v->shape,
                 .quantization = {.count = (uint32_t)(b->rows * b->blocks), .scale = scale}}};
    v->value = v->unpacked;
    return EXRAY_OK;
}

/* ---- All constants ------------------------------------------------------------------------------- */

/* DynamicQuantizeLSTM may have a scale for each direction and gate: [directions][inputs][gates x hidden]. */
static exray_status scale_gates(const exray_log *log, const xr_node_constant *c, xr_weight_values *v,
                                exray_error *error)
{
    const exray_tensor_info *info = &v->view.info;
    bool lstm = c->node && c->node->op && strcmp(c->node->op, "DynamicQuantizeLSTM") == 0;
    if (!lstm || c->input < 1 || c->input > 2 || info->quantization.count || info->rank != 3)
        return EXRAY_OK;
    uint32_t at = c->input == 1 ? 8 : 10;
    const exray_record *scales = c->node->input_count > at + 1 ? record_of(log, c->node->inputs[at]) : NULL;
    const exray_record *zeros = scales ? record_of(log, c->node->inputs[at + 1]) : NULL;
    exray_tensor_view scale_view, zero_view;
    const float *scale, *zero;
    uint64_t gates = (uint64_t)info->shape[2], each = (uint64_t)info->shape[1] * gates;
    if (!scales || !zeros)
        return unsupported(error);
    exray_status status = exray_log_read_values(log, scales, v->slot[1], &scale_view, &scale, error);
    if (status == EXRAY_OK)
        status = exray_log_read_values(log, zeros, v->slot[2], &zero_view, &zero, error);
    if (status != EXRAY_OK)
        return status;
    uint64_t count = (uint64_t)info->shape[0] * gates;
    if (scale_view.count != count || zero_view.count != count ||
        v->view.count != (uint64_t)info->shape[0] * each)
        return unsupported(error);
    free(v->unpacked);
    v->unpacked = malloc((v->view.count + 1) * sizeof *v->unpacked);
    if (!v->unpacked)
        return EXRAY_E_MEMORY;
    for (uint64_t i = 0; i < v->view.count; i++) {
        uint64_t k = i / each * gates + i % gates;
        v->unpacked[i] = (v->value[i] - zero[k]) * scale[k];
    }
    v->value = v->unpacked;
    v->view.info.quantization = (exray_quantization){.count = (uint32_t)count, .scale = scale};
    return EXRAY_OK;
}

/* Gates in one order, whatever the framework's. */
static exray_status sort_gates(const exray_model *model, const xr_node_constant *c, xr_weight_values *v)
{
    xr_gate_layout layout;
    if (!xr_gate_layout_of(model, c, &layout) ||
        layout.offset + layout.gates * layout.hidden * layout.columns > v->view.count)
        return EXRAY_OK;
    uint64_t count = layout.gates * layout.hidden * layout.columns;
    float *sorted = malloc((count + 1) * sizeof *sorted);
    if (!sorted)
        return EXRAY_E_MEMORY;
    xr_gates_sort(&layout, v->value, sorted);
    free(v->unpacked);
    v->value = v->unpacked = sorted;
    v->shape[0] = (int64_t)(layout.gates * layout.hidden);
    v->shape[1] = (int64_t)layout.columns;
    v->view.count = count;
    v->view.info.rank = layout.columns > 1 ? 2 : 1;
    v->view.info.shape = v->shape;
    return EXRAY_OK;
}

/* The sum of the two biases of an ONNX node, halves of one row for each direction, put in place of the first.
 */
static exray_status sum_halves(const exray_model *model, const xr_node_constant *c, xr_weight_values *v)
{
    const exray_tensor_info *info = &model->tensors[c->tensor];
    if (c->joined != XR_JOINED_SUM || c->joined_count || info->rank != 2)
        return EXRAY_OK;
    const uint64_t row = (uint64_t)info->shape[1], rows = row ? v->view.count / row : 0;
    float *sum = malloc((v->view.count + 1) * sizeof *sum);
    if (!sum)
        return EXRAY_E_MEMORY;
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t i = 0; i < row; i++)
            sum[r * row + i] = v->value[r * row + i] + (i < row / 2 ? v->value[r * row + row / 2 + i] : 0);
    free(v->unpacked);
    v->value = v->unpacked = sum;
    return EXRAY_OK;
}

/* Blocks with a scale each are recorded one after another; the model has the shape of the whole. */
static void take_shape(const exray_model *model, uint32_t tensor, exray_tensor_view *view)
{
    const exray_tensor_info *info = &model->tensors[tensor];
    if (view->info.quantization.count > 1 && xr_tensor_elements(info) == view->count) {
        view->info.shape = info->shape;
        view->info.rank = info->rank;
    }
}

static exray_status read_one(const exray_log *log, const xr_node_constant *c, xr_weight_values *v,
                             exray_error *error)
{
    block_layout blocks;
    v->value = NULL;
    if (find_blocks(c, &blocks))
        return read_blocks(log, c, &blocks, v, error);
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, c->tensor, 0, NULL);
    if (!record)
        return error->status = EXRAY_E_STATE;
    if (record->has_data) {
        exray_status status = exray_log_read_values(log, record, v->slot[0], &v->view, &v->value, error);
        if (status == EXRAY_OK) {
            take_shape(exray_log_model(log), c->tensor, &v->view);
            status = scale_gates(log, c, v, error);
        }
        return status == EXRAY_OK ? sum_halves(exray_log_model(log), c, v) : status;
    }
    return exray_log_read_tensor(log, record, v->slot[0], &v->view, error);
}

/* ---- Joined constants ------------------------------------------------------------------------------- */

/* Adds a constant of a joint to the numbers of those before it; integers keep a scale each. */
static void join_values(const xr_node_constant *c, xr_weight_values *v, uint32_t i, uint64_t each, float *out)
{
    const exray_quantization *q = &v->view.info.quantization;
    for (uint32_t k = 0; i < XR_MOST_GATES && k < q->count; k++)
        v->scale[i] = k && v->scale[i] > q->scale[k] ? v->scale[i] : q->scale[k];
    for (uint64_t k = 0; c->joined == XR_JOINED_SUM && k < each; k++)
        out[k] += v->value[k];
    if (c->joined == XR_JOINED_GATES)
        memcpy(out + i * each, v->value, each * sizeof *out);
}

/* Statistics of all from those of each. */
static void join_statistics(exray_stats *all, const exray_stats *one)
{
    double a = (double)all->count, b = (double)one->count, n = a + b;
    if (!(n > 0))
        return;
    double apart = one->mean - all->mean;
    all->variance = (a * all->variance + b * one->variance) / n + a * b * apart * apart / (n * n);
    all->mean += b / n * apart;
    all->count += one->count;
}

/* Reads the constants one after another; the view is of the first, with what all of them have. */
static exray_status read_joined(const exray_log *log, const xr_node_constant *c, xr_weight_values *v,
                                exray_error *error)
{
    const bool gates = c->joined == XR_JOINED_GATES;
    const uint32_t count = c->joined_count + 1;
    const uint64_t each = xr_tensor_elements(&exray_log_model(log)->tensors[c->tensor]);
    exray_stats all = {0};
    bool values = true, scaled = true;
    float *joined = calloc(each * (gates ? count : 1) + 1, sizeof *joined);
    if (!joined)
        return EXRAY_E_MEMORY;
    exray_status status = EXRAY_OK;
    for (uint32_t i = 0; i < count && status == EXRAY_OK; i++) {
        const xr_node_constant one = {.tensor = i ? c->also[i - 1] : c->tensor};
        status = read_one(log, &one, v, error);
        if (status == EXRAY_OK && (v->view.count != each || (!v->value && (!gates || !v->view.has_stats))))
            status = unsupported(error);
        if (status != EXRAY_OK)
            break;
        scaled = scaled && v->view.info.quantization.count;
        values = values && v->value;
        if (v->value)
            join_values(c, v, i, each, joined);
        else
            join_statistics(&all, &v->view.stats);
    }
    if (status != EXRAY_OK || (!values && all.count != each * count)) {
        free(joined);
        return status == EXRAY_OK ? unsupported(error) : status;
    }
    free(v->unpacked);
    v->unpacked = joined;
    v->value = values ? joined : NULL;
    v->view.count = each * (gates ? count : 1);
    v->view.stats = all;
    v->view.info.quantization = (exray_quantization){.count = scaled ? count : 0, .scale = v->scale};
    return EXRAY_OK;
}

/* ---- Masks ------------------------------------------------------------------------------------------- */

/* Where values are hidden from a softmax (-10000, -65504, -infinity are added, nothing else), each hides as
 * well as the next: its exponential is zero in any float.  A mask hides some and shows others: numbers that
 * are all far below zero are a bias. */
static exray_status level_mask(xr_weight_values *v)
{
    const float hidden = (float)XR_HIDDEN_SCORE;
    bool mask = v->view.info.quantization.count == 0, hides = false, shows = false;
    for (uint64_t i = 0; mask && i < v->view.count; i++) {
        mask = v->value[i] == 0 || v->value[i] <= hidden;
        hides = hides || v->value[i] < hidden;
        shows = shows || v->value[i] == 0;
    }
    if (!mask || !hides || !shows)
        return EXRAY_OK;
    float *leveled = malloc((v->view.count + 1) * sizeof *leveled);
    if (!leveled)
        return EXRAY_E_MEMORY;
    for (uint64_t i = 0; i < v->view.count; i++)
        leveled[i] = v->value[i] == 0 ? 0 : hidden;
    free(v->unpacked);
    v->value = v->unpacked = leveled;
    return EXRAY_OK;
}

/* ---- Either ------------------------------------------------------------------------------------------ */

exray_status xr_weight_values_read(const exray_log *log, const xr_node_constant *c, xr_weight_values *v,
                                   exray_error *error)
{
    v->rounding = NAN;
    exray_status status = c->joined_count ? read_joined(log, c, v, error) : read_one(log, c, v, error);
    if (status == EXRAY_OK && v->value)
        status = level_mask(v);
    return status == EXRAY_OK && v->value ? sort_gates(exray_log_model(log), c, v) : status;
}

uint64_t xr_weight_count(const exray_model *model, const xr_node_constant *c)
{
    block_layout blocks;
    xr_gate_layout gates;
    if (find_blocks(c, &blocks))
        return blocks.rows * blocks.columns;
    if (xr_gate_layout_of(model, c, &gates))
        return gates.gates * gates.hidden * gates.columns;
    uint64_t joined = c->joined == XR_JOINED_GATES ? c->joined_count + 1 : 1;
    return joined * xr_tensor_elements(&model->tensors[c->tensor]);
}

uint32_t xr_weight_dimensions(const exray_model *model, const xr_node_constant *c)
{
    block_layout blocks;
    xr_gate_layout gates;
    if (find_blocks(c, &blocks))
        return 2;
    if (xr_gate_layout_of(model, c, &gates))
        return gates.columns > 1 ? 2 : 1;
    const exray_tensor_info *info = &model->tensors[c->tensor];
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        count += info->shape[i] != 1;
    return count;
}
