/* At Prepare: what delegates took. Its nodes still exist but are no longer in the plan; the delegate's own
 * node has the list of them. */
#include "engines/tflite/tap_partitions.h"

#include <string.h>

void xr_tap_note_partition(xr_tap_builder *b, uint32_t position)
{
    b->tables->is_partition[position] = true;
    b->tables->partitions++;
    if (!b->tables->delegate_name)
        b->tables->delegate_name = b->nodes[position].op;
}

/* ---- The nodes inside ------------------------------------------------------- */

/* Classic and opaque delegates get different structs, and only this says which it is: TFLite allocates the
 * struct and its arrays as one block, the list of nodes first. */
static const TfLiteIntArray *list_in(const void *params)
{
    const TfLiteDelegateParams *classic = params;
    const TfLiteOpaqueDelegateParams *opaque = params;
    if (!params)
        return NULL;
    if ((const void *)classic->nodes_to_replace == classic + 1)
        return classic->nodes_to_replace;
    return (const void *)opaque->nodes_to_replace == opaque + 1 ? opaque->nodes_to_replace : NULL;
}

/* Whether the list names existing nodes that TFLite does not execute itself. */
static bool is_sound(const xr_tap_subgraph *subgraph, const TfLiteIntArray *list)
{
    if (list->size < 0 || (uint32_t)list->size > subgraph->node_count)
        return false;
    for (int i = 0; i < list->size; i++)
        if (list->data[i] < 0 || (uint32_t)list->data[i] >= subgraph->node_count ||
            subgraph->position[list->data[i]] != EXRAY_NO_INDEX)
            return false;
    return true;
}

/* Gives the partition that is node `op` its nodes, in the order in which it runs them. They stay unknown if
 * the list has a form that is not known here. */
static bool describe_inside(xr_tap_builder *b, uint32_t index, uint32_t op)
{
    const xr_tap_subgraph *subgraph = &b->tables->subgraphs[index];
    exray_node *node = &b->nodes[subgraph->position[op]];
    TfLiteOpaqueNode *opaque;
    TfLiteOperator *registration;
    if (b->api->OpaqueContextGetNodeAndRegistration(subgraph->context, (int)op, &opaque, &registration) !=
        kTfLiteOk)
        return true;
    const TfLiteIntArray *list = list_in(b->api->OpaqueNodeGetBuiltinData(opaque));
    if (!list || !is_sound(subgraph, list))
        return true;
    exray_node *inner = xr_tap_grab(b, (size_t)list->size, sizeof *inner);
    if (!inner)
        return false;
    for (int i = 0; i < list->size; i++)
        if (xr_tap_describe_node(b, index, list->data[i], &inner[i]) < 0)
            return false;
    node->inner = inner;
    node->inner_count = (uint32_t)list->size;
    b->tables->delegated += node->inner_count;
    return true;
}

/* ---- How long results last ---------------------------------------------------- */

/* A tensor keeps its memory until the last node that reads it has run, a graph's output until the run ends.
 */
static bool describe_lasting(xr_tap_builder *b, const xr_tap_subgraph *subgraph)
{
    uint32_t *last = xr_tap_grab(b, subgraph->tensor_count, sizeof *last);
    if (!last)
        return false;
    for (uint32_t place = 0; place < subgraph->plan_size; place++) {
        const exray_node *node = &b->nodes[subgraph->first_node + place];
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] != EXRAY_NO_INDEX)
                last[node->inputs[i] - subgraph->first_tensor] = place;
    }
    for (uint32_t i = 0; i < subgraph->output_count; i++)
        if (subgraph->outputs[i] != EXRAY_NO_INDEX)
            last[subgraph->outputs[i] - subgraph->first_tensor] = subgraph->plan_size;
    for (uint32_t place = 0; place < subgraph->plan_size; place++) {
        const exray_node *node = &b->nodes[subgraph->first_node + place];
        uint32_t until = subgraph->plan_size;
        for (uint32_t i = 0; i < node->output_count; i++) {
            uint32_t tensor = node->outputs[i];
            if (tensor != EXRAY_NO_INDEX && last[tensor - subgraph->first_tensor] < until)
                until = last[tensor - subgraph->first_tensor];
        }
        b->tables->whole_until[subgraph->first_node + place] = until > place ? until : place;
    }
    return true;
}

/* Of several delegates, XNNPACK is the one that reports. */
static void find_reporters(xr_tap_builder *b, const xr_tap_subgraph *subgraph)
{
    bool xnnpack = false;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t place = 0; place < subgraph->plan_size; place++) {
            uint32_t position = subgraph->first_node + place;
            if (!b->tables->is_partition[position])
                continue;
            bool is_xnnpack = strstr(b->nodes[position].op, "XNNPack") != NULL;
            xnnpack = xnnpack || is_xnnpack;
            b->tables->reports[position] = is_xnnpack || !xnnpack;
        }
}

bool xr_tap_describe_partitions(xr_tap_builder *b, uint32_t index)
{
    const xr_tap_subgraph *subgraph = &b->tables->subgraphs[index];
    bool any = false;
    for (uint32_t op = 0; op < subgraph->node_count; op++) {
        if (subgraph->position[op] == EXRAY_NO_INDEX || !b->tables->is_partition[subgraph->position[op]])
            continue;
        any = true;
        if (!describe_inside(b, index, op))
            return false;
    }
    if (!any)
        return true;
    find_reporters(b, subgraph);
    return describe_lasting(b, subgraph);
}
