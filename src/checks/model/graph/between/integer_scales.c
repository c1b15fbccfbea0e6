#include "checks/model/graph/between/integer_scales.h"

#include "checks/place_of.h"

#include <math.h>
#include <string.h>

enum { OUT = -1, NONE = -2 };

/* Where an operator has a tensor, its scale and its zero point. */
typedef struct stored_operand {
    int tensor;
    uint32_t scale, zero;
} stored_operand;

enum { MOST_OPERANDS = 3 };
static const struct {
    const char *op;
    stored_operand operands[MOST_OPERANDS];
} operators[] = {
    {"QuantizeLinear", {{OUT, 1, 2}, {NONE, 0, 0}, {NONE, 0, 0}}},
    {"DequantizeLinear", {{0, 1, 2}, {NONE, 0, 0}, {NONE, 0, 0}}},
    {"QLinearConv", {{0, 1, 2}, {OUT, 6, 7}, {NONE, 0, 0}}},
    {"QLinearMatMul", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}}},
    {"QLinearAdd", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}}},
    {"QLinearMul", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}}},
    {"QGemm", {{0, 1, 2}, {OUT, 7, 8}, {NONE, 0, 0}}},
    {"QLinearAveragePool", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearGlobalAveragePool", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearSigmoid", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearLeakyRelu", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearSoftmax", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearReduceMean", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
};

/* The k-th stored_operand of a node.  False: there is none. */
static bool find_operand(const exray_node *node, uint32_t k, stored_operand *out)
{
    const char *op = node->op ? node->op : "";
    if (strcmp(op, "QLinearConcat") == 0) { /* the result's, then those of each part */
        *out = k ? (stored_operand){(int)(3 * k - 1), 3 * k, 3 * k + 1} : (stored_operand){OUT, 0, 1};
        return 3 * k + 1 < node->input_count;
    }
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(op, operators[i].op) == 0) {
            *out = k < MOST_OPERANDS ? operators[i].operands[k] : (stored_operand){NONE, 0, 0};
            return out->tensor != NONE;
        }
    return false;
}

/* One scale and one zero point; false: more, or not known. */
static bool read_pair(xr_model_constants *c, const exray_node *node, const stored_operand *t, double *scale,
                      double *zero)
{
    *zero = 0;
    if (t->scale >= node->input_count || node->inputs[t->scale] >= c->model->tensor_count ||
        xr_model_constants_values(c, node->inputs[t->scale], scale, 1) != 1)
        return false;
    const uint32_t at = t->zero < node->input_count ? node->inputs[t->zero] : EXRAY_NO_INDEX;
    return at >= c->model->tensor_count || xr_model_constants_values(c, at, zero, 1) == 1;
}

/* What writes a tensor, past nodes that only move its integers. */
static bool find_writer(xr_model_constants *c, uint32_t tensor, uint32_t *writer, double *scale, double *zero)
{
    static const char *const movers[] = {"Reshape", "Transpose", "Flatten",  "Squeeze", "Unsqueeze",
                                         "Slice",   "MaxPool",   "Identity", "Gather",  "DepthToSpace"};
    enum { FURTHEST = 8 };
    uint32_t output;
    for (int i = 0; i < FURTHEST && xr_place_of(c->model, tensor, writer, &output); i++) {
        const exray_node *node = &c->model->nodes[*writer];
        stored_operand t;
        for (uint32_t k = 0; find_operand(node, k, &t); k++)
            if (t.tensor == OUT)
                return read_pair(c, node, &t, scale, zero);
        bool moves = false;
        for (size_t m = 0; m < sizeof movers / sizeof *movers; m++)
            moves = moves || (node->op && strcmp(node->op, movers[m]) == 0);
        if (!moves || node->input_count == 0)
            return false;
        tensor = node->inputs[0];
    }
    return false;
}

size_t xr_scale_mismatches(xr_model_constants *c, xr_scale_mismatch *out, size_t room)
{
    static const double same = 1e-4; /* of the scale */
    size_t found = 0;
    for (uint32_t n = 0; n < c->model->node_count && found < room; n++) {
        const exray_node *node = &c->model->nodes[n];
        stored_operand t;
        for (uint32_t k = 0; found < room && find_operand(node, k, &t); k++) {
            xr_scale_mismatch m = {.reader = n};
            if (t.tensor == OUT || (uint32_t)t.tensor >= node->input_count)
                continue;
            m.tensor = node->inputs[t.tensor];
            if (m.tensor >= c->model->tensor_count || c->model->tensors[m.tensor].constant ||
                !find_writer(c, m.tensor, &m.writer, &m.scale[0], &m.zero[0]) ||
                !read_pair(c, node, &t, &m.scale[1], &m.zero[1]))
                continue;
            if (fabs(m.scale[0] - m.scale[1]) > same * fabs(m.scale[0]) || m.zero[0] != m.zero[1])
                out[found++] = m;
        }
    }
    return found;
}
