#include "checks/model/gates.h"

#include "checks/model/graph/model_constants.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <string.h>

/* Letters as in xr_gate_layout; orders of ONNX, PyTorch and Keras. */
typedef struct convention {
    const char *engine; /* NULL: any */
    const char *lstm, *gru;
    bool last;     /* Keras has [inputs][gates x units] */
    bool one_bias; /* of an LSTM: the sum of what others have in two */
} convention;

static const convention conventions[] = {
    {"torch", "ifco", "rzh", false, false},    {"tflite", "ifco", NULL, false, true},
    {"litert", "ifco", NULL, false, true},     {"keras", "ifco", "zrh", true, true},
    {"tensorflow", "ifco", "zrh", true, true}, {"onnx", "iofc", "zrh", false, false},
};

static const convention *convention_of(const exray_model *model)
{
    for (size_t i = 0; model->engine && i < sizeof conventions / sizeof *conventions; i++)
        if (strstr(model->engine, conventions[i].engine))
            return &conventions[i];
    return NULL;
}

enum { PEEPHOLES = 7, TFLITE_DIRECTION = 17 /* inputs before the second one's */ };

/* ONNX: X, W, R, B, lengths, initial states, peepholes; of the quantized form W and R turned. */
static bool is_onnx_weight(const exray_node *node, uint32_t input)
{
    (void)node;
    return input >= 1 && input <= 3;
}

static bool is_onnx(const convention *c)
{
    return strcmp(c->engine, "onnx") == 0;
}

/* TensorFlow Lite has a constant for each gate. */
static bool has_gates_apart(const convention *c)
{
    return !c->gru;
}

static bool is_lstm(const xr_node_constant *constant)
{
    return constant->node && constant->node->op && strstr(constant->node->op, "LSTM");
}

uint32_t xr_gate_parts(const exray_model *model, const xr_node_constant *constant)
{
    const convention *c = convention_of(model);
    const exray_tensor_info *info = &model->tensors[constant->tensor];
    const char *op = constant->node && constant->node->op ? constant->node->op : "";
    bool peepholes = strcmp(op, "LSTM") == 0 && constant->input == PEEPHOLES;
    if (!c || !is_onnx(c) || (!strstr(op, "LSTM") && !strstr(op, "GRU")) ||
        !(is_onnx_weight(constant->node, constant->input) || peepholes) || info->rank < 2 ||
        info->shape[0] < 1 || info->shape[0] > 2)
        return 1;
    return (uint32_t)info->shape[0] * (constant->input == 3 && constant->joined != XR_JOINED_SUM ? 2 : 1);
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

/* TensorFlow Lite's: of the inputs, of the state [hidden][columns], peepholes, biases [hidden]. */
static bool layout_of_joined(const exray_tensor_info *info, const xr_node_constant *constant,
                             xr_gate_layout *out)
{
    if (constant->joined != XR_JOINED_GATES || info->rank > 2)
        return false;
    const char *order = constant->joined_count == 3 ? "ifco" : "ifo";
    *out = (xr_gate_layout){.gates = constant->joined_count + 1, .order = order, .sorted = order};
    out->columns = info->rank == 2 ? (uint64_t)info->shape[1] : 1;
    out->hidden = (uint64_t)info->shape[0];
    return xr_tensor_elements(info) > 0;
}

bool xr_gate_layout_of(const exray_model *model, const xr_node_constant *constant, xr_gate_layout *out)
{
    const convention *c = convention_of(model);
    const exray_tensor_info *info = &model->tensors[constant->tensor];
    const char *op = constant->node && constant->node->op ? constant->node->op : "";
    bool lstm = strstr(op, "LSTM") != NULL;
    if (!c || (!lstm && !strstr(op, "GRU")) || info->rank == 0 || info->rank > 3)
        return false;
    if (has_gates_apart(c))
        return layout_of_joined(info, constant, out);
    uint64_t size[3] = {1, 1, 1};
    if (xr_tensor_elements(info) == 0)
        return false;
    for (uint32_t d = 0; d < info->rank; d++)
        size[3 - info->rank + d] = (uint64_t)info->shape[d];
    *out = (xr_gate_layout){
        .gates = lstm ? 4 : 3, .order = lstm ? c->lstm : c->gru, .sorted = lstm ? "ifco" : "rzh"};
    if (!is_onnx(c)) {
        if (info->rank == 1)
            return divide(out, false, size[2], 1);
        return info->rank == 2 && divide(out, c->last, size[1], size[2]);
    }
    if (lstm && constant->input == PEEPHOLES) {
        out->gates = 3;
        out->order = "iof";
        out->sorted = "ifo";
        out->offset = constant->part * size[2];
        return info->rank == 2 && divide(out, false, size[2], 1);
    }
    if (!is_onnx_weight(constant->node, constant->input))
        return false;
    if (constant->input == 3) { /* [directions][2 x gates x hidden] */
        bool fits = info->rank == 2 && size[2] % 2 == 0 && divide(out, false, size[2] / 2, 1);
        /* A sum's parts are directions: its first bias is here, its second behind it. */
        out->offset = constant->part * (constant->joined == XR_JOINED_SUM ? size[2] : size[2] / 2);
        return fits;
    }
    bool turned = strcmp(op, "DynamicQuantizeLSTM") == 0;
    out->offset = constant->part * size[1] * size[2];
    return info->rank == 3 && divide(out, turned, size[1], size[2]);
}

/* PyTorch and Keras: of a direction the weights of the inputs, then those of the state. */
static bool place_among(const exray_model *model, const xr_node_constant *constant, xr_gate_place *out)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < constant->input; i++) {
        uint32_t tensor = constant->node->inputs[i];
        before += tensor < model->tensor_count && model->tensors[tensor].rank == 2 &&
                  model->tensors[tensor].constant;
    }
    *out = (xr_gate_place){.direction = before / 2, .of_state = before % 2};
    return model->tensors[constant->tensor].rank == 2;
}

