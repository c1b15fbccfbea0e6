#include "compare/noise/evaluate.h"

#include "compare/match/layout_choice.h"
#include "compare/match/ops.h"
#include "compare/match/pairs.h"
#include "compare/noise/operator_functions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 8, MOST_NODES = 64, MOST_DEPTH = 24 };
/* Of all tensors of a frame together: shapes that broadcast make many elements of few. */
#define MOST_ELEMENTS ((uint64_t)1 << 28)

struct xr_evaluator {
    const exray_comparison *comparison;
    const exray_model *model; /* the reference's */
    const xr_pair **pair;     /* [tensor_count] the pair that a tensor of it is in, or NULL */
    uint32_t *maker;          /* [tensor_count] its node, or EXRAY_NO_INDEX */
};

/* ---- The graph ------------------------------------------------------------------------------------ */

static void note_pairs(xr_evaluator *e, const xr_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        uint32_t tensor = pairs->pair[i].tensor[EXRAY_SIDE_REFERENCE];
        if (tensor < e->model->tensor_count)
            e->pair[tensor] = &pairs->pair[i];
    }
}

xr_evaluator *xr_evaluator_new(const exray_comparison *c)
{
    const exray_model *model = exray_log_model(c->log[EXRAY_SIDE_REFERENCE]);
    xr_evaluator *e = model ? calloc(1, sizeof *e) : NULL;
    if (!e)
        return NULL;
    size_t count = (size_t)model->tensor_count + 1;
    *e = (xr_evaluator){c, model, calloc(count, sizeof *e->pair), calloc(count, sizeof *e->maker)};
    if (!e->pair || !e->maker) {
        xr_evaluator_free(e);
        return NULL;
    }
    for (uint32_t t = 0; t < model->tensor_count; t++)
        e->maker[t] = EXRAY_NO_INDEX;
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t k = 0; k < model->nodes[n].output_count; k++)
            if (model->nodes[n].outputs[k] < model->tensor_count)
                e->maker[model->nodes[n].outputs[k]] = n;
    note_pairs(e, &c->inputs);
    note_pairs(e, &c->layers);
    return e;
}

void xr_evaluator_free(xr_evaluator *e)
{
    if (!e)
        return;
    free(e->pair);
    free(e->maker);
    free(e);
}

/* ---- Values ------------------------------------------------------------------------------------------ */

typedef enum evaluated_as {
    AS_RECORDED,
    MOVED, /* inputs are moved within their rounding */
    HELD,  /* values are cut off at the ends of the side's integers */
} evaluated_as;

/* One frame of it. */
typedef struct evaluation {
    const xr_evaluator *of;
    size_t frame;
    uint32_t target; /* the tensor that is asked for: computed, not read */
    exray_slot *slot[2];
    uint32_t nodes, depth;
    uint64_t elements;
    evaluated_as as;
    uint32_t seed; /* inputs are moved by these numbers */
    xr_evaluated *out;
    exray_side side; /* whose values */
} evaluation;

static bool copy(const exray_tensor_view *view, const float *values, xr_array *out)
{
    if (!xr_array_make(out, view->info.rank, view->info.shape) || out->count != view->count)
        return false;
    memcpy(out->value, values, out->count * sizeof *out->value);
    return true;
}

/* The distance between neighbors at a value of that type; `scale`: of quantized integers.  Zero in floats of
 * 8 bits of exponent is no rounded number: what is not zero stays so. */
static double step_at(exray_dtype dtype, double scale, float value)
{
    int exponent;
    if (scale > 0)
        return scale;
    if (value == 0 && dtype != EXRAY_DTYPE_FLOAT16)
        return 0;
    frexp(value, &exponent); /* value = [0.5, 1) 2^exponent */
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
        return ldexp(1, exponent - 24);
    case EXRAY_DTYPE_FLOAT16:
        return ldexp(1, (exponent > -13 ? exponent : -13) - 11);
    case EXRAY_DTYPE_BFLOAT16:
        return ldexp(1, exponent - 8);
    default:
        return 0;
    }
}

