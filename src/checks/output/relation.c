#include "checks/output/relation.h"

#include "checks/input/moments/input_statistics.h"
#include "checks/output/graph_tail.h"
#include "checks/port/row_order.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 1 << 16 }; /* of one frame; rows of larger outputs are sampled */

/* A residual is healthy up to this many times the effect of the added noise: both are a single
 * draw. */
#define DRAW 3.0
/* A candidate must reduce the difference to this share. */
#define FAR_BELOW 0.5
/* However large the noise: nine tenths of the target's variance must be explained. */
#define UNEXPLAINED_MOST 0.316

/* ---- The functions --------------------------------------------------------------------- */

static void softmax(const double *x, double *y, size_t n)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (size_t i = 0; i < n; i++)
        sum += y[i] = exp(x[i] - top);
    for (size_t i = 0; i < n; i++)
        y[i] /= sum;
}

static double logit(double p)
{
    p = fmin(fmax(p, 1e-12), 1 - 1e-12);
    return log(p / (1 - p));
}

static void apply(xr_output_function f, const double *x, double *y, size_t n)
{
    switch (f) {
    case XR_FUNCTION_SOFTMAX:
        softmax(x, y, n);
        break;
    case XR_FUNCTION_SOFTMAX_TWICE:
        softmax(x, y, n);
        softmax(y, y, n);
        break;
    case XR_FUNCTION_LOG_SOFTMAX:
        softmax(x, y, n);
        for (size_t i = 0; i < n; i++)
            y[i] = log(fmax(y[i], 1e-38));
        break;
    case XR_FUNCTION_SIGMOID:
        for (size_t i = 0; i < n; i++)
            y[i] = 1 / (1 + exp(-x[i]));
        break;
    case XR_FUNCTION_LOG:
        for (size_t i = 0; i < n; i++)
            y[i] = log(fmax(x[i], 1e-38));
        break;
    case XR_FUNCTION_SOFTMAX_OF_LOGIT:
        for (size_t i = 0; i < n; i++)
            y[i] = logit(x[i]);
        softmax(y, y, n);
        break;
    case XR_FUNCTION_INVERSE:
        for (size_t i = 0; i < n; i++)
            y[i] = 1 / x[i];
        break;
    case XR_FUNCTION_SQUARE:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] * x[i];
        break;
    case XR_FUNCTION_COUNT:
        break;
    }
}

/* Logits are defined for probabilities only, logarithms for what is not negative, inverses for one sign. */
static bool is_in_domain(xr_output_function f, double min, double max)
{
    switch (f) {
    case XR_FUNCTION_LOG:
        return min >= 0;
    case XR_FUNCTION_SOFTMAX_OF_LOGIT:
        return min >= 0 && max <= 1 + 1e-6;
    case XR_FUNCTION_INVERSE:
        return min > 0 || max < 0;
    default:
        return true;
    }
}

/* A value with noise, still in the domain. */
static double disturbed(xr_output_function f, double value, double noise)
{
    switch (f) {
    case XR_FUNCTION_LOG:
        return fmax(value + noise, value / 2);
    case XR_FUNCTION_SOFTMAX_OF_LOGIT:
        return fmin(fmax(value + noise, value / 2), 1);
    case XR_FUNCTION_INVERSE:
        return fabs(noise) < fabs(value) / 2 ? value + noise : value * 1.5;
    default:
        return value + noise;
    }
}

/* ---- Sums --------------------------------------------------------------------------------- */

typedef struct fit_sums {
    double residual, noise, before; /* sums of squares, of one frame or of all */
} fit_sums;

typedef struct frame_moments {
    double n, x, y, xx, yy, xy; /* x the reference's, y the edge's */
} frame_moments;

typedef struct relation_work {
    const exray_comparison *comparison;
    xr_relation *r;
    exray_slot *slot[2];
    size_t row;                      /* length of the last dimension */
    double *value[2], *predicted[2]; /* [row] */
    double noise[2];                 /* absolute, by the side that is the function's input */
    xr_output_grid grid[2];          /* of each side */
    fit_sums total[2][XR_FUNCTION_COUNT];
    frame_moments *frame; /* [frames] */
    double target_sum[2], target_square[2], count;
    uint64_t random;
} relation_work;

