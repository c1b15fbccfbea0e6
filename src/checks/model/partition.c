#include "checks/model/partition.h"

#include "checks/op_name.h"

enum { DEPTH = 8 }; /* partitions within partitions */

static bool has(const uint32_t *tensors, uint32_t count, uint32_t tensor)
{
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] == tensor)
            return true;
    return false;
}

static const exray_node *find(const exray_node *node, uint32_t count, uint32_t tensor, bool maker, int depth)
{
    const exray_node *found = NULL;
    for (uint32_t n = 0; depth && n < count && !found; n++) {
        const exray_node *one = &node[n];
        if (one->inner_count)
            found = find(one->inner, one->inner_count, tensor, maker, depth - 1);
        else if (maker ? has(one->outputs, one->output_count, tensor)
                       : has(one->inputs, one->input_count, tensor))
            found = one;
    }
    return found;
}

bool xr_partition_reads(const exray_node *node, uint32_t tensor)
{
    return find(node, 1, tensor, false, DEPTH) != NULL;
}

const exray_node *xr_reader_within(const exray_model *model, uint32_t tensor)
{
    return find(model->nodes, model->node_count, tensor, false, DEPTH);
}

const exray_node *xr_maker_within(const exray_model *model, uint32_t tensor)
{
    return find(model->nodes, model->node_count, tensor, true, DEPTH);
}

bool xr_has_bodies(const exray_model *model)
{
    static const char *const ops[] = {"while", "loop", "scan", "if"};
    for (uint32_t n = 0; n < model->node_count; n++)
        for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
            if (xr_is_op(model->nodes[n].op, ops[i]))
                return true;
    return false;
}