/* From -0.5 to 0.5, evenly. */
static double next_share(evaluation *e)
{
    e->seed = e->seed * 1664525u + 1013904223u;
    return (double)(e->seed >> 8) / (1 << 24) - 0.5;
}

/* Moves each value by up to half a step either way, evenly. */
static void move(evaluation *e, const xr_pair *pair, xr_array *values)
{
    const xr_stored *stored = &pair->stored[e->side];
    for (uint64_t i = 0; i < values->count; i++)
        values->value[i] += (float)(next_share(e) * step_at(stored->dtype, stored->scale, values->value[i]));
}

/* A result of floats is rounded more than once on its way: by up to a step either way. */
static void round_output(evaluation *e, const xr_pair *pair, xr_array *values)
{
    const xr_stored *stored = &pair->stored[e->side];
    for (uint64_t i = 0; stored->scale == 0 && i < values->count; i++)
        values->value[i] += (float)((2 * next_share(e)) * step_at(stored->dtype, 0, values->value[i]));
}

/* The ends of an integer type of one scale.  False: it is none. */
static bool ends_of(const exray_tensor_info *info, double *low, double *high)
{
    const exray_quantization *q = &info->quantization;
    double least = 0, most = 0, zero = q->count == 1 && q->zero_point ? (double)q->zero_point[0] : 0;
    switch (info->dtype) {
    case EXRAY_DTYPE_INT8:
        least = -128, most = 127;
        break;
    case EXRAY_DTYPE_UINT8:
        least = 0, most = 255;
        break;
    case EXRAY_DTYPE_INT16:
        least = -32768, most = 32767;
        break;
    case EXRAY_DTYPE_UINT16:
        least = 0, most = 65535;
        break;
    default:
        return false;
    }
    *low = (least - zero) * (q->count == 1 ? q->scale[0] : 0);
    *high = (most - zero) * (q->count == 1 ? q->scale[0] : 0);
    return *high > *low;
}

/* Cuts values off at the ends of the integers that the side has them in: the tensor's own, or those of a copy
 * (QuantizeLinear) that is read in its place. */
static void hold(const evaluation *e, const xr_pair *pair, xr_array *values)
{
    const exray_model *model = exray_log_model(e->of->comparison->log[e->side]);
    const uint32_t tensor = pair->tensor[e->side];
    double low, high;
    if (!model || tensor >= model->tensor_count)
        return;
    bool held = ends_of(&model->tensors[tensor], &low, &high);
    for (uint32_t n = 0; n < model->node_count && !held; n++) {
        const exray_node *node = &model->nodes[n];
        held = node->op && strcmp(node->op, "QuantizeLinear") == 0 && node->input_count &&
               node->output_count && node->inputs[0] == tensor && node->outputs[0] < model->tensor_count &&
               ends_of(&model->tensors[node->outputs[0]], &low, &high);
    }
    for (uint64_t i = 0; held && i < values->count; i++)
        values->value[i] = (float)fmin(fmax(values->value[i], low), high);
}

static const exray_record *record_of(const evaluation *e, const xr_pair *pair, exray_side side)
{
    const exray_record *record = xr_pair_record(e->of->comparison, pair, side, e->frame);
    return record && record->has_data ? record : NULL;
}

