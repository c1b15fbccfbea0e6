#include "checks/input/fit/stored_unit.h"

#include "checks/beyond_noise.h"
#include "checks/model/graph/node_facts.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <string.h>

/* How the side that is quantized stores its numbers. */
typedef struct stored_numbers {
    exray_side side;
    double scale, zero;
    double least, most; /* of its type */
} stored_numbers;

static bool take_storage(exray_side side, const exray_tensor_info *info, stored_numbers *out)
{
    const exray_quantization *q = &info->quantization;
    const double numbers = exp2(exray_dtype_bits(info->dtype));
    const bool is_signed = info->dtype == EXRAY_DTYPE_INT8 || info->dtype == EXRAY_DTYPE_INT16;
    if (!(is_signed || info->dtype == EXRAY_DTYPE_UINT8 || info->dtype == EXRAY_DTYPE_UINT16) ||
        q->count != 1 || !(q->scale[0] > 0))
        return false;
    const double least = is_signed ? -numbers / 2 : 0;
    *out = (stored_numbers){side, (double)q->scale[0], q->zero_point ? (double)q->zero_point[0] : 0, least,
                            least + numbers - 1};
    return true;
}

/* False: it is not so that one side has integers with a scale and the other floats. */
static bool read_storage(const exray_comparison *comparison, size_t pair, stored_numbers *out)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_tensor_view view[2];
    const float *values[2];
    bool found = false;
    if (slot[0] && slot[1] && exray_comparison_frame_count(comparison) &&
        xr_both_values(comparison, EXRAY_KIND_INPUT, pair, 0, slot, view, values))
        for (int s = 0; s < 2 && !found; s++)
            found = view[!s].info.dtype == EXRAY_DTYPE_FLOAT32 && view[!s].info.quantization.count == 0 &&
                    take_storage((exray_side)s, &view[s].info, out);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return found;
}

/* Whether the map between the two sides is what takes the stored numbers to those they stand for. */
static bool are_equal_numbers(const xr_input_fit *fit, const stored_numbers *s)
{
    const xr_affine *m = &fit->orders.list[fit->orders.used].map;
    const bool edge = s->side == EXRAY_SIDE_EDGE;
    const double gain = edge ? s->scale : 1 / s->scale, offset = edge ? -s->scale * s->zero : s->zero;
    for (size_t c = 0; c < fit->values.channels; c++)
        for (int end = 0; end < 2; end++) {
            const double number = end ? s->most : s->least, x = edge ? number : s->scale * (number - s->zero);
            const double off = (m->gain[c] - gain) * x + m->offset[c] - offset;
            if (!(fabs(off) < 0.5 * (edge ? s->scale : 1)))
                return false;
        }
    return true;
}

static bool is_recorded(const exray_log *log, uint32_t tensor)
{
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    return record && record->has_data;
}

/* Whether the node may scale what it reads by constants that the log has no values of. */
static bool may_scale(const exray_log *log, const exray_model *model, const exray_node *node)
{
    static const char *const ops[] = {"add", "sub", "mul", "div", "batchnormalization"};
    char op[XR_PLAIN_NAME];
    exray_node_plain_op(node->op, op, sizeof op);
    bool known = node->inner_count > 0;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        known = known || strcmp(op, ops[i]) == 0;
    if (!known || node->inner_count)
        return known;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count && model->tensors[node->inputs[i]].constant &&
            !is_recorded(log, node->inputs[i]))
            return true;
    return false;
}

/* Whether all that reads the side's input may scale it first. */
static bool may_be_scaled(const exray_log *log, const char *input)
{
    const exray_model *model = exray_log_model(log);
    bool any = false;
    for (uint32_t n = 0; model && n < model->node_count; n++)
        for (uint32_t i = 0; i < model->nodes[n].input_count; i++) {
            const uint32_t t = model->nodes[n].inputs[i];
            if (t >= model->tensor_count || !model->tensors[t].name ||
                strcmp(model->tensors[t].name, input) != 0)
                continue;
            if (!may_scale(log, model, &model->nodes[n]))
                return false;
            any = true;
        }
    return any;
}

bool xr_is_stored_unit(const exray_comparison *comparison, const xr_input_fit *fit)
{
    stored_numbers s;
    return fit->state == XR_FIT_DIFFERS && fit->residual.explained && !fit->orders.named &&
           xr_outputs_agree(comparison) && read_storage(comparison, fit->pair, &s) &&
           are_equal_numbers(fit, &s) &&
           may_be_scaled(exray_comparison_log(comparison, (exray_side)!s.side), fit->io->name[!s.side]);
}
