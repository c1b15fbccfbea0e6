#include "checks/model/graph/step_values.h"

#include "checks/model/coarse.h"
#include "checks/model/graph/between/step_range.h"
#include "checks/place_of.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 4, MOST_VALUES = 16384, DEPTH = 24, MOST_VISITS = 4096 };

/* Float arithmetic in another order, a few layers deep; 8-bit values are compared where the comparison has
 * paired them, with its noise. */
#define NOISE 1e-4
/* What 8 bits may leave of a deep network, of its signal. */
#define ROUNDED 0.3

bool xr_step_values_open(const exray_comparison *comparison, const xr_step_match *match, xr_step_values *out)
{
    *out = (xr_step_values){comparison, match, {exray_slot_new(), exray_slot_new()}, 0};
    if (out->slot[0] && out->slot[1])
        return true;
    xr_step_values_close(out);
    return false;
}

void xr_step_values_close(xr_step_values *v)
{
    for (int s = 0; s < 2; s++)
        exray_slot_free(v->slot[s]);
    *v = (xr_step_values){0};
}

/* ---- Reading ------------------------------------------------------------------------- */

const float *xr_step_values_read(xr_step_values *v, int side, uint32_t tensor, size_t frame, uint64_t *count)
{
    const xr_step_graph *g = &v->match->side[side];
    const exray_log *log = exray_comparison_log(v->comparison, (exray_side)side);
    size_t position = exray_comparison_frame(v->comparison, frame).frame[side];
    const exray_record *record = NULL;
    uint32_t node, output;
    if (tensor >= g->model->tensor_count)
        return NULL;
    if (xr_place_of(g->model, tensor, &node, &output))
        record = exray_log_find(log, position, EXRAY_KIND_LAYER, node, output, NULL);
    else if (g->model->tensors[tensor].name && *g->model->tensors[tensor].name)
        record = exray_log_find(log, position, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0,
                                g->model->tensors[tensor].name);
    exray_tensor_view view;
    const float *values = NULL;
    exray_error error;
    if (!record || !record->has_data ||
        exray_log_read_values(log, record, v->slot[side], &view, &values, &error) != EXRAY_OK)
        return NULL;
    *count = view.count;
    return values;
}

/* ---- One pair of tensors ------------------------------------------------------------------ */

static xr_state of_layer(const exray_layer_pair *layer)
{
    if (layer->other_shape) /* in some frames: what is made there is another result */
        return XR_STATE_WRONG;
    switch (layer->role) {
    case EXRAY_LAYER_ROLE_CLEAN:
        return XR_STATE_CLEAN;
    case EXRAY_LAYER_ROLE_ORIGINATES:
    case EXRAY_LAYER_ROLE_PROPAGATES:
        return XR_STATE_WRONG;
    default:
        return isnan(layer->error) || layer->from_stats ? XR_STATE_UNKNOWN
               : layer->error <= layer->noise           ? XR_STATE_CLEAN
                                                        : XR_STATE_WRONG;
    }
}

static bool is_float(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_FLOAT32 || info->dtype == EXRAY_DTYPE_FLOAT64;
}

static bool is_exact(const exray_tensor_info *info)
{
    return xr_is_whole(info) || info->dtype == EXRAY_DTYPE_BOOL;
}

/* Whether the values that a step is given decide how many it makes. */
static bool decides_size(const xr_step_values *v, uint32_t edge)
{
    static const char *const parts[] = {"nonmax", "nonzero", "unique", "compress"};
    uint32_t maker = v->match->side[0].tensor[edge].maker;
    for (size_t i = 0; maker != EXRAY_NO_INDEX && i < sizeof parts / sizeof *parts; i++)
        if (strstr(v->match->side[0].step[maker].word, parts[i]))
            return true;
    return false;
}

/* Values of the same shape that the comparison has not paired; of shapes that the values decide, another
 * number of them is another result. */