/* The edge's values of a pair, in the reference's order and shape. */
static bool read_edge(evaluation *e, const xr_pair *pair, xr_array *out)
{
    const exray_comparison *c = e->of->comparison;
    const exray_record *record[2] = {record_of(e, pair, EXRAY_SIDE_EDGE),
                                     record_of(e, pair, EXRAY_SIDE_REFERENCE)};
    exray_tensor_view view[2];
    const float *values = NULL;
    exray_error error;
    if (!record[0] || !record[1] ||
        exray_log_read_values(c->log[0], record[0], e->slot[0], &view[0], &values, &error) != EXRAY_OK ||
        !values || exray_log_read_tensor(c->log[1], record[1], e->slot[1], &view[1], &error) != EXRAY_OK ||
        view[0].count != view[1].count)
        return false;
    xr_layout_match how = xr_pair_layout(pair, &view[0].info, &view[1].info);
    if (how == XR_LAYOUT_NONE || !xr_array_make(out, view[1].info.rank, view[1].info.shape) ||
        out->count != view[0].count)
        return false;
    if (how == XR_LAYOUT_SAME)
        memcpy(out->value, values, out->count * sizeof *out->value);
    else
        xr_convert_layout(&view[0].info, values, how, out->value);
    return true;
}

/* The reference's. */
static bool read_reference(evaluation *e, const xr_pair *pair, xr_array *out)
{
    const exray_comparison *c = e->of->comparison;
    const exray_record *record = record_of(e, pair, EXRAY_SIDE_REFERENCE);
    exray_tensor_view view;
    const float *values = NULL;
    exray_error error;
    return record &&
           exray_log_read_values(c->log[1], record, e->slot[1], &view, &values, &error) == EXRAY_OK &&
           values && copy(&view, values, out);
}

static bool read_pair(evaluation *e, const xr_pair *pair, xr_array *out)
{
    return e->side == EXRAY_SIDE_EDGE ? read_edge(e, pair, out) : read_reference(e, pair, out);
}

static bool read_constant(evaluation *e, uint32_t tensor, xr_array *out)
{
    const exray_log *log = e->of->comparison->log[EXRAY_SIDE_REFERENCE];
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    exray_tensor_view view;
    const float *values = NULL;
    exray_error error;
    return record && record->has_data &&
           exray_log_read_values(log, record, e->slot[0], &view, &values, &error) == EXRAY_OK && values &&
           copy(&view, values, out);
}

static bool evaluate(evaluation *e, uint32_t tensor, xr_array *out);

static void note_read(xr_evaluated *out, const xr_pair *pair)
{
    for (size_t i = 0; i < out->count; i++)
        if (out->read[i] == pair)
            return;
    if (out->count < XR_EVALUATED_PAIRS)
        out->read[out->count++] = pair;
}

static bool run_node(evaluation *e, uint32_t tensor, xr_array *out)
{
    const exray_node *node = &e->of->model->nodes[e->of->maker[tensor]];
    xr_array in[XR_FUNCTION_INPUTS] = {{0}};
    bool fits = node->inner_count == 0 && node->input_count <= XR_FUNCTION_INPUTS &&
                node->outputs[0] == tensor && e->nodes++ < MOST_NODES && e->depth < MOST_DEPTH;
    e->depth++;
    for (uint32_t i = 0; fits && i < node->input_count; i++)
        fits = node->inputs[i] == EXRAY_NO_INDEX || evaluate(e, node->inputs[i], &in[i]);
    bool made = fits && xr_function_apply(node, in, node->input_count, &e->of->model->tensors[tensor], out);
    for (uint32_t i = 0; i < XR_FUNCTION_INPUTS; i++)
        xr_array_free(&in[i]);
    e->depth--;
    return made;
}

/* A tensor of the reference's graph, from what the side has. */
static bool evaluate(evaluation *e, uint32_t tensor, xr_array *out)
{
    if (tensor >= e->of->model->tensor_count)
        return false;
    const xr_pair *pair = tensor == e->target ? NULL : e->of->pair[tensor];
    if (pair)
        note_read(e->out, pair);
    bool made = pair                                     ? read_pair(e, pair, out)
                : e->of->maker[tensor] == EXRAY_NO_INDEX ? read_constant(e, tensor, out)
                                                         : run_node(e, tensor, out);
    e->elements += made ? out->count : 0;
    made = made && e->elements <= MOST_ELEMENTS;
    if (made && pair && e->as == MOVED)
        move(e, pair, out);
    if (made && pair && e->as == HELD)
        hold(e, pair, out);
    if (!made)
        xr_array_free(out);
    return made;
}

