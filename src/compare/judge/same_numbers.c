#include "compare/judge/same_numbers.h"

#include "compare/match/ops.h"
#include "compare/noise/noise.h"

#include <string.h>

static bool same_attributes(const exray_node *a, const exray_node *b)
{
    if (a->attribute_count != b->attribute_count)
        return false;
    for (uint32_t i = 0; i < a->attribute_count; i++) {
        const char *key = a->attributes[i].key, *value = a->attributes[i].value;
        const char *other = key ? exray_node_attribute(b, key) : NULL;
        if (!value || !other || strcmp(value, other) != 0)
            return false;
    }
    return true;
}

static bool same_quantization(const exray_quantization *a, const exray_quantization *b)
{
    if (a->count != b->count || (a->count > 1 && a->axis != b->axis))
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->scale[i] != b->scale[i] ||
            (a->zero_point ? a->zero_point[i] : 0) != (b->zero_point ? b->zero_point[i] : 0))
            return false;
    return true;
}

static bool same_constant(const exray_comparison *c, const uint32_t tensor[2], exray_slot *const slot[2])
{
    exray_tensor_view view[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++) {
        const exray_record *record = exray_log_find(c->log[s], 0, EXRAY_KIND_CONSTANT, tensor[s], 0, NULL);
        if (!record || !record->has_data ||
            exray_log_read_tensor(c->log[s], record, slot[s], &view[s], &ignored) != EXRAY_OK ||
            !view[s].data)
            return false;
    }
    return view[0].info.dtype == view[1].info.dtype && view[0].count == view[1].count &&
           view[0].size == view[1].size && memcmp(view[0].data, view[1].data, view[0].size) == 0;
}

static bool same_tensor(const exray_comparison *c, const exray_model *const model[2],
                        const uint32_t tensor[2], exray_slot *const slot[2])
{
    const bool listed[2] = {tensor[0] < model[0]->tensor_count, tensor[1] < model[1]->tensor_count};
    if (!listed[0] || !listed[1])
        return listed[0] == listed[1];
    const exray_tensor_info *a = &model[0]->tensors[tensor[0]], *b = &model[1]->tensors[tensor[1]];
    return a->dtype == b->dtype && a->constant == b->constant &&
           same_quantization(&a->quantization, &b->quantization) &&
           (!a->constant || same_constant(c, tensor, slot));
}

bool xr_is_one_node(const exray_comparison *c, const xr_pair *pair)
{
    const exray_model *edge = exray_log_model(c->log[0]), *reference = exray_log_model(c->log[1]);
    if (!edge || !reference || pair->frames == 0 || pair->index[0] >= edge->node_count ||
        pair->index[1] >= reference->node_count)
        return false;
    const exray_node *a = &edge->nodes[pair->index[0]], *b = &reference->nodes[pair->index[1]];
    return a->inner_count == 0 && b->inner_count == 0 && a->input_count > 0 &&
           a->input_count == b->input_count && xr_same_op_name(a->op, b->op) && !xr_has_body(a) &&
           !xr_keeps_state(a);
}

bool xr_has_same_numbers(const exray_comparison *c, const xr_pair *pair)
{
    if (!xr_is_one_node(c, pair))
        return false;
    const exray_model *const model[2] = {exray_log_model(c->log[0]), exray_log_model(c->log[1])};
    const exray_node *a = &model[0]->nodes[pair->index[0]], *b = &model[1]->nodes[pair->index[1]];
    bool same = a->output_count == b->output_count && same_attributes(a, b);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    same = same && slot[0] && slot[1];
    for (uint32_t i = 0; same && i < a->input_count; i++)
        same = same_tensor(c, model, (const uint32_t[2]){a->inputs[i], b->inputs[i]}, slot);
    for (uint32_t i = 0; same && i < a->output_count; i++)
        same = same_tensor(c, model, (const uint32_t[2]){a->outputs[i], b->outputs[i]}, slot);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return same;
}