/* A random number, uniform in +-sqrt(3): mean 0, variance 1. */
static double draw(relation_work *w)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return ((double)(w->random >> 11) / 4503599627370496.0 - 1) * 1.7320508;
}

/* The value once it is stored: an 8-bit softmax of a thousand classes is 0 in nearly all of them. */
static double stored(const xr_output_grid *grid, double value)
{
    return grid->scale > 0 ? fmin(fmax(grid->scale * rint(value / grid->scale), grid->low), grid->high)
                           : value;
}

static void try_row(relation_work *w, int inverse, xr_output_function f, fit_sums *s)
{
    const double *source = w->value[inverse ? 0 : 1], *target = w->value[inverse ? 1 : 0];
    const xr_output_grid *grid = &w->grid[inverse ? 1 : 0];
    double *noisy = w->predicted[1];
    apply(f, source, w->predicted[0], w->row);
    for (size_t i = 0; i < w->row; i++) {
        w->predicted[0][i] = stored(grid, w->predicted[0][i]);
        noisy[i] = disturbed(f, source[i], w->noise[inverse ? 0 : 1] * draw(w));
        s->residual += (target[i] - w->predicted[0][i]) * (target[i] - w->predicted[0][i]);
        s->before += (target[i] - source[i]) * (target[i] - source[i]);
    }
    apply(f, noisy, noisy, w->row);
    for (size_t i = 0; i < w->row; i++) {
        double d = stored(grid, noisy[i]) - w->predicted[0][i];
        s->noise += d * d;
    }
}

static void note_values(relation_work *w, int side, bool first)
{
    xr_relation *r = w->r;
    double sum = 0, least = INFINITY;
    for (size_t i = 0; i < w->row; i++) {
        double v = w->value[side][i];
        sum += v;
        least = fmin(least, v);
        r->min[side] = first && i == 0 ? v : fmin(r->min[side], v);
        r->max[side] = first && i == 0 ? v : fmax(r->max[side], v);
        r->integers[side] = r->integers[side] && v == rint(v);
        w->target_sum[side] += v;
        w->target_square[side] += v * v;
    }
    /* 8-bit probabilities sum to 1 within their rounding. */
    double slack = 1e-3 + w->grid[side].scale * sqrt((double)w->row);
    r->probabilities[side] = r->probabilities[side] && least >= 0 && fabs(sum - 1) <= slack;
}

static void add_moments(frame_moments *m, const relation_work *w)
{
    for (size_t i = 0; i < w->row; i++) {
        double x = w->value[1][i], y = w->value[0][i];
        m->n++;
        m->x += x;
        m->y += y;
        m->xx += x * x;
        m->yy += y * y;
        m->xy += x * y;
    }
}

static void judge_frame(const fit_sums *s, xr_candidate *c)
{
    if (s->residual < FAR_BELOW * FAR_BELOW * s->before)
        c->supporting++;
    else if (s->residual > s->before && s->residual > 4 * DRAW * DRAW * s->noise)
        c->opposing++;
}

static void add_frame(relation_work *w, const float *edge, const float *reference, uint64_t count)
{
    fit_sums now[2][XR_FUNCTION_COUNT] = {{{0}}};
    size_t rows = (size_t)(count / w->row), most = MOST_VALUES / w->row ? MOST_VALUES / w->row : 1;
    size_t stride = rows > most ? rows / most : 1;
    for (size_t row = 0; row < rows; row += stride) {
        bool finite = true;
        for (size_t i = 0; i < w->row; i++) {
            w->value[0][i] = edge[row * w->row + i];
            w->value[1][i] = reference[row * w->row + i];
            finite = finite && isfinite(w->value[0][i]) && isfinite(w->value[1][i]);
        }
        if (!finite)
            continue;
        bool first = w->count == 0;
        note_values(w, 0, first);
        note_values(w, 1, first);
        w->count += (double)w->row;
        add_moments(&w->frame[w->r->frames], w);
        for (int inverse = 0; inverse < 2; inverse++)
            for (int f = 0; f < XR_FUNCTION_COUNT; f++)
                try_row(w, inverse, (xr_output_function)f, &now[inverse][f]);
    }
    for (int inverse = 0; inverse < 2; inverse++)
        for (int f = 0; f < XR_FUNCTION_COUNT; f++) {
            fit_sums *s = &now[inverse][f], *t = &w->total[inverse][f];
            judge_frame(s, &w->r->function[inverse][f]);
            t->residual += s->residual;
            t->noise += s->noise;
            t->before += s->before;
        }
    w->r->frames++;
}

