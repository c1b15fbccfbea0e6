/* At Prepare: what the interpreter holds becomes the model's description and the
 * tables that the events need. */
#include "engines/tflite/tap_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Builtin operators that run other subgraphs; StableHLO's all count as such. */
enum {
    OP_CALL = 31,
    OP_CUSTOM = 32,
    OP_IF = 118,
    OP_WHILE = 119,
    OP_CALL_ONCE = 129,
    OP_FIRST_STABLEHLO = 161,
};

void *xr_tap_grab(xr_tap_builder *b, size_t count, size_t size)
{
    void *memory = xr_tap_alloc(&b->tables->blocks, count, size);
    if (!memory)
        b->problem = "out of memory";
    return memory;
}

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

/* Takes the contexts of all subgraphs.  Their number is in the model's file; if
 * that is not at hand, asking for one too many tells, at the price of a line
 * that TFLite prints: done only where an operator can run another subgraph. */
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

/* The one that Prepare was called for stays as it is: TFLite releases it. */
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

/* A subgraph's tensors without the kernels' temporary ones, which come last,
 * have no names, and are no node's input or output. */
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

/* Counts tensors and nodes.  With `before`, tables of the same model, tensors
 * beyond its count are left out: kernels add temporary ones as they prepare,
 * and positions must stay what the log says. */
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

/* A subgraph's tensor indices as positions in the model. */
static const uint32_t *to_positions(xr_tap_builder *b, const xr_tap_subgraph *subgraph, const int *indices,
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
    node->inputs = to_positions(b, subgraph, inputs, input_count);
    node->outputs = to_positions(b, subgraph, outputs, output_count);
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
            b->problem = "the interpreter's execution plan names a node that it has not";
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

/* The names of topics: the tensor's, or its position where that is empty or not
 * unique. */
static const char *const *topic_names(xr_tap_builder *b, const uint32_t *positions, uint32_t count)
{
    const char **names = xr_tap_grab(b, count, sizeof *names);
    for (uint32_t i = 0; names && i < count; i++) {
        const char *name = positions[i] == EXRAY_NO_INDEX ? NULL : b->tensors[positions[i]].name;
        bool usable = name && *name;
        for (uint32_t k = 0; usable && k < count; k++) {
            const char *other = positions[k] == EXRAY_NO_INDEX ? NULL : b->tensors[positions[k]].name;
            usable = k == i || !other || strcmp(name, other) != 0;
        }
        if (usable) {
            names[i] = name;
            continue;
        }
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
    subgraph->inputs = to_positions(b, subgraph, inputs, input_count);
    subgraph->outputs = to_positions(b, subgraph, outputs, output_count);
    if (!subgraph->inputs || !subgraph->outputs)
        return false;
    subgraph->input_names = topic_names(b, subgraph->inputs, subgraph->input_count);
    subgraph->output_names = topic_names(b, subgraph->outputs, subgraph->output_count);
    return subgraph->input_names && subgraph->output_names;
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
    return describe_plan(b, index) && describe_io(b, subgraph) && xr_tap_describe_partitions(b, index);
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
    /* Room for each node twice, and for loops of a few hundred steps. */
    size_t executions = 2 * nodes + 1024;
    tables->occurrence = xr_tap_grab(b, nodes, sizeof *tables->occurrence);
    tables->latency_node = xr_tap_grab(b, executions, sizeof *tables->latency_node);
    tables->latency_start = xr_tap_grab(b, executions, sizeof *tables->latency_start);
    tables->latency_duration = xr_tap_grab(b, executions, sizeof *tables->latency_duration);
    tables->latency_capacity = (uint32_t)executions;
    return tables->occurrence && tables->latency_node && tables->latency_start && tables->latency_duration;
}

static void free_tables(xr_tap_tables *tables)
{
    if (tables)
        xr_tap_free(&tables->blocks);
    free(tables);
}

static xr_tap_tables *describe(const xr_tap *tap, TfLiteOpaqueContext *context, const char **problem)
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
    free_tables(tables);
    return NULL;
}

static bool same_model(const xr_tap_tables *a, const xr_tap_tables *b)
{
    if (a->subgraph_count != b->subgraph_count || a->model.node_count != b->model.node_count ||
        a->model.tensor_count != b->model.tensor_count)
        return false;
    for (uint32_t i = 0; i < a->model.node_count; i++) {
        const exray_node *x = &a->model.nodes[i], *y = &b->model.nodes[i];
        if (x->subgraph != y->subgraph || x->input_count != y->input_count ||
            x->output_count != y->output_count ||
            memcmp(x->inputs, y->inputs, x->input_count * sizeof *x->inputs) != 0 ||
            memcmp(x->outputs, y->outputs, x->output_count * sizeof *x->outputs) != 0)
            return false;
    }
    return true;
}

static void record_constants(xr_tap *tap)
{
    const xr_tap_tables *tables = tap->tables;
    for (uint32_t s = 0; s < tables->subgraph_count; s++) {
        const xr_tap_subgraph *subgraph = &tables->subgraphs[s];
        for (uint32_t i = 0; i < subgraph->tensor_count; i++) {
            uint32_t position = subgraph->first_tensor + i;
            const exray_tensor_info *info = &tables->model.tensors[position];
            if (!info->constant ||
                !exray_recorder_wants(tap->recorder, EXRAY_KIND_CONSTANT, position, info->name))
                continue;
            exray_tensor record = {.kind = EXRAY_KIND_CONSTANT, .index = position};
            xr_tap_record(tap, &record, position, NULL,
                          tap->api.OpaqueContextGetOpaqueTensor(subgraph->context, (int)i));
        }
    }
}

/* The names of the delegates that took a part, by commas; beyond a few, they are left out. */
static void name_delegates(const xr_tap_tables *tables, char *text, size_t size)
{
    enum { MOST = 8 };
    const char *seen[MOST];
    uint32_t count = 0;
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < tables->model.node_count && count < MOST; i++) {
        const char *name = tables->model.nodes[i].op;
        bool is_new = tables->is_partition[i] && used + strlen(name) + 3 < size;
        for (uint32_t k = 0; is_new && k < count; k++)
            is_new = strcmp(seen[k], name) != 0;
        if (!is_new)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", count ? ", " : "", name);
        seen[count++] = name;
    }
}

