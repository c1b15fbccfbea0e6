/* How operators store the matrices that they multiply with. */
#include "checks/model/weights/weight_layout.h"

#include "checks/op_name.h"

#include <string.h>

/* How an operator has the matrix that it multiplies with. */
typedef enum output_side { UNKNOWN, ROWS_ARE_OUTPUTS, COLUMNS_ARE_OUTPUTS } output_side;

static output_side outputs_of(const exray_model *model, const xr_node_constant *of)
{
    static const struct {
        const char *engine, *op;
        output_side is;
    } known[] = {
        {"torch", "linear", ROWS_ARE_OUTPUTS},          {"onnx", "matmul", COLUMNS_ARE_OUTPUTS},
        {"onnx", "gemm", COLUMNS_ARE_OUTPUTS},          {"onnx", "fusedmatmul", COLUMNS_ARE_OUTPUTS},
        {"onnx", "fusedgemm", COLUMNS_ARE_OUTPUTS},     {"keras", "dense", COLUMNS_ARE_OUTPUTS},
        {"tflite", "fullyconnected", ROWS_ARE_OUTPUTS}, {"litert", "fullyconnected", ROWS_ARE_OUTPUTS}};
    char op[64];
    if (!of->node || of->input != 1 || !model->engine || of->tensor >= model->tensor_count ||
        model->tensors[of->tensor].rank != 2)
        return UNKNOWN;
    exray_node_plain_op(of->node->op, op, sizeof op);
    const char *turned = exray_node_attribute(of->node, "transB");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(model->engine, known[i].engine) && strcmp(op, known[i].op) == 0)
            return turned && strcmp(turned, "0") != 0 ? ROWS_ARE_OUTPUTS : known[i].is;
    return UNKNOWN;
}

xr_matrix_layout xr_matrix_layout_of(const exray_model *const model[2], const xr_node_constant of[2])
{
    const output_side is[2] = {outputs_of(model[0], &of[0]), outputs_of(model[1], &of[1])};
    if (is[0] == UNKNOWN || is[1] == UNKNOWN)
        return XR_MATRICES_UNKNOWN;
    return is[0] == is[1] ? XR_MATRICES_ALIKE : XR_MATRICES_TURNED;
}