/* ---- Judging the candidates ------------------------------------------------------------------ */

static double deviation(const relation_work *w, int side)
{
    double mean = w->target_sum[side] / w->count;
    return sqrt(fmax(w->target_square[side] / w->count - mean * mean, 0));
}

/* A gain and an offset fit any two values; single ones of a few frames lie on a curve by chance, unless they
 * do to many digits. */
enum { FEWEST_OF_LINE = 3, FEWEST_SINGLE = 6 };
#define MANY_DIGITS 1e-4

static void settle(xr_candidate *c, double unit)
{
    c->explains = unit > 0 && c->residual <= fmin(c->allowed, UNEXPLAINED_MOST) &&
                  c->residual <= FAR_BELOW * c->before && c->opposing == 0 && c->supporting > 0;
}

static void settle_activations(relation_work *w)
{
    for (int inverse = 0; inverse < 2; inverse++)
        for (int f = 0; f < XR_FUNCTION_COUNT; f++) {
            xr_candidate *c = &w->r->function[inverse][f];
            const fit_sums *s = &w->total[inverse][f];
            int target = inverse ? 1 : 0;
            double unit = deviation(w, target), step = w->grid[target].scale;
            double float_noise = 1e-6 * sqrt(w->target_square[target] / w->count);
            c->residual = sqrt(s->residual / w->count) / unit;
            c->before = sqrt(s->before / w->count) / unit;
            c->allowed = (DRAW * sqrt(s->noise / w->count) + step / sqrt(3) + DRAW * float_noise) / unit;
            settle(c, unit);
            if (w->row == 1 && w->count < FEWEST_SINGLE && c->residual > MANY_DIGITS)
                c->explains = false;
            if (!is_in_domain((xr_output_function)f, w->r->min[!target], w->r->max[!target]))
                c->explains = false;
        }
}

static double residual_of(const frame_moments *m, double a, double b)
{
    double residual = m->yy + a * a * m->xx + m->n * b * b - 2 * a * m->xy - 2 * b * m->y + 2 * a * b * m->x;
    return fmax(residual, 0);
}

static void settle_affine(relation_work *w)
{
    frame_moments all = {0};
    xr_relation *r = w->r;
    for (size_t f = 0; f < r->frames; f++) {
        const frame_moments *m = &w->frame[f];
        all.n += m->n;
        all.x += m->x;
        all.y += m->y;
        all.xx += m->xx;
        all.yy += m->yy;
        all.xy += m->xy;
    }
    double vx = all.xx - all.x * all.x / all.n, unit = deviation(w, 0);
    if (!(vx > 0) || !(unit > 0) || all.n < (w->row == 1 ? FEWEST_SINGLE : FEWEST_OF_LINE))
        return;
    r->gain = (all.xy - all.x * all.y / all.n) / vx;
    r->offset = (all.y - r->gain * all.x) / all.n;
    double step =
        fmax(r->integers[0] ? 1 : w->grid[0].scale, fabs(r->gain) * fmax(w->grid[0].scale, w->grid[1].scale));
    double noise = fabs(r->gain) * w->noise[1] + step / sqrt(3) + 1e-6 * sqrt(all.yy / all.n);
    for (size_t f = 0; f < r->frames; f++) {
        const frame_moments *m = &w->frame[f];
        double residual = residual_of(m, r->gain, r->offset), before = residual_of(m, 1, 0);
        if (residual < FAR_BELOW * FAR_BELOW * before)
            r->affine.supporting++;
        else if (residual > before && residual > 16 * noise * noise * m->n)
            r->affine.opposing++;
    }
    r->affine.residual = sqrt(residual_of(&all, r->gain, r->offset) / all.n) / unit;
    r->affine.before = sqrt(residual_of(&all, 1, 0) / all.n) / unit;
    r->affine.allowed = noise / unit;
    settle(&r->affine, unit);
    if (r->gain <= 0)
        r->affine.explains = false;
}