/* ---- The error -------------------------------------------------------------------------------------------
 */

typedef struct error_sums {
    double count, difference, sum, square;
} error_sums;

/* Adds a frame: the side's output, or what its moved inputs make, against what its inputs make.  False: it
 * cannot be evaluated. */
static bool add_frame(evaluation *e, const xr_pair *pair, evaluated_as as, error_sums *s)
{
    xr_array right = {0}, edge = {0};
    e->as = as == MOVED ? AS_RECORDED : as;
    bool made = evaluate(e, e->target, &right);
    e->as = as;
    made = made && (as == MOVED ? evaluate(e, e->target, &edge) : read_pair(e, pair, &edge)) &&
           right.count == edge.count;
    if (made && as == MOVED)
        round_output(e, pair, &edge);
    if (made && as == HELD) {
        hold(e, pair, &right);
        hold(e, pair, &edge);
    }
    for (uint64_t i = 0; made && i < edge.count; i++) {
        double a = edge.value[i], d = a - right.value[i];
        if (!isfinite(d)) {
            made = (isnan(a) && isnan(right.value[i])) || a == right.value[i];
            continue;
        }
        s->count++;
        s->difference += d * d;
        s->sum += a;
        s->square += a * a;
    }
    xr_array_free(&right);
    xr_array_free(&edge);
    return made;
}

/* Whether the frame has values of the pair on both sides. */
static bool has_values(const xr_evaluator *evaluator, const xr_pair *pair, size_t frame)
{
    const evaluation e = {.of = evaluator, .frame = frame};
    return record_of(&e, pair, EXRAY_SIDE_EDGE) && record_of(&e, pair, EXRAY_SIDE_REFERENCE);
}

static size_t frame_step(const exray_comparison *c)
{
    return c->frame_count > MOST_FRAMES ? c->frame_count / MOST_FRAMES : 1;
}

/* The frame in which the sides differ most: a kernel may fail in one of many.  SIZE_MAX: there is none. */
static size_t worst_frame(evaluation *e, const xr_pair *pair)
{
    size_t worst = SIZE_MAX;
    double most = -1;
    for (size_t f = 0; f < e->of->comparison->frame_count; f++) {
        xr_array edge = {0}, reference = {0};
        double sum = 0;
        e->frame = f;
        bool ok =
            read_edge(e, pair, &edge) && read_reference(e, pair, &reference) && edge.count == reference.count;
        for (uint64_t i = 0; ok && i < edge.count; i++) {
            double d = (double)edge.value[i] - reference.value[i];
            sum += isfinite(d) ? d * d : 0;
        }
        if (ok && sum > most) {
            most = sum;
            worst = f;
        }
        xr_array_free(&edge);
        xr_array_free(&reference);
    }
    return worst;
}

/* Adds frame f, if it has values.  False: it cannot be evaluated. */
static bool try_frame(evaluation *e, const xr_pair *pair, size_t f, evaluated_as as, error_sums *s)
{
    if (!has_values(e->of, pair, f))
        return true;
    e->frame = f;
    e->nodes = e->depth = 0;
    e->elements = 0;
    bool ok = add_frame(e, pair, as, s);
    e->out->nodes = as == AS_RECORDED ? e->nodes : e->out->nodes;
    return ok;
}

/* The error of the side's output, or of what moved inputs make of it, over some frames and the worst; NAN: it
 * cannot be told. */
