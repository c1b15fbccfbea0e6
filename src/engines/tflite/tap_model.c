/* At Prepare: what the interpreter holds becomes the model's description and the
 * tables that the events need. */
#include "engines/tflite/tap_model.h"

#include "engines/tflite/tap_partitions.h"
#include "engines/tflite/tap_tensor.h"
#include "models/topic_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Builtin operators that run other subgraphs; StableHLO's all count as such. */
enum {
    OP_CALL = 31,
    OP_IF = 118,
    OP_WHILE = 119,
    OP_CALL_ONCE = 129,
    OP_FIRST_STABLEHLO = 161,
};

/* ---- Subgraphs ------------------------------------------------------------ */

static bool runs_subgraphs(const xr_tflite_tap_api *api, TfLiteOpaqueContext *context)
{
    TfLiteIntArray *plan;
    if (api->OpaqueContextGetExecutionPlan(context, &plan) != kTfLiteOk)
        return false;
    for (int i = 0; i < plan->size; i++) {
        TfLiteOpaqueNode *node;
        TfLiteOperator *op;
        if (api->OpaqueContextGetNodeAndRegistration(context, plan->data[i], &node, &op) != kTfLiteOk)
            continue;
        int code = api->OperatorGetBuiltInCode(op);
        if (code == OP_CALL || code == OP_IF || code == OP_WHILE || code == OP_CALL_ONCE ||
            code >= OP_FIRST_STABLEHLO)
            return true;
    }
    return false;
}

/* Takes the contexts of all subgraphs.  Their number is in the model file.  Without the file, TFLite is asked
 * until it refuses, and prints a line then: done only where an operator can run another subgraph. */
static bool acquire_subgraphs(xr_tap_builder *b, TfLiteOpaqueContext *context)
{
    uint32_t known = b->tap->file_subgraphs;
    uint32_t limit = known ? known : runs_subgraphs(b->api, context) ? XR_TAP_MAX_SUBGRAPHS : 1;
    if (limit > XR_TAP_MAX_SUBGRAPHS)
        limit = XR_TAP_MAX_SUBGRAPHS;
    uint32_t count = 0, capacity = 0;
    xr_tap_subgraph *subgraphs = NULL;
    for (; count < limit; count++) {
        TfLiteOpaqueContext *other;
        if (b->api->OpaqueContextAcquireSubgraphContext(context, (int)count, &other) != kTfLiteOk)
            break;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 4;
            xr_tap_subgraph *larger = xr_tap_grab(b, capacity, sizeof *larger);
            if (!larger)
                return false;
            if (count)
                memcpy(larger, subgraphs, count * sizeof *larger);
            subgraphs = larger;
        }
        subgraphs[count].context = other;
        b->tables->subgraphs = subgraphs;
        b->tables->subgraph_count = count + 1;
    }
    if (!count)
        b->problem = "the interpreter has no subgraph";
    return count > 0;
}

/* TFLite itself releases the one that Prepare was called for. */
static void release_subgraphs(xr_tap_builder *b, TfLiteOpaqueContext *context)
{
    for (uint32_t i = 0; i < b->tables->subgraph_count; i++)
        if (b->tables->subgraphs[i].context != context)
            b->api->OpaqueContextReleaseSubgraphContext(context, (int)i);
}

static size_t beyond(size_t count, const int *indices, int index_count)
{
    for (int i = 0; i < index_count; i++)
        if (indices[i] >= 0 && (size_t)indices[i] + 1 > count)
            count = (size_t)indices[i] + 1;
    return count;
}

/* The number of a subgraph's tensors without the kernels' temporary ones, which come last, have no names, and
 * are not a node's input or output. */
static size_t count_tensors(const xr_tflite_tap_api *api, TfLiteOpaqueContext *context)
{
    size_t all = api->OpaqueContextGetNumTensors(context), used = 0;
    size_t nodes = api->OpaqueContextGetNumNodes(context);
    const int *indices;
    int count;
    for (size_t i = 0; i < nodes && i < XR_TAP_MAX_ITEMS; i++) {
        TfLiteOpaqueNode *node;
        TfLiteOperator *op;
        if (api->OpaqueContextGetNodeAndRegistration(context, (int)i, &node, &op) != kTfLiteOk)
            continue;
        if (api->OpaqueNodeInputs(node, &indices, &count) == kTfLiteOk)
            used = beyond(used, indices, count);
        if (api->OpaqueNodeOutputs(node, &indices, &count) == kTfLiteOk)
            used = beyond(used, indices, count);
    }
    if (api->OpaqueContextGetInputs(context, &indices, &count) == kTfLiteOk)
        used = beyond(used, indices, count);
    if (api->OpaqueContextGetOutputs(context, &indices, &count) == kTfLiteOk)
        used = beyond(used, indices, count);
    for (; all > used && all <= XR_TAP_MAX_ITEMS; all--) {
        const char *name = api->OpaqueTensorName(api->OpaqueContextGetOpaqueTensor(context, (int)all - 1));
        if (name && *name)
            break;
    }
    return all;
}