/* Says that delegates run nodes whose values nobody sees. */
static void record_delegation(xr_tap *tap)
{
    const xr_tap_tables *tables = tap->tables;
    if (!tables->partitions)
        return;
    char partitions[16], delegated[16], names[256];
    name_delegates(tables, names, sizeof names);
    snprintf(partitions, sizeof partitions, "%u", (unsigned)tables->partitions);
    snprintf(delegated, sizeof delegated, "%u", (unsigned)tables->delegated);
    const exray_key_value pairs[] = {
        {"delegate", names},
        {"partitions", partitions},
        {"delegated_nodes", delegated},
        {"remark", "each partition is one layer; the tensors inside it were not observed"},
    };
    exray_recorder_log_metadata(tap->recorder, "exray.delegation", pairs, sizeof pairs / sizeof pairs[0]);
}

/* Whether Prepare is called for a further subgraph of the interpreter that is
 * described already: all of them were, at the first call. */
static bool is_further_subgraph(const xr_tap *tap, TfLiteOpaqueContext *context)
{
    TfLiteOpaqueContext *primary;
    if (!tap->tables || tap->api.OpaqueContextAcquireSubgraphContext(context, 0, &primary) != kTfLiteOk)
        return false;
    if (primary == context)
        return false;
    tap->api.OpaqueContextReleaseSubgraphContext(context, 0);
    return primary == tap->tables->subgraphs[0].context;
}

TfLiteStatus xr_tap_prepare(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data)
{
    (void)delegate;
    xr_tap *tap = data;
    if (!atomic_load(&tap->live) || is_further_subgraph(tap, context))
        return kTfLiteOk;
    const char *problem = NULL;
    xr_tap_tables *tables = describe(tap, context, &problem);
    if (!tables) {
        char message[256];
        snprintf(message, sizeof message, "cannot observe the TensorFlow Lite interpreter: %s", problem);
        xr_tap_fail(tap, EXRAY_E_ENGINE, message);
        return kTfLiteOk;
    }
    xr_tap_tables *before = tap->tables;
    if (before && !same_model(before, tables)) {
        free_tables(tables);
        xr_tap_fail(tap, EXRAY_E_STATE,
                    "the tap was attached for one model and sees another (or other delegates): open a "
                    "recorder and attach it for each interpreter");
        return kTfLiteOk;
    }
    tap->tables = tables;
    tap->depth = 0;
    tap->levels[0].active = false;
    free_tables(before);
    if (!before) {
        exray_recorder_log_model(tap->recorder, &tables->model);
        record_delegation(tap);
        if (!tap->no_constants)
            record_constants(tap);
    }
    return kTfLiteOk;
}