/* Whether a constant is the biases of ONNX's GRU that resets behind the product: there those of the inputs
 * and of the state do other things; elsewhere they are added up. */
static bool has_biases_apart(const xr_node_constant *constant)
{
    const char *behind = exray_node_attribute(constant->node, "linear_before_reset"),
               *op = constant->node->op ? constant->node->op : "";
    return constant->input == 3 && constant->joined != XR_JOINED_SUM && strcmp(op, "GRU") == 0 && behind &&
           strcmp(behind, "0") != 0;
}

bool xr_gate_place_of(const exray_model *model, const xr_node_constant *constant, xr_gate_place *out)
{
    const convention *c = convention_of(model);
    xr_gate_layout layout;
    if (!c || !constant->node || !xr_gate_layout_of(model, constant, &layout))
        return false;
    if (is_onnx(c)) {
        if (has_biases_apart(constant)) {
            *out = (xr_gate_place){.direction = constant->part / 2, .of_state = constant->part % 2};
            return true;
        }
        *out = (xr_gate_place){.direction = constant->part, .of_state = constant->input == 2};
        return constant->input == 1 || constant->input == 2;
    }
    if (!has_gates_apart(c))
        return place_among(model, constant, out);
    uint32_t of_direction = constant->input % TFLITE_DIRECTION;
    *out = (xr_gate_place){.direction = constant->input / TFLITE_DIRECTION, .of_state = of_direction == 5};
    return of_direction == 1 || of_direction == 5;
}

/* ---- Constants that another engine has in one --------------------------------------------------------- */

/* The gates of TensorFlow Lite's LSTMs, by the input of the first: of a direction they are of the inputs (4),
 * of the state (4), peepholes (3), biases (4), the projection's weights and bias. */
static uint32_t gates_from(const exray_node *node, uint32_t input, uint32_t *first)
{
    static const uint32_t begins[][2] = {{1, 4}, {5, 4}, {9, 3}, {12, 4}};
    uint32_t directions = strcmp(node->op, "BIDIRECTIONAL_SEQUENCE_LSTM") == 0 ? 2 : 1;
    for (uint32_t d = 0; d < directions; d++)
        for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
            *first = begins[i][0] + d * TFLITE_DIRECTION;
            if (input >= *first && input < *first + begins[i][1])
                return begins[i][1];
        }
    return 0;
}

static bool are_alike(const exray_tensor_info *a, const exray_tensor_info *b)
{
    return a->rank && xr_same_shape(a, b);
}

/* A gate that is left out (its input is the forget gate's) leaves the others as they are. */
static bool join_gates(const exray_model *model, xr_node_constant *c)
{
    const exray_node *node = c->node;
    uint32_t first, count = gates_from(node, c->input, &first);
    if (!count || first + count > node->input_count)
        return true;
    for (uint32_t g = 0; g < count; g++) {
        uint32_t tensor = node->inputs[first + g];
        if (tensor >= model->tensor_count ||
            !are_alike(&model->tensors[tensor], &model->tensors[node->inputs[first]]))
            return true;
    }
    if (c->input != first)
        return false;
    c->joined = XR_JOINED_GATES;
    c->joined_count = count - 1;
    for (uint32_t g = 1; g < count; g++)
        c->also[g - 1] = node->inputs[first + g];
    return true;
}

/* PyTorch's biases are two constants, one behind the other. */
static bool join_biases(const exray_model *model, xr_node_constant *c)
{
    uint32_t before = 0, next = c->input + 1;
    if (model->tensors[c->tensor].rank != 1)
        return true;
    for (uint32_t i = 0; i < c->input; i++)
        before += c->node->inputs[i] < model->tensor_count && model->tensors[c->node->inputs[i]].rank == 1;
    if (before % 2)
        return false;
    uint32_t tensor = next < c->node->input_count ? c->node->inputs[next] : EXRAY_NO_INDEX;
    if (tensor >= model->tensor_count || !are_alike(&model->tensors[c->tensor], &model->tensors[tensor]))
        return true;
    c->joined = XR_JOINED_SUM;
    c->joined_count = 1;
    c->also[0] = tensor;
    return true;
}

bool xr_gates_join(const exray_model *model, const exray_model *other, xr_node_constant *constant)
{
    const convention *own = convention_of(model), *theirs = other ? convention_of(other) : NULL;
    if (!own || !theirs || own == theirs || !is_lstm(constant))
        return true;
    if (has_gates_apart(own))
        return has_gates_apart(theirs) || join_gates(model, constant);
    if (!theirs->one_bias || own->one_bias)
        return true;
    if (!is_onnx(own))
        return join_biases(model, constant);
    if (constant->input == 3)
        constant->joined = XR_JOINED_SUM; /* of halves of one constant */
    return true;
}

/* ---- Gates ------------------------------------------------------------------------------------------- */

void xr_gates_sort(const xr_gate_layout *l, const float *values, float *out)
{
    const float *from = values + l->offset;
    uint64_t stacked = l->gates * l->hidden;
    for (uint32_t g = 0; g < l->gates; g++) {
        uint64_t place = (uint64_t)(strchr(l->order, l->sorted[g]) - l->order) * l->hidden;
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

unsigned xr_gates_that_differ(const xr_gate_layout *l, const float *const values[2], double within)
{
    uint64_t count = l->hidden * l->columns;
    unsigned differ = 0;
    for (uint32_t g = 0; count && g < l->gates; g++)
        if (gate_difference(values[0] + g * count, values[1] + g * count, count) > within)
            differ |= 1u << g;
    return differ;
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
