#include "checks/model/gates.h"

#include "checks/model/graph/model_constants.h"

#include <math.h>
#include <string.h>

/* Letters as in xr_gate_layout; orders of ONNX, PyTorch and Keras. */
typedef struct convention {
    const char *engine; /* NULL: any */
    const char *lstm, *gru;
    bool last; /* Keras has [inputs][gates x units] */
} convention;

static const convention conventions[] = {
    {"torch", "ifco", "rzh", false},
    {"keras", "ifco", "zrh", true},
    {"tensorflow", "ifco", "zrh", true},
    {"onnx", "iofc", "zrh", false},
};

static const convention *convention_of(const exray_model *model)
{
    for (size_t i = 0; model->engine && i < sizeof conventions / sizeof *conventions; i++)
        if (strstr(model->engine, conventions[i].engine))
            return &conventions[i];
    return NULL;
}

/* ONNX: X, W, R, B, lengths, initial states; of the quantized form W and R turned. */
static bool is_onnx_weight(const exray_node *node, uint32_t input)
{
    (void)node;
    return input >= 1 && input <= 3;
}

static bool is_onnx(const convention *c)
{
    return strcmp(c->engine, "onnx") == 0;
}

uint32_t xr_gate_parts(const exray_model *model, const xr_node_constant *constant)
{
    const convention *c = convention_of(model);
    const exray_tensor_info *info = &model->tensors[constant->tensor];
    const char *op = constant->node && constant->node->op ? constant->node->op : "";
    if (!c || !is_onnx(c) || (!strstr(op, "LSTM") && !strstr(op, "GRU")) ||
        !is_onnx_weight(constant->node, constant->input) || info->rank < 2 || info->shape[0] < 1 ||
        info->shape[0] > 2)
        return 1;
    return (uint32_t)info->shape[0] * (constant->input == 3 ? 2 : 1);
}

/* Of one part: `rows` x `columns` as stored. */
static bool divide(xr_gate_layout *out, bool last, uint64_t rows, uint64_t columns)
{
    uint64_t stacked = last ? columns : rows;
    if (stacked == 0 || stacked % out->gates)
        return false;
    out->last = last;
    out->hidden = stacked / out->gates;
    out->columns = last ? rows : columns;
    return true;
}

bool xr_gate_layout_of(const exray_model *model, const xr_node_constant *constant, xr_gate_layout *out)
{
    const convention *c = convention_of(model);
    const exray_tensor_info *info = &model->tensors[constant->tensor];
    const char *op = constant->node && constant->node->op ? constant->node->op : "";
    bool lstm = strstr(op, "LSTM") != NULL;
    if (!c || (!lstm && !strstr(op, "GRU")) || info->rank == 0 || info->rank > 3)
        return false;
    uint64_t size[3] = {1, 1, 1};
    if (xr_tensor_elements(info) == 0)
        return false;
    for (uint32_t d = 0; d < info->rank; d++)
        size[3 - info->rank + d] = (uint64_t)info->shape[d];
    *out = (xr_gate_layout){.gates = lstm ? 4 : 3, .order = lstm ? c->lstm : c->gru};
    if (!is_onnx(c)) {
        if (info->rank == 1)
            return divide(out, false, size[2], 1);
        return info->rank == 2 && divide(out, c->last, size[1], size[2]);
    }
    if (!is_onnx_weight(constant->node, constant->input))
        return false;
    if (constant->input == 3) { /* [directions][2 x gates x hidden] */
        bool fits = info->rank == 2 && size[2] % 2 == 0 && divide(out, false, size[2] / 2, 1);
        out->offset = constant->part * (size[2] / 2);
        return fits;
    }
    bool turned = strcmp(op, "DynamicQuantizeLSTM") == 0;
    out->offset = constant->part * size[1] * size[2];
    return info->rank == 3 && divide(out, turned, size[1], size[2]);
}

void xr_gates_sort(const xr_gate_layout *l, const float *values, float *out)
{
    const char *sorted = l->gates == 4 ? "ifco" : "rzh";
    const float *from = values + l->offset;
    uint64_t stacked = l->gates * l->hidden;
    for (uint32_t g = 0; g < l->gates; g++) {
        uint64_t place = (uint64_t)(strchr(l->order, sorted[g]) - l->order) * l->hidden;
        for (uint64_t h = 0; h < l->hidden; h++)
            for (uint64_t i = 0; i < l->columns; i++)
                *out++ = l->last ? from[i * stacked + place + h] : from[(place + h) * l->columns + i];
    }
}

static double gate_difference(const float *a, const float *b, uint64_t count)
{
    double sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum / (double)count);
}

bool xr_gates_are_exchanged(const xr_gate_layout *l, const float *const values[2], double within)
{
    uint64_t count = l->hidden * l->columns;
    unsigned used = 0;
    bool moved = false;
    for (uint32_t g = 0; count && g < l->gates; g++) {
        uint32_t found = l->gates;
        for (uint32_t k = 0; found == l->gates && k < l->gates; k++)
            if (!(used >> k & 1) &&
                gate_difference(values[0] + g * count, values[1] + k * count, count) <= within)
                found = k;
        if (found == l->gates)
            return false;
        used |= 1u << found;
        moved = moved || found != g;
    }
    return moved;
}
