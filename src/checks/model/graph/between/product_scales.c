#include "checks/model/graph/between/product_scales.h"

#include <math.h>
#include <stdlib.h>

enum { FURTHEST = 12 }; /* steps from a factor to the product that it scales */

/* All that scales a product on one side. */
typedef struct side_scale {
    uint32_t source[2];           /* what its inputs were */
    double before[2], rounded[2]; /* the factor of each input, and its relative rounding */
    bool any[2];
    uint32_t part[2][FURTHEST], parts[2]; /* steps that apply factors, and those behind them */
    uint32_t behind;                      /* the function that alone reads the product, or EXRAY_NO_INDEX */
} side_scale;

/* [tensors] how many steps, and outputs of the model, read each.  NULL: out of memory. */
static uint32_t *count_readers(const xr_step_graph *g)
{
    uint32_t *readers = calloc((size_t)g->tensor_count + 1, sizeof *readers);
    for (uint32_t i = 0; readers && i < g->count; i++)
        for (uint32_t k = 0; k < g->step[i].input_count; k++)
            readers[g->step[i].input[k]]++;
    for (uint32_t i = 0; readers && i < g->model->output_count; i++)
        if (g->model->outputs[i] < g->model->tensor_count)
            readers[g->tensor[g->model->outputs[i]].same_as]++;
    return readers;
}

/* The factor that a step multiplies with, and its relative rounding.  False: it does something else. */
static bool is_factor(const xr_op_step *step, double *factor, double *rounded)
{
    double offset;
    if (step->kind != XR_STEP_FUNCTION || !step->value || !xr_is_line(step->value, factor, &offset) ||
        !(fabs(*factor) > 0) || fabs(offset) > 1e-6 * fabs(*factor))
        return false;
    *rounded = 0;
    for (int i = 0; step->slack && i < XR_POINTS; i++)
        if (step->value[i] != 0)
            *rounded = fmax(*rounded, step->slack[i] / fabs(step->value[i]));
    return true;
}

/* Follows input k of a product back through factors and moved values.  False: a factor is read by others,
 * too.
 */
static bool walk_back(const xr_step_graph *g, const uint32_t *readers, uint32_t input, side_scale *s, int k)
{
    uint32_t passed[FURTHEST], count = 0; /* steps since the last factor */
    bool shared = false;
    s->before[k] = 1;
    while (count < FURTHEST) {
        double factor, rounded;
        const uint32_t maker = g->tensor[input].maker;
        const xr_op_step *step = maker == EXRAY_NO_INDEX ? NULL : &g->step[maker];
        shared = shared || readers[input] > 1;
        if (!step || step->input_count != 1)
            break;
        passed[count++] = maker;
        if (is_factor(step, &factor, &rounded)) {
            if (shared || s->parts[k] + count > FURTHEST)
                return false;
            s->before[k] *= factor;
            s->rounded[k] += rounded;
            s->any[k] = true;
            while (count > 0)
                s->part[k][s->parts[k]++] = passed[--count];
        } else if (!xr_step_moves_alone(step))
            break;
        input = step->input[0];
    }
    s->source[k] = input;
    return true;
}

/* The function that alone reads what a step makes, or EXRAY_NO_INDEX. */
static uint32_t function_behind(const xr_step_graph *g, const uint32_t *readers, uint32_t step)
{
    const uint32_t made = g->step[step].output;
    for (uint32_t i = step + 1; readers[made] == 1 && i < g->count; i++)
        if (g->step[i].input_count == 1 && g->step[i].input[0] == made)
            return g->step[i].kind == XR_STEP_FUNCTION && g->step[i].value ? i : EXRAY_NO_INDEX;
    return EXRAY_NO_INDEX;
}

static bool read_side(const xr_step_graph *g, const uint32_t *readers, uint32_t step, side_scale *out)
{
    *out = (side_scale){.behind = function_behind(g, readers, step)};
    for (int k = 0; k < 2; k++)
        if (!walk_back(g, readers, g->step[step].input[k], out, k))
            return false;
    return true;
}

/* What a side makes of the product of the sources; `slack`: what the rounding of its numbers may be of that.
 */