static xr_state compare_values(xr_step_values *v, uint32_t edge, uint32_t reference)
{
    const exray_tensor_info *info[2] = {xr_step_graph_info(&v->match->side[0], edge),
                                        xr_step_graph_info(&v->match->side[1], reference)};
    bool open = decides_size(v, edge);
    if (!xr_same_shape(info[0], info[1]) && !(open && info[0] && info[1]))
        return XR_STATE_UNKNOWN;
    bool whole = is_exact(info[0]) && is_exact(info[1]);
    if (!whole && !(is_float(info[0]) && is_float(info[1])))
        return XR_STATE_UNKNOWN;
    double n = 0, sum = 0, square = 0, apart = 0;
    bool other_count = false;
    size_t frames = exray_comparison_frame_count(v->comparison);
    for (size_t f = 0; f < frames && f < MOST_FRAMES; f++) {
        uint64_t count[2];
        const float *a = xr_step_values_read(v, 0, edge, f, &count[0]),
                    *b = xr_step_values_read(v, 1, reference, f, &count[1]);
        other_count = other_count || (open && a && b && count[0] != count[1]);
        if (!a || !b || count[0] != count[1])
            continue;
        for (uint64_t i = 0; i < count[0]; i++) {
            double d = (double)a[i] - b[i];
            apart += d * d;
            sum += b[i];
            square += (double)b[i] * b[i];
        }
        n += (double)count[0];
    }
    if (other_count)
        return XR_STATE_WRONG;
    if (!(n > 0))
        return XR_STATE_UNKNOWN;
    double deviation = sqrt(fmax(square / n - sum / n * (sum / n), 0)), off = sqrt(apart / n);
    if (off <= (whole ? 0 : NOISE * deviation))
        return XR_STATE_CLEAN;
    /* Floats behind integers err by what those round, which only what was paired tells. */
    return !whole && off <= ROUNDED * deviation && xr_has_coarse_layer(v->comparison) ? XR_STATE_UNKNOWN
                                                                                      : XR_STATE_WRONG;
}

static xr_state of_input(const xr_step_values *v, uint32_t edge, uint32_t reference)
{
    const exray_model *model = v->match->side[0].model;
    if (edge >= model->tensor_count || v->match->tensor_mate[0][edge] != reference)
        return XR_STATE_UNKNOWN;
    size_t count = exray_comparison_input_count(v->comparison);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *input = exray_comparison_input(v->comparison, i);
        const char *name = model->tensors[edge].name;
        bool only = count == 1 && model->input_count == 1 && model->inputs[0] == edge;
        bool named = name && input->name[0] && strcmp(name, input->name[0]) == 0;
        if ((named || only) && input->other_shape)
            return XR_STATE_WRONG;
        if ((named || only) && input->comparable)
            return input->error <= input->noise ? XR_STATE_CLEAN : XR_STATE_WRONG;
    }
    return XR_STATE_UNKNOWN;
}

/* Whether `function` is a function of `tensor` on its side that the range of the other side's `integers` is
 * instead. */
static bool is_clipped_by(const xr_step_match *m, int side, uint32_t tensor, uint32_t function,
                          uint32_t integers)
{
    const xr_step_graph *g = &m->side[side];
    const xr_tensor_facts *fact = &g->tensor[g->tensor[function].same_as];
    return fact->value && g->tensor[fact->root].same_as == g->tensor[tensor].same_as &&
           xr_step_is_clipped(&m->side[!side], integers, fact->value);
}

/* Layers of which one side clips by the range of its integers, and the other by a function behind: what
 * comes of both is one quantity, and compared. */
static xr_state of_clipped(const xr_step_values *v, uint32_t edge, uint32_t reference)
{
    const xr_step_match *m = v->match;
    const xr_step_graph *g = &m->side[0];
    if (edge < g->model->tensor_count) {
        const exray_layer_pair *layer =
            m->layer[edge] == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(v->comparison, m->layer[edge]);
        const uint32_t tensor =
            layer ? xr_tensor_of_layer(m->side[1].model, layer, EXRAY_SIDE_REFERENCE) : EXRAY_NO_INDEX;
        return tensor != EXRAY_NO_INDEX && is_clipped_by(m, 1, reference, tensor, edge) ? of_layer(layer)
                                                                                        : XR_STATE_UNKNOWN;
    }
    for (uint32_t i = 0; i < g->count; i++) { /* hidden: what reads it is not */
        const xr_op_step *step = &g->step[i];
        const exray_layer_pair *layer =
            step->kind == XR_STEP_FUNCTION && is_clipped_by(m, 0, edge, step->output, reference)
                ? xr_step_match_layer(v->comparison, m, step->output, reference)
                : NULL;
        if (layer)
            return of_layer(layer);
    }
    return XR_STATE_UNKNOWN;
}

