#include "compare/measure/input_unit.h"

#include "compare/match/ops.h"
#include "compare/noise/noise.h"

#include <math.h>
#include <stdlib.h>

/* What a tensor is of the model's input: gain * x + offset. */
typedef struct unit_line {
    bool known;
    double gain, offset;
} unit_line;

/* The walk from an input to what reads it. */
typedef struct front {
    const exray_log *log;
    const exray_model *model;
    exray_slot *slot;
    unit_line *tensor; /* [tensor_count] */
    unit_line read;    /* what the first operators read that do more than that */
    bool several;      /* they read different lines */
} front;

static bool is_same(const unit_line *a, const unit_line *b)
{
    return a->gain == b->gain && a->offset == b->offset;
}

/* The number that all elements of a constant are; false: it is none, or its values are not in the log. */
static bool read_number(const front *w, uint32_t tensor, double *out)
{
    enum { MOST = 4096 }; /* one for each channel, at most */
    exray_tensor_view view;
    const float *values;
    exray_error error;
    const exray_record *record = exray_log_find(w->log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    if (!record || !record->has_data ||
        exray_log_read_values(w->log, record, w->slot, &view, &values, &error) != EXRAY_OK || !values ||
        view.count == 0 || view.count > MOST || !isfinite(values[0]))
        return false;
    for (uint64_t i = 1; i < view.count; i++)
        if (values[i] != values[0])
            return false;
    *out = values[0];
    return true;
}

static bool is_arithmetic(xr_op_kind kind)
{
    return kind == XR_OP_ADD || kind == XR_OP_SUB || kind == XR_OP_MUL || kind == XR_OP_DIV;
}

/* x + n, x - n, n - x, x * n, x / n; false: it is none of these. */
static bool apply(xr_op_kind kind, const unit_line *x, double n, bool first, unit_line *out)
{
    *out = *x;
    switch (kind) {
    case XR_OP_ADD:
        out->offset += n;
        return true;
    case XR_OP_SUB:
        *out = first ? (unit_line){true, x->gain, x->offset - n} : (unit_line){true, -x->gain, n - x->offset};
        return true;
    case XR_OP_MUL:
        *out = (unit_line){true, x->gain * n, x->offset * n};
        return true;
    case XR_OP_DIV:
        *out = (unit_line){true, x->gain / n, x->offset / n};
        return first && n != 0;
    default:
        return false;
    }
}

/* Whether a node makes a line of a line; *out. */
static bool make_line(const front *w, const exray_node *node, const unit_line *x, uint32_t place,
                      unit_line *out)
{
    const xr_op_kind kind = xr_op_of(node).kind;
    double n;
    *out = *x;
    const xr_activation activation = xr_fused_activation(node);
    if (node->output_count != 1 || (activation != XR_ACTIVATION_NONE && activation != XR_ACTIVATION_UNKNOWN))
        return false;
    if (kind == XR_OP_SHAPE || kind == XR_OP_CONVERSION)
        return place == 0;
    /* The weights of a first layer are not read for nothing. */
    return node->input_count == 2 && is_arithmetic(kind) && read_number(w, node->inputs[!place], &n) &&
           apply(kind, x, n, place == 0, out);
}

static void take(front *w, const unit_line *read)
{
    w->several = w->several || (w->read.known && !is_same(&w->read, read));
    w->read = *read;
}

static void step(front *w, const exray_node *node)
{
    for (uint32_t i = 0; i < node->input_count && !xr_is_of_shape(node); i++) {
        const uint32_t t = node->inputs[i];
        unit_line made;
        if (t >= w->model->tensor_count || !w->tensor[t].known)
            continue;
        if (make_line(w, node, &w->tensor[t], i, &made) && node->outputs[0] < w->model->tensor_count)
            w->tensor[node->outputs[0]] = made;
        else
            take(w, &w->tensor[t]);
    }
}

/* What a model makes of an input first.  False: out of memory; not known: no line alone. */
static bool read_model(const exray_log *log, uint32_t input, unit_line *out)
{
    front w = {.log = log, .model = exray_log_model(log), .slot = exray_slot_new()};
    w.tensor = calloc((size_t)w.model->tensor_count + 1, sizeof *w.tensor);
    const bool ok = w.slot && w.tensor;
    if (ok)
        w.tensor[input] = (unit_line){true, 1, 0};
    for (uint32_t n = 0; ok && n < w.model->node_count; n++) {
        const exray_node *node = &w.model->nodes[n];
        for (uint32_t k = 0; node->subgraph == 0 && k < node->inner_count; k++)
            step(&w, &node->inner[k]);
        if (node->subgraph == 0 && node->inner_count == 0)
            step(&w, node);
    }
    *out = w.read;
    out->known = ok && w.read.known && !w.several && isfinite(w.read.gain) && w.read.gain != 0 &&
                 isfinite(w.read.offset);
    exray_slot_free(w.slot);
    free(w.tensor);
    return ok;
}

static bool is_stored(const exray_tensor_info *info)
{
    return info->quantization.count == 1 && info->quantization.scale[0] > 0 &&
           (info->dtype == EXRAY_DTYPE_UINT8 || info->dtype == EXRAY_DTYPE_INT8 ||
            info->dtype == EXRAY_DTYPE_UINT16 || info->dtype == EXRAY_DTYPE_INT16);
}

static const exray_tensor_info *info_of(const exray_comparison *c, const xr_pair *pair, int side)
{
    const exray_model *model = exray_log_model(c->log[side]);
    const uint32_t tensor = pair->tensor[side];
    return model && tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
}

/* The unit of the floats, if the model makes of them what the other makes of the integers that they are: to
 * two steps, which is what another rounding of the scale may come to. */
static xr_input_unit unit_of(const exray_tensor_info *stored, const unit_line *integers,
                             const unit_line *floats)
{
    static const double most = 2; /* steps */
    const double scale = (double)stored->quantization.scale[0],
                 zero = stored->quantization.zero_point ? (double)stored->quantization.zero_point[0] : 0;
    const bool is_signed = stored->dtype == EXRAY_DTYPE_INT8 || stored->dtype == EXRAY_DTYPE_INT16;
    const double numbers = exp2(exray_dtype_bits(stored->dtype)), least = is_signed ? -numbers / 2 : 0;
    const xr_input_unit unit = {true, floats->gain / integers->gain,
                                (floats->offset - integers->offset) / integers->gain};
    for (int end = 0; end < 2; end++) {
        const double number = least + end * (numbers - 1);
        const double off = unit.gain * number + unit.offset - scale * (number - zero);
        if (!(fabs(off) <= (most + 1e-3) * scale))
            return (xr_input_unit){false, 1, 0};
    }
    return unit;
}

bool xr_find_input_units(exray_comparison *c)
{
    for (size_t i = 0; i < c->inputs.count; i++) {
        xr_pair *pair = &c->inputs.pair[i];
        for (int s = 0; s < 2; s++) {
            const exray_tensor_info *stored = info_of(c, pair, s), *other = info_of(c, pair, !s);
            unit_line made[2];
            if (!stored || !other || !is_stored(stored) || other->dtype != EXRAY_DTYPE_FLOAT32 ||
                other->quantization.count)
                continue;
            for (int k = 0; k < 2; k++)
                if (!read_model(c->log[k], pair->tensor[k], &made[k]))
                    return false;
            /* Where neither does anything, they are given real values. */
            if (made[0].known && made[1].known && !is_same(&made[0], &made[1]))
                pair->unit[!s] = unit_of(stored, &made[s], &made[!s]);
        }
    }
    return true;
}

bool xr_has_unit(const xr_pair *pair, exray_side side)
{
    return pair->kind == EXRAY_KIND_INPUT && pair->unit[side].other;
}

void xr_to_unit(const xr_input_unit *unit, const float *values, uint64_t count, float *out)
{
    for (uint64_t i = 0; i < count; i++)
        out[i] = (float)(unit->gain * values[i] + unit->offset);
}