static double find_error(const xr_evaluator *evaluator, const xr_pair *pair, exray_side side, evaluated_as as,
                         xr_evaluated *out)
{
    const exray_comparison *c = evaluator->comparison;
    evaluation e = {.of = evaluator,
                    .target = pair->tensor[EXRAY_SIDE_REFERENCE],
                    .slot = {exray_slot_new(), exray_slot_new()},
                    .seed = 1,
                    .out = out,
                    .side = side};
    error_sums s = {0};
    bool ok = e.slot[0] && e.slot[1];
    const size_t step = frame_step(c);
    for (size_t f = 0; ok && f < c->frame_count; f += step)
        ok = try_frame(&e, pair, f, as, &s);
    size_t worst = ok && step > 1 ? worst_frame(&e, pair) : SIZE_MAX;
    if (worst != SIZE_MAX && worst % step)
        ok = try_frame(&e, pair, worst, as, &s);
    exray_slot_free(e.slot[0]);
    exray_slot_free(e.slot[1]);
    double variance = s.count > 0 ? s.square / s.count - s.sum / s.count * (s.sum / s.count) : 0;
    return ok && variance > 0 ? sqrt(s.difference / s.count / variance) : NAN;
}

xr_evaluated xr_evaluate(const xr_evaluator *evaluator, const xr_pair *pair, exray_side side, double enough)
{
    xr_evaluated out = {.error = NAN, .within = NAN, .stored = NAN};
    uint32_t target = pair->tensor[EXRAY_SIDE_REFERENCE];
    if (!evaluator || target >= evaluator->model->tensor_count || evaluator->maker[target] == EXRAY_NO_INDEX)
        return out;
    out.error = find_error(evaluator, pair, side, AS_RECORDED, &out);
    if (out.error > enough) {
        out.within = find_error(evaluator, pair, side, HELD, &out);
        out.stored = find_error(evaluator, pair, side, MOVED, &out);
    }
    return out;
}

/* ---- Channels ------------------------------------------------------------------------------------- */

/* Whether a tensor is what a convolution along one dimension made, as ONNX and PyTorch have it: channels,
 * then time. */
static bool is_channels_then_time(const xr_evaluator *evaluator, uint32_t tensor)
{
    enum { MOST_BEFORE = 4 }; /* a bias, a normalization, an activation */
    const exray_model *model = evaluator->model;
    for (int i = 0; i < MOST_BEFORE && tensor < model->tensor_count; i++) {
        uint32_t maker = evaluator->maker[tensor];
        const exray_node *node = maker < model->node_count ? &model->nodes[maker] : NULL;
        if (!node || !node->op || node->input_count == 0)
            return false;
        xr_op_kind kind = xr_op_of(node).kind;
        if (kind == XR_OP_CONV)
            return strcmp(node->op, "Conv1D") != 0 && strcmp(node->op, "CONV_2D") != 0; /* Keras, TFLite */
        if (kind != XR_OP_ACTIVATION && kind != XR_OP_ADD && kind != XR_OP_NORMALIZATION)
            return false;
        tensor = node->inputs[0];
    }
    return false;
}

/* The dimension of channels: the last, except in channels-first pictures and sounds. */
static uint32_t channel_axis(const xr_evaluator *evaluator, uint32_t tensor)
{
    const exray_tensor_info *info = &evaluator->model->tensors[tensor];
    bool first = info->rank == 4 && info->layout && strcmp(info->layout, "NCHW") == 0;
    return first || (info->rank == 3 && is_channels_then_time(evaluator, tensor)) ? 1 : info->rank - 1;
}

typedef struct channel_sums {
    error_sums *channel; /* [count] */
    uint64_t count;
} channel_sums;

/* What the edge's values of a pair are held against, channel by channel. */
typedef enum against {
    THE_REFERENCE,
    WHAT_IS_MADE, /* of the edge's inputs, by the reference's nodes */
    WHAT_ROUNDING_MAKES,
} against;

/* The edge's values and those that they are held against; of WHAT_ROUNDING_MAKES the second is what the
 * inputs make as they are, the first what they make when they are moved. */