xr_state xr_state_of(xr_step_values *v, uint32_t edge, uint32_t reference)
{
    const exray_layer_pair *layer = xr_step_match_layer(v->comparison, v->match, edge, reference);
    xr_state state = layer ? of_layer(layer) : of_input(v, edge, reference);
    if (state == XR_STATE_UNKNOWN && !layer)
        state = of_clipped(v, edge, reference);
    return state == XR_STATE_UNKNOWN ? compare_values(v, edge, reference) : state;
}

/* ---- Before and behind a step ------------------------------------------------------------- */

static xr_state before(xr_step_values *v, uint32_t edge, int depth)
{
    if (v->visits == 0)
        return XR_STATE_UNKNOWN;
    v->visits--;
    uint32_t mate = v->match->tensor_mate[0][edge];
    xr_state state = mate == EXRAY_NO_INDEX ? XR_STATE_UNKNOWN : xr_state_of(v, edge, mate);
    uint32_t maker = v->match->side[0].tensor[edge].maker;
    if (state != XR_STATE_UNKNOWN || maker == EXRAY_NO_INDEX || depth == 0)
        return state;
    const xr_op_step *step = &v->match->side[0].step[maker];
    state = step->input_count ? XR_STATE_CLEAN : XR_STATE_UNKNOWN;
    for (uint32_t i = 0; i < step->input_count && state != XR_STATE_WRONG; i++) {
        xr_state one = before(v, step->input[i], depth - 1);
        state = one == XR_STATE_CLEAN ? state : one;
    }
    return state;
}

xr_state xr_state_before(xr_step_values *v, uint32_t edge)
{
    v->visits = MOST_VISITS;
    return before(v, edge, 4);
}

/* Whether a further output of a node is wrong: a classifier's scores, where its decisions are the same. */
static bool is_other_wrong(xr_step_values *v, const xr_op_step *a, const xr_op_step *b)
{
    bool wrong = false;
    for (uint32_t k = 1; !a->cut && !b->cut && k < a->node->output_count && k < b->node->output_count; k++) {
        const uint32_t edge = a->node->outputs[k], reference = b->node->outputs[k];
        if (edge < v->match->side[0].model->tensor_count && reference < v->match->side[1].model->tensor_count)
            wrong = wrong || xr_state_of(v, edge, reference) == XR_STATE_WRONG;
    }
    return wrong;
}

/* The state of what a step made, where the step has a mate. */
static xr_state made(xr_step_values *v, uint32_t step)
{
    uint32_t mate = v->match->mate[0][step];
    if (mate == EXRAY_NO_INDEX)
        return XR_STATE_UNKNOWN;
    const xr_op_step *a = &v->match->side[0].step[step], *b = &v->match->side[1].step[mate];
    const xr_state state = xr_state_of(v, a->output, b->output);
    return state == XR_STATE_CLEAN && is_other_wrong(v, a, b) ? XR_STATE_WRONG : state;
}

static bool reads(const xr_op_step *step, uint32_t tensor)
{
    for (uint32_t i = 0; i < step->input_count; i++)
        if (step->input[i] == tensor)
            return true;
    return false;
}

xr_state xr_state_behind(xr_step_values *v, uint32_t edge_step)
{
    const xr_step_graph *g = &v->match->side[0];
    uint32_t at = edge_step;
    for (int depth = 0; depth < DEPTH; depth++) {
        xr_state state = made(v, at);
        if (state != XR_STATE_UNKNOWN)
            return state;
        uint32_t next = at + 1;
        while (next < g->count && !reads(&g->step[next], g->step[at].output))
            next++;
        if (next == g->count)
            return XR_STATE_UNKNOWN;
        at = next;
    }
    return XR_STATE_UNKNOWN;
}

/* A decision may be the same of values that are not: it does not show that nothing is left. */
static bool is_decision(const xr_op_step *step)
{
    static const char *const parts[] = {"argm",  "topk",  "nonmax", "equal", "greater", "less",
                                        "round", "floor", "ceil",   "sign",  "unique",  "detection"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(step->word, parts[i]))
            return true;
    return false;
}

