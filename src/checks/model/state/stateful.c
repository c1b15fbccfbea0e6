#include "checks/model/state/stateful.h"

#include "checks/op_name.h"

/* Whether the node's operator keeps a state or reads one. */
static bool is_stateful(const exray_model *model, uint32_t node)
{
    /* TensorFlow Lite's; ONNX's recurrent operators get their state as an input. */
    static const char *const ops[] = {"varhandle",
                                      "readvariable",
                                      "assignvariable",
                                      "svdf",
                                      "rnn",
                                      "unidirectionalsequencernn",
                                      "bidirectionalsequencernn",
                                      "lstm",
                                      "unidirectionalsequencelstm",
                                      "bidirectionalsequencelstm"};
    const exray_node *n = node < model->node_count ? &model->nodes[node] : NULL;
    bool onnx = model->engine && model->engine[0] == 'o';
    for (size_t i = 0; n && !onnx && i < sizeof ops / sizeof *ops; i++)
        if (xr_is_op(n->op, ops[i]))
            return true;
    for (uint32_t i = 0; n && i < n->inner_count; i++)
        for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
            if (!onnx && xr_is_op(n->inner[i].op, ops[k]))
                return true;
    return false;
}

uint32_t xr_first_stateful(const exray_model *model)
{
    for (uint32_t n = 0; model && n < model->node_count; n++)
        if (is_stateful(model, n))
            return n;
    return EXRAY_NO_INDEX;
}