static bool read_held(evaluation *e, const xr_pair *pair, against what, xr_array *edge, xr_array *other)
{
    e->nodes = e->depth = 0;
    e->elements = 0;
    e->as = AS_RECORDED;
    if (what == THE_REFERENCE)
        return read_edge(e, pair, edge) && read_reference(e, pair, other);
    if (!evaluate(e, e->target, other))
        return false;
    if (what == WHAT_IS_MADE)
        return read_edge(e, pair, edge);
    e->as = MOVED;
    if (!evaluate(e, e->target, edge))
        return false;
    round_output(e, pair, edge);
    return true;
}

static bool add_channels(evaluation *e, const xr_pair *pair, against what, channel_sums *s)
{
    xr_array edge = {0}, other = {0};
    const exray_tensor_info *info = &e->of->model->tensors[pair->tensor[EXRAY_SIDE_REFERENCE]];
    bool ok = read_held(e, pair, what, &edge, &other) && edge.count == other.count && other.rank > 0 &&
              other.rank == info->rank;
    uint32_t axis = ok ? channel_axis(e->of, pair->tensor[EXRAY_SIDE_REFERENCE]) : 0;
    uint64_t count = ok && other.shape[axis] > 0 ? (uint64_t)other.shape[axis] : 0, stride = 1;
    for (uint32_t d = axis + 1; ok && d < other.rank; d++)
        stride *= (uint64_t)other.shape[d];
    if (ok && !s->channel) {
        s->channel = calloc(count + 1, sizeof *s->channel);
        s->count = count;
    }
    ok = ok && s->channel && count > 0 && count == s->count;
    for (uint64_t i = 0; ok && i < other.count; i++) {
        error_sums *to = &s->channel[i / stride % count];
        double b = other.value[i], d = edge.value[i] - b;
        to->count++;
        to->difference += d * d;
        to->sum += b;
        to->square += b * b;
    }
    xr_array_free(&edge);
    xr_array_free(&other);
    return ok;
}

static double find_channel_error(const xr_evaluator *evaluator, const xr_pair *pair, against what)
{
    if (!evaluator || pair->tensor[EXRAY_SIDE_REFERENCE] >= evaluator->model->tensor_count)
        return NAN;
    const exray_comparison *c = evaluator->comparison;
    xr_evaluated read = {0};
    evaluation e = {.of = evaluator,
                    .target = pair->tensor[EXRAY_SIDE_REFERENCE],
                    .slot = {exray_slot_new(), exray_slot_new()},
                    .seed = 1,
                    .out = &read};
    channel_sums s = {0};
    bool ok =
        (what == THE_REFERENCE || evaluator->maker[e.target] != EXRAY_NO_INDEX) && e.slot[0] && e.slot[1];
    for (size_t f = 0; ok && f < c->frame_count; f += frame_step(c)) {
        e.frame = f;
        ok = !has_values(evaluator, pair, f) || add_channels(&e, pair, what, &s);
    }
    double sum = 0, varying = 0;
    for (uint64_t k = 0; ok && k < s.count; k++) {
        const error_sums *t = &s.channel[k];
        double mean = t->count > 0 ? t->sum / t->count : 0;
        double variance = t->count > 0 ? t->square / t->count - mean * mean : 0;
        if (!(variance > 1e-12 * (t->square / fmax(t->count, 1))))
            continue; /* a constant, its rounding aside */
        varying++;
        sum += fmin(t->difference / t->count / variance, 1);
    }
    exray_slot_free(e.slot[0]);
    exray_slot_free(e.slot[1]);
    free(s.channel);
    return ok && varying > 0 ? sqrt(sum / varying) : NAN;
}

double xr_channel_error(const xr_evaluator *evaluator, const xr_pair *pair)
{
    return find_channel_error(evaluator, pair, THE_REFERENCE);
}

double xr_channel_error_made(const xr_evaluator *evaluator, const xr_pair *pair, double *rounded)
{
    *rounded = find_channel_error(evaluator, pair, WHAT_ROUNDING_MAKES);
    return find_channel_error(evaluator, pair, WHAT_IS_MADE);
}