/* ---- Reading ----------------------------------------------------------------------------------- */

/* The last dimension that is not 1. */
static size_t row_length(const exray_tensor_info *info)
{
    for (uint32_t i = info->rank; i-- > 0;)
        if (info->shape[i] > 1)
            return (size_t)info->shape[i];
    return 1;
}

static bool make_room(relation_work *w, const exray_tensor_view *view)
{
    if (w->row)
        return w->row == row_length(&view->info);
    w->row = row_length(&view->info);
    for (int i = 0; i < 2; i++) {
        w->value[i] = calloc(w->row, sizeof(double));
        w->predicted[i] = calloc(w->row, sizeof(double));
    }
    return w->value[0] && w->value[1] && w->predicted[0] && w->predicted[1];
}

static exray_status read_frames(relation_work *w, exray_error *error)
{
    for (size_t f = 0; f < exray_comparison_frame_count(w->comparison); f++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_status status = EXRAY_OK;
        for (int s = 0; s < 2 && status == EXRAY_OK; s++)
            status = exray_comparison_values(w->comparison, (exray_side)s, f, EXRAY_KIND_OUTPUT, w->r->pair,
                                             w->slot[s], &view[s], &values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            continue;
        if (status != EXRAY_OK)
            return status;
        if (view[0].count != view[1].count || view[0].count == 0 || view[0].count % row_length(&view[0].info))
            continue;
        w->r->on_lattice = view[0].info.dtype == EXRAY_DTYPE_FLOAT32 &&
                           view[0].info.quantization.count == 0 && w->r->io->step[EXRAY_SIDE_EDGE] > 0;
        if (!make_room(w, &view[1]))
            return w->row && w->predicted[1] ? EXRAY_OK : EXRAY_E_MEMORY;
        add_frame(w, values[0], values[1], view[0].count);
    }
    return EXRAY_OK;
}

exray_status xr_relation_make(const exray_comparison *comparison, size_t pair, xr_relation *out,
                              exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    *out = (xr_relation){.io = io, .pair = pair, .probabilities = {true, true}, .integers = {true, true}};
    out->differs = io->comparable && !(io->error <= io->noise) && io->metrics.count > 0;
    if (!out->differs)
        return EXRAY_OK;
    relation_work w = {
        .comparison = comparison, .r = out, .slot = {exray_slot_new(), exray_slot_new()}, .random = 1};
    w.frame = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *w.frame);
    exray_status status = EXRAY_E_MEMORY;
    if (w.frame && w.slot[0] && w.slot[1]) {
        /* rmse / error is the reference's deviation; the edge's is estimated from its range. */
        double relative = isfinite(io->noise) ? io->noise : 0, unit = io->metrics.rmse / io->error;
        double range = io->metrics.max[1] - io->metrics.min[1];
        double stretch = range > 0 ? (io->metrics.max[0] - io->metrics.min[0]) / range : 0;
        w.noise[1] = isfinite(unit) ? relative * unit : 0;
        w.noise[0] = w.noise[1] * stretch;
        for (int s = 0; s < 2; s++)
            w.grid[s] = xr_output_grid_of(comparison, (exray_side)s, pair);
        status = read_frames(&w, error);
    }
    if (status == EXRAY_OK && w.count > 0) {
        for (int s = 0; s < 2; s++)
            out->coarse = out->coarse || deviation(&w, s) < w.grid[s].scale;
        settle_activations(&w);
        settle_affine(&w);
    }
    for (int i = 0; i < 2; i++) {
        exray_slot_free(w.slot[i]);
        free(w.value[i]);
        free(w.predicted[i]);
        out->integers[i] = out->integers[i] && out->max[i] - out->min[i] > 2;
    }
    free(w.frame);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing outputs"};
    return status;
}

exray_status xr_each_relation(const exray_comparison *comparison, xr_relation_judge *judge,
                              exray_findings *findings, exray_error *error)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        xr_relation r;
        if (xr_is_reordered(findings, i))
            continue;
        exray_status status = xr_relation_make(comparison, i, &r, error);
        if (status == EXRAY_OK && (!r.differs || r.frames == 0))
            continue;
        if (status == EXRAY_OK && xr_inputs_differ_by_any(comparison, findings))
            return xr_abstain_for_inputs(error);
        if (status == EXRAY_OK)
            status = judge(comparison, &r, findings, error);
        if (status != EXRAY_OK)
            return status;
    }
    return EXRAY_OK;
}

