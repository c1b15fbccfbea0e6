#include "engines/tflite/tap_node.h"

#include "engines/tflite/tap_file.h"
#include "models/tflite.h"

enum { OP_CUSTOM = 32 };

void *xr_tap_grab(xr_tap_builder *b, size_t count, size_t size)
{
    void *memory = xr_tap_alloc(&b->tables->blocks, count, size);
    if (!memory)
        b->problem = "out of memory";
    return memory;
}

const uint32_t *xr_tap_positions(xr_tap_builder *b, const xr_tap_subgraph *subgraph, const int *indices,
                                 int count)
{
    uint32_t *positions = xr_tap_grab(b, (size_t)count, sizeof *positions);
    for (int i = 0; positions && i < count; i++) {
        bool absent = indices[i] < 0 || (uint32_t)indices[i] >= subgraph->tensor_count;
        positions[i] = absent ? EXRAY_NO_INDEX : subgraph->first_tensor + (uint32_t)indices[i];
    }
    return positions;
}

int xr_tap_describe_node(xr_tap_builder *b, uint32_t subgraph_index, int op_index, exray_node *node)
{
    const xr_tap_subgraph *subgraph = &b->tables->subgraphs[subgraph_index];
    TfLiteOpaqueNode *opaque;
    TfLiteOperator *op;
    const int *inputs = NULL, *outputs = NULL;
    int input_count = 0, output_count = 0;
    if (b->api->OpaqueContextGetNodeAndRegistration(subgraph->context, op_index, &opaque, &op) != kTfLiteOk ||
        b->api->OpaqueNodeInputs(opaque, &inputs, &input_count) != kTfLiteOk ||
        b->api->OpaqueNodeOutputs(opaque, &outputs, &output_count) != kTfLiteOk || input_count < 0 ||
        output_count < 0) {
        b->problem = "the interpreter does not tell a node's inputs and outputs";
        return -1;
    }
    int code = b->api->OperatorGetBuiltInCode(op);
    const char *custom = b->api->OperatorGetCustomName(op);
    node->op = (code == OP_CUSTOM || code == XR_TAP_OP_DELEGATE) && custom ? custom : xr_tflite_op_name(code);
    node->subgraph = subgraph_index;
    node->inputs = xr_tap_positions(b, subgraph, inputs, input_count);
    node->outputs = xr_tap_positions(b, subgraph, outputs, output_count);
    node->input_count = (uint32_t)input_count;
    node->output_count = (uint32_t)output_count;
    if (!node->inputs || !node->outputs)
        return -1;
    /* Nodes have no names in this engine; they go by their first output's. */
    if (output_count && node->outputs[0] != EXRAY_NO_INDEX)
        node->name = b->tensors[node->outputs[0]].name;
    xr_tap_add_attributes(b->tap, subgraph_index, (uint32_t)op_index, node);
    return code < 0 ? 0 : code;
}