/* Counts tensors and nodes. `before`: the tables of the same model, whose number of tensors stays: kernels
 * add temporary ones as they prepare, and positions must not change within a log. */
static bool count_items(xr_tap_builder *b, const xr_tap_tables *before)
{
    uint64_t tensors = 0, planned = 0;
    for (uint32_t i = 0; i < b->tables->subgraph_count; i++) {
        xr_tap_subgraph *subgraph = &b->tables->subgraphs[i];
        TfLiteIntArray *plan;
        if (b->api->OpaqueContextGetExecutionPlan(subgraph->context, &plan) != kTfLiteOk) {
            b->problem = "the interpreter does not tell its execution plan";
            return false;
        }
        size_t tensor_count = count_tensors(b->api, subgraph->context);
        size_t node_count = b->api->OpaqueContextGetNumNodes(subgraph->context);
        if (before && i < before->subgraph_count && tensor_count > before->subgraphs[i].tensor_count)
            tensor_count = before->subgraphs[i].tensor_count;
        if (tensor_count > XR_TAP_MAX_ITEMS || node_count > XR_TAP_MAX_ITEMS || plan->size < 0 ||
            (tensors += tensor_count) > XR_TAP_MAX_ITEMS ||
            (planned += (uint32_t)plan->size) > XR_TAP_MAX_ITEMS) {
            b->problem = "the model has more than a million tensors or nodes";
            return false;
        }
        subgraph->first_tensor = (uint32_t)(tensors - tensor_count);
        subgraph->tensor_count = (uint32_t)tensor_count;
        subgraph->node_count = (uint32_t)node_count;
        subgraph->plan_size = (uint32_t)plan->size;
        subgraph->first_node = (uint32_t)(planned - subgraph->plan_size);
    }
    b->tables->model.tensor_count = (uint32_t)tensors;
    b->tables->model.node_count = (uint32_t)planned;
    b->tables->model.tensors = b->tensors = xr_tap_grab(b, tensors, sizeof *b->tensors);
    b->tables->model.nodes = b->nodes = xr_tap_grab(b, planned, sizeof *b->nodes);
    b->tables->is_partition = xr_tap_grab(b, planned, sizeof *b->tables->is_partition);
    b->tables->reports = xr_tap_grab(b, planned, sizeof *b->tables->reports);
    b->tables->whole_until = xr_tap_grab(b, planned, sizeof *b->tables->whole_until);
    return b->tensors && b->nodes && b->tables->is_partition && b->tables->reports && b->tables->whole_until;
}

/* ---- Nodes ---------------------------------------------------------------- */

static bool describe_plan(xr_tap_builder *b, uint32_t index)
{
    xr_tap_subgraph *subgraph = &b->tables->subgraphs[index];
    subgraph->position = xr_tap_grab(b, subgraph->node_count, sizeof *subgraph->position);
    TfLiteIntArray *plan;
    if (!subgraph->position || b->api->OpaqueContextGetExecutionPlan(subgraph->context, &plan) != kTfLiteOk)
        return false;
    for (uint32_t i = 0; i < subgraph->node_count; i++)
        subgraph->position[i] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < subgraph->plan_size; i++) {
        int op = plan->data[i];
        if (op < 0 || (uint32_t)op >= subgraph->node_count) {
            b->problem = "the interpreter's execution plan names a node that does not exist";
            return false;
        }
        uint32_t position = subgraph->first_node + i;
        subgraph->position[op] = position;
        int code = xr_tap_describe_node(b, index, op, &b->nodes[position]);
        if (code < 0)
            return false;
        if (code == XR_TAP_OP_DELEGATE)
            xr_tap_note_partition(b, position);
    }
    return true;
}

/* ---- Inputs and outputs ---------------------------------------------------- */

static const char *const *topic_names(xr_tap_builder *b, const uint32_t *positions, uint32_t count)
{
    const char **names = xr_tap_grab(b, count, sizeof *names);
    for (uint32_t i = 0; names && i < count; i++) {
        names[i] = xr_topic_name(b->tensors, positions, count, i);
        if (names[i])
            continue;
        char *number = xr_tap_grab(b, 12, 1);
        if (!number)
            return NULL;
        snprintf(number, 12, "%u", (unsigned)i);
        names[i] = number;
    }
    return names;
}

static bool describe_io(xr_tap_builder *b, xr_tap_subgraph *subgraph)
{
    const int *inputs = NULL, *outputs = NULL;
    int input_count = 0, output_count = 0;
    if (b->api->OpaqueContextGetInputs(subgraph->context, &inputs, &input_count) != kTfLiteOk ||
        b->api->OpaqueContextGetOutputs(subgraph->context, &outputs, &output_count) != kTfLiteOk ||
        input_count < 0 || output_count < 0) {
        b->problem = "the interpreter does not tell its inputs and outputs";
        return false;
    }
    subgraph->input_count = (uint32_t)input_count;
    subgraph->output_count = (uint32_t)output_count;
    subgraph->inputs = xr_tap_positions(b, subgraph, inputs, input_count);
    subgraph->outputs = xr_tap_positions(b, subgraph, outputs, output_count);
    if (!subgraph->inputs || !subgraph->outputs)
        return false;
    subgraph->input_names = topic_names(b, subgraph->inputs, subgraph->input_count);
    subgraph->output_names = topic_names(b, subgraph->outputs, subgraph->output_count);
    return subgraph->input_names && subgraph->output_names;
}