bool xr_is_absorbed(xr_step_values *v, uint32_t edge_step)
{
    const xr_step_graph *g = &v->match->side[0];
    bool *wrong = calloc(2 * ((size_t)g->tensor_count + 1), sizeof *wrong);
    bool *behind = wrong ? wrong + g->tensor_count + 1 : NULL, absorbed = wrong != NULL;
    if (wrong)
        wrong[g->step[edge_step].output] = behind[g->step[edge_step].output] = true;
    for (uint32_t i = edge_step + 1; absorbed && i < g->count; i++) {
        const xr_op_step *step = &g->step[i];
        bool given = false;
        for (uint32_t k = 0; k < step->input_count; k++) {
            given = given || wrong[step->input[k]];
            behind[step->output] = behind[step->output] || behind[step->input[k]];
        }
        const xr_state state = behind[step->output] ? made(v, i) : XR_STATE_CLEAN;
        /* Huge values (a mask's) hide a difference, and what they are left out of shows it again. */
        if (state == XR_STATE_WRONG || (given && (is_decision(step) || state != XR_STATE_CLEAN)))
            wrong[step->output] = true;
    }
    for (uint32_t i = 0; absorbed && i < g->model->output_count; i++)
        if (g->model->outputs[i] < g->model->tensor_count)
            absorbed = !wrong[g->tensor[g->model->outputs[i]].same_as];
    free(wrong);
    return absorbed;
}

/* ---- Functions ------------------------------------------------------------------------------- */

typedef struct function_sums {
    double n, sum, square, differ, left;
    bool has_left;
} function_sums;

static uint32_t root_of(const xr_step_values *v, int side, uint32_t tensor)
{
    return v->match->side[side].tensor[tensor].root;
}

/* Adds one frame: both functions on `side`'s values of the root. */
static bool add_frame(xr_step_values *v, int side, const xr_op_step *const step[2], size_t frame,
                      function_sums *s)
{
    uint64_t count, results;
    const float *root = xr_step_values_read(v, side, step[side]->input[0], frame, &count);
    size_t n = root ? (size_t)(count < MOST_VALUES ? count : MOST_VALUES) : 0;
    double *x = calloc(3 * n + 1, sizeof *x);
    if (!x)
        return false;
    xr_layer_evidence range; /* what reads the root as integers gets it within those */
    bool bounded = xr_step_range_behind(&v->match->side[side], step[side]->input[0], &range);
    for (size_t i = 0; i < n; i++) {
        x[i] = root[(uint64_t)i * count / n];
        x[i] = bounded ? fmin(fmax(x[i], range.low), range.high) : x[i];
    }
    bool ok = n > 0;
    for (int k = 0; ok && k < 2; k++)
        if (root_of(v, k, step[k]->output) == step[k]->output) /* the values themselves */
            memcpy(x + (size_t)(k + 1) * n, x, n * sizeof *x);
        else
            ok = xr_step_graph_compute(&v->match->side[k], root_of(v, k, step[k]->output), step[k]->output, x,
                                       n, x + (size_t)(k + 1) * n);
    const float *result = ok ? xr_step_values_read(v, side, step[side]->output, frame, &results) : NULL;
    for (size_t i = 0; ok && i < n; i++) {
        double a = x[n + i], b = x[2 * n + i], mine = side ? b : a;
        if (!isfinite(a) || !isfinite(b))
            continue;
        s->n++;
        s->sum += b;
        s->square += b * b;
        s->differ += (a - b) * (a - b);
        if (result && results == count) {
            double off = result[(uint64_t)i * count / n] - mine;
            s->left += off * off;
            s->has_left = true;
        }
    }
    free(x);
    return ok;
}

bool xr_compare_functions(xr_step_values *v, const xr_op_step *edge, const xr_op_step *reference,
                          double *differ, double *left)
{
    const xr_op_step *step[2] = {edge, reference};
    size_t frames = exray_comparison_frame_count(v->comparison);
    for (int side = 0; side < 2; side++) {
        function_sums s = {0};
        for (size_t f = 0; f < frames && f < MOST_FRAMES; f++)
            add_frame(v, side, step, f, &s);
        if (!(s.n > 0))
            continue;
        double deviation = sqrt(fmax(s.square / s.n - s.sum / s.n * (s.sum / s.n), 0));
        if (!(deviation > 0))
            deviation = sqrt(s.square / s.n);
        if (!(deviation > 0))
            continue;
        *differ = sqrt(s.differ / s.n) / deviation;
        *left = s.has_left ? sqrt(s.left / s.n) / deviation : 0;
        return true;
    }
    return false;
}