static bool compute(const xr_step_graph *g, const side_scale *s, double value[XR_POINTS],
                    double slack[XR_POINTS])
{
    const double before = s->before[0] * s->before[1];
    for (int i = 0; i < XR_POINTS; i++)
        value[i] = before * xr_points[i];
    if (s->behind != EXRAY_NO_INDEX) {
        const xr_op_step *step = &g->step[s->behind];
        double given[XR_POINTS], factor, offset;
        for (int i = 0; i < XR_POINTS; i++)
            given[i] = value[i];
        if (xr_is_line(step->value, &factor, &offset))
            for (int i = 0; i < XR_POINTS; i++)
                value[i] = factor * given[i] + offset;
        else if (!xr_step_graph_compute(g, g->tensor[step->output].root, step->output, given, XR_POINTS,
                                        value))
            return false;
        for (int i = 0; i < XR_POINTS; i++) /* of a line, the rounding of its factor */
            slack[i] = step->slack ? step->slack[i] * fmax(1, fabs(before)) : 0;
    } else
        for (int i = 0; i < XR_POINTS; i++)
            slack[i] = 0;
    for (int i = 0; i < XR_POINTS; i++)
        slack[i] += (s->rounded[0] + s->rounded[1]) * fabs(value[i]);
    return true;
}

static bool is_product(const xr_op_step *step)
{
    return step->kind == XR_STEP_PRODUCT && step->input_count == 2 && step->constant_count == 0;
}

/* Whether the sides have their factors at the same places. */
static bool have_one_place(const side_scale s[2])
{
    return s[0].any[0] == s[1].any[0] && s[0].any[1] == s[1].any[1] &&
           (s[0].behind == EXRAY_NO_INDEX) == (s[1].behind == EXRAY_NO_INDEX);
}

static void note_part(xr_product_scales *out, int side, uint32_t step)
{
    if (step != EXRAY_NO_INDEX)
        out->of[side][step] = (uint32_t)out->count;
}

static void look_at(const xr_step_match *m, uint32_t *const readers[2], uint32_t edge, xr_product_scales *out)
{
    const uint32_t step[2] = {edge, m->mate[0][edge]};
    side_scale s[2];
    double slack[2][XR_POINTS];
    if (step[1] == EXRAY_NO_INDEX || !is_product(&m->side[0].step[step[0]]) ||
        !is_product(&m->side[1].step[step[1]]))
        return;
    xr_product_scale *found = &out->list[out->count];
    for (int i = 0; i < 2; i++) {
        if (!read_side(&m->side[i], readers[i], step[i], &s[i]) ||
            !compute(&m->side[i], &s[i], found->value[i], slack[i]))
            return;
        const bool plain = s[i].behind == EXRAY_NO_INDEX;
        found->step[i] = step[i];
        found->end[i] = m->side[i].step[plain ? step[i] : s[i].behind].output;
    }
    for (int k = 0; k < 2; k++) {
        if (m->tensor_mate[0][s[0].source[k]] != s[1].source[k])
            return;
        found->source[k] = s[0].source[k];
    }
    found->equal = xr_same_function(found->value[0], found->value[1], slack[0], slack[1]);
    if (have_one_place(s) && !found->equal)
        return; /* place by place, their factors compare by themselves */
    for (int i = 0; i < 2; i++) {
        note_part(out, i, step[i]);
        note_part(out, i, s[i].behind);
        for (int k = 0; k < 2; k++)
            for (uint32_t p = 0; p < s[i].parts[k]; p++)
                note_part(out, i, s[i].part[k][p]);
    }
    out->count++;
}

bool xr_product_scales_find(const xr_step_match *m, xr_product_scales *out)
{
    *out = (xr_product_scales){.count = 0};
    uint32_t *readers[2] = {count_readers(&m->side[0]), count_readers(&m->side[1])};
    size_t products = 1;
    for (uint32_t i = 0; i < m->side[0].count; i++)
        products += is_product(&m->side[0].step[i]);
    out->list = calloc(products, sizeof *out->list);
    bool ok = readers[0] && readers[1] && out->list;
    for (int s = 0; s < 2; s++) {
        out->of[s] = malloc(((size_t)m->side[s].count + 1) * sizeof *out->of[s]);
        ok = ok && out->of[s];
        for (uint32_t i = 0; ok && i < m->side[s].count; i++)
            out->of[s][i] = EXRAY_NO_INDEX;
    }
    for (uint32_t i = 0; ok && i < m->side[0].count; i++)
        look_at(m, readers, i, out);
    for (int s = 0; s < 2; s++)
        free(readers[s]);
    return ok;
}

void xr_product_scales_free(xr_product_scales *scales)
{
    free(scales->list);
    for (int s = 0; s < 2; s++)
        free(scales->of[s]);
    *scales = (xr_product_scales){.count = 0};
}