/* Variables keep their values from run to run: no node makes them, and the application does not give them. */
static bool describe_states(xr_tap_builder *b, xr_tap_subgraph *subgraph)
{
    const exray_model *model = &b->tables->model;
    uint8_t *made = xr_tap_grab(b, subgraph->tensor_count + 1, 1);
    uint32_t *states = xr_tap_grab(b, subgraph->tensor_count + 1, sizeof *states);
    if (!made || !states)
        return false;
    const uint32_t first = subgraph->first_tensor, last = first + subgraph->tensor_count;
    for (uint32_t i = 0; i < subgraph->input_count; i++)
        if (subgraph->inputs[i] >= first && subgraph->inputs[i] < last)
            made[subgraph->inputs[i] - first] = 1;
    for (uint32_t pass = 0; pass < 2; pass++) /* outputs of all nodes, then what they read */
        for (uint32_t n = 0; n < subgraph->plan_size; n++) {
            const exray_node *node = &model->nodes[subgraph->first_node + n];
            const uint32_t *list = pass ? node->inputs : node->outputs;
            for (uint32_t k = 0; k < (pass ? node->input_count : node->output_count); k++) {
                if (list[k] < first || list[k] >= last || made[list[k] - first] ||
                    b->tensors[list[k]].constant)
                    continue;
                made[list[k] - first] = 1;
                if (pass && exray_dtype_bits(b->tensors[list[k]].dtype))
                    states[subgraph->state_count++] = list[k];
            }
        }
    subgraph->states = states;
    subgraph->state_names = topic_names(b, states, subgraph->state_count);
    return subgraph->state_names;
}

static bool describe_subgraph(xr_tap_builder *b, uint32_t index)
{
    xr_tap_subgraph *subgraph = &b->tables->subgraphs[index];
    for (uint32_t i = 0; i < subgraph->tensor_count; i++) {
        const TfLiteOpaqueTensor *tensor = b->api->OpaqueContextGetOpaqueTensor(subgraph->context, (int)i);
        if (!xr_tap_describe_tensor(b->api, &b->tables->blocks, tensor,
                                    &b->tensors[subgraph->first_tensor + i])) {
            b->problem = "out of memory";
            return false;
        }
    }
    return describe_plan(b, index) && describe_io(b, subgraph) && describe_states(b, subgraph) &&
           xr_tap_describe_partitions(b, index);
}

/* ---- The whole ------------------------------------------------------------- */

static void name_model(const xr_tap *tap, xr_tap_tables *tables)
{
    exray_model *model = &tables->model;
    model->name = tap->model_name;
    model->sha256 = tap->has_sha256 ? tap->sha256 : NULL;
    model->engine = "tflite";
    model->engine_version = tap->version;
    model->kernels = "builtin";
    if (tap->kernels[0])
        model->kernels = tap->kernels;
    else if (tables->delegate_name)
        model->kernels = strstr(tables->delegate_name, "XNNPack") ? "xnnpack" : tables->delegate_name;
    model->threads = tap->threads;
    model->inputs = tables->subgraphs[0].inputs;
    model->input_count = tables->subgraphs[0].input_count;
    model->outputs = tables->subgraphs[0].outputs;
    model->output_count = tables->subgraphs[0].output_count;
}

static bool reserve_working_memory(xr_tap_builder *b)
{
    xr_tap_tables *tables = b->tables;
    size_t nodes = tables->model.node_count;
    /* Room for two executions of each node, and for loops of a few hundred steps. */
    size_t executions = 2 * nodes + 1024;
    tables->occurrence = xr_tap_grab(b, nodes, sizeof *tables->occurrence);
    tables->latency_node = xr_tap_grab(b, executions, sizeof *tables->latency_node);
    tables->latency_start = xr_tap_grab(b, executions, sizeof *tables->latency_start);
    tables->latency_duration = xr_tap_grab(b, executions, sizeof *tables->latency_duration);
    tables->latency_capacity = (uint32_t)executions;
    return tables->occurrence && tables->latency_node && tables->latency_start && tables->latency_duration;
}

xr_tap_tables *xr_tap_describe(const xr_tap *tap, TfLiteOpaqueContext *context, const char **problem)
{
    xr_tap_tables *tables = calloc(1, sizeof *tables);
    xr_tap_builder b = {.tap = tap, .api = &tap->api, .tables = tables, .problem = "out of memory"};
    bool ok = tables && acquire_subgraphs(&b, context) && count_items(&b, tap->tables);
    for (uint32_t i = 0; ok && i < tables->subgraph_count; i++)
        ok = describe_subgraph(&b, i);
    ok = ok && reserve_working_memory(&b);
    if (tables)
        release_subgraphs(&b, context);
    if (ok) {
        name_model(tap, tables);
        return tables;
    }
    *problem = b.problem;
    xr_tap_free_tables(tables);
    return NULL;
}
