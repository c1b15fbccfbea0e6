#include "checks/layer/input_range.h"

#include "checks/op_name.h"

#include <math.h>
#include <string.h>

enum { MOST_FRAMES = 8 };

/* The edge's tensor of an input, or EXRAY_NO_INDEX. */
static uint32_t tensor_of(const exray_model *model, const char *name)
{
    for (uint32_t i = 0; i < model->input_count; i++) {
        uint32_t tensor = model->inputs[i];
        if (tensor < model->tensor_count && model->tensors[tensor].name &&
            strcmp(model->tensors[tensor].name, name) == 0)
            return tensor;
    }
    bool only = model->input_count == 1 && model->inputs[0] < model->tensor_count;
    return only ? model->inputs[0] : EXRAY_NO_INDEX;
}

uint32_t xr_input_quantizer(const exray_comparison *comparison, size_t input)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const exray_io_pair *pair = exray_comparison_input(comparison, input);
    uint32_t tensor = model && pair ? tensor_of(model, pair->name[EXRAY_SIDE_EDGE]) : EXRAY_NO_INDEX;
    for (uint32_t n = 0; tensor != EXRAY_NO_INDEX && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool quantizes = xr_is_op(node->op, "quantizelinear") || xr_is_op(node->op, "quantize");
        if (!quantizes || !node->input_count || node->inputs[0] != tensor || !node->output_count ||
            node->outputs[0] >= model->tensor_count)
            continue;
        xr_layer_evidence range = {0};
        xr_note_range(&model->tensors[node->outputs[0]], &range);
        if (range.step > 0 && model->tensors[tensor].quantization.count == 0)
            return n;
    }
    return EXRAY_NO_INDEX;
}

typedef struct range_sums {
    double n, sum, square, clipped, below, above;
} range_sums;

static void add_values(const float *value, uint64_t count, xr_layer_evidence *e, range_sums *s)
{
    for (uint64_t i = 0; i < count; i++) {
        double x = value[i];
        if (!isfinite(x))
            continue;
        double off = x - fmin(fmax(x, e->low), e->high);
        s->below += off < -e->step / 2;
        s->above += off > e->step / 2;
        s->clipped += off * off;
        s->sum += x;
        s->square += x * x;
        s->n++;
        for (int side = 0; side < 2; side++) {
            e->min[side] = fmin(e->min[side], x);
            e->max[side] = fmax(e->max[side], x);
        }
    }
}

exray_status xr_input_range_evidence(const exray_comparison *comparison, size_t input, uint32_t node,
                                     xr_layer_evidence *out, exray_error *error)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    *out = (xr_layer_evidence){
        .min = {INFINITY, INFINITY}, .max = {-INFINITY, -INFINITY}, .held = NAN, .unclipped = NAN};
    xr_note_range(&model->tensors[model->nodes[node].outputs[0]], out);
    exray_slot *slot = exray_slot_new();
    if (!slot) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading an input"};
        return EXRAY_E_MEMORY;
    }
    range_sums s = {0};
    size_t frames = exray_comparison_frame_count(comparison);
    for (size_t f = 0; f < frames && out->frames < MOST_FRAMES; f++) {
        exray_tensor_view view;
        const float *value = NULL;
        exray_error ignored; /* a frame without data tells nothing */
        if (exray_comparison_values(comparison, EXRAY_SIDE_EDGE, f, EXRAY_KIND_INPUT, input, slot, &view,
                                    &value, &ignored) != EXRAY_OK ||
            !value)
            continue;
        add_values(value, view.count, out, &s);
        out->frames++;
    }
    exray_slot_free(slot);
    if (!(s.n > 0)) {
        out->frames = 0;
        return EXRAY_OK;
    }
    out->count = s.n;
    out->deviation = sqrt(fmax(s.square / s.n - s.sum / s.n * (s.sum / s.n), 0));
    out->below = s.below / s.n;
    out->above = s.above / s.n;
    out->clipped = s.clipped / s.n;
    out->difference = out->clipped + out->step * out->step / 12;
    return EXRAY_OK;
}
