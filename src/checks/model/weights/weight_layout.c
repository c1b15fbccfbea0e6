/* How operators store the matrices that they multiply with. */
#include "checks/model/weights/weight_layout.h"

#include "checks/op_name.h"

#include <math.h>
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

/* The rms difference of a matrix from its transpose. */
static double apart_from_transpose(const float *value, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        for (uint64_t k = 0; k < i; k++) {
            const double d = (double)value[i * n + k] - (double)value[k * n + i];
            sum += 2 * d * d;
        }
    return sqrt(sum) / (double)n;
}

bool xr_is_square_turned(const exray_log *log, uint32_t tensor, double within)
{
    const exray_model *model = exray_log_model(log);
    const exray_tensor_info *info = model && tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
    if (!info || info->rank != 2 || info->shape[0] != info->shape[1] || info->shape[0] < 2 ||
        info->shape[0] > UINT32_MAX)
        return false;
    const uint64_t n = (uint64_t)info->shape[0];
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *value;
    exray_error ignored;
    const bool turned = slot && record && record->has_data &&
                        exray_log_read_values(log, record, slot, &view, &value, &ignored) == EXRAY_OK &&
                        value && view.count == n * n && apart_from_transpose(value, n) > within;
    exray_slot_free(slot);
    return turned;
}