bool xr_relation_function(const xr_relation *r, xr_output_function *which, bool *inverse,
                          const xr_candidate **other)
{
    const xr_candidate *best = NULL, *next = NULL;
    for (int d = 0; d < 2; d++)
        for (int f = 0; f < XR_FUNCTION_COUNT; f++) {
            const xr_candidate *c = &r->function[d][f];
            if (!c->explains || (best && best->residual <= c->residual && f != XR_FUNCTION_LOG))
                continue;
            if (best == &r->function[0][XR_FUNCTION_LOG] || best == &r->function[1][XR_FUNCTION_LOG])
                continue; /* softmax(log(p)) = p: LOG and SOFTMAX explain the same, and LOG is the simpler */
            best = c;
            *which = (xr_output_function)f;
            *inverse = d == 1;
        }
    for (int d = 0; d < 2; d++)
        for (int f = 0; f < XR_FUNCTION_COUNT; f++) {
            const xr_candidate *c = &r->function[d][f];
            if (c != best && isfinite(c->residual) && (!next || c->residual < next->residual))
                next = c;
        }
    if (other)
        *other = next;
    return best != NULL;
}

bool xr_relation_is_affine(const xr_relation *r, const xr_candidate *activation)
{
    double much_better = r->on_lattice ? 1 : 0.2;
    return r->affine.explains && r->affine.residual <= much_better * activation->residual;
}

/* ---- Inputs and layers of an output ------------------------------------------------------- */

exray_status xr_abstain_for_inputs(exray_error *error)
{
    error->status = EXRAY_E_STATE;
    snprintf(error->message, sizeof error->message,
             "the model's inputs differ, so its outputs must: judged once the inputs are equal");
    return EXRAY_E_STATE;
}

uint32_t xr_output_layer(const exray_comparison *comparison, const exray_io_pair *output)
{
    uint32_t from = EXRAY_NO_INDEX;
    uint64_t count = output->metrics.count;
    for (size_t i = exray_comparison_layer_count(comparison); i-- > 0;) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->role == EXRAY_LAYER_ROLE_CLEAN)
            break;
        if (layer->role != EXRAY_LAYER_ROLE_UNJUDGED && layer->metrics.count != count)
            break;
        from = (uint32_t)i;
    }
    return from;
}

static void set_range(const exray_tensor_info *info, xr_output_grid *grid)
{
    double levels = xr_is_byte(info->dtype)                                                 ? 256
                    : info->dtype == EXRAY_DTYPE_INT16 || info->dtype == EXRAY_DTYPE_UINT16 ? 65536
                                                                                            : INFINITY;
    bool is_signed = info->dtype != EXRAY_DTYPE_UINT8 && info->dtype != EXRAY_DTYPE_UINT16;
    double least = is_signed ? -levels / 2 : 0, most = is_signed ? levels / 2 - 1 : levels - 1;
    grid->low = grid->scale * (least - (double)grid->zero_point);
    grid->high = grid->scale * (most - (double)grid->zero_point);
}

xr_output_grid xr_output_grid_of(const exray_comparison *comparison, exray_side side, size_t pair)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    uint32_t tensor = xr_output_tensor(comparison, side, pair);
    xr_output_grid grid = {0};
    if (tensor == EXRAY_NO_INDEX || model->tensors[tensor].quantization.count == 0)
        return grid;
    const exray_tensor_info *info = &model->tensors[tensor];
    grid.scale = fabs((double)info->quantization.scale[0]);
    grid.zero_point = info->quantization.zero_point ? info->quantization.zero_point[0] : 0;
    set_range(info, &grid);
    return grid;
}

double xr_output_scale(const exray_comparison *comparison, exray_side side, size_t pair, int64_t *zero_point)
{
    xr_output_grid grid = xr_output_grid_of(comparison, side, pair);
    if (zero_point)
        *zero_point = grid.zero_point;
    return grid.scale;
}
