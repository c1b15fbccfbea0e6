#include "checks/output/interpretation.h"

#include "checks/output/graph_tail.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANKS = 5,             /* classes of a result that are used */
    VALUE_LIMIT = 1 << 16, /* of a vector */
    OFFSETS = 5,
    LEAST = -2, /* of classes: index - class */
    TRIALS = 2 * XR_INTERPRETATION_MAP_COUNT,
};

/* ---- Records ------------------------------------------------------------------------------ */

bool xr_frame_result(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                     exray_result *out)
{
    const exray_log *log = exray_comparison_log(comparison, side);
    size_t position = exray_comparison_frame(comparison, frame).frame[side];
    exray_error error;
    return exray_log_read_told(log, position, EXRAY_MESSAGE_RESULT, slot, out, &error) == EXRAY_OK;
}

const exray_result *xr_result_read(const exray_comparison *comparison, exray_side side, size_t frame,
                                   exray_slot *slot, exray_result *out)
{
    return xr_frame_result(comparison, side, frame, slot, out) && out->class_count > 0 ? out : NULL;
}

bool xr_vector_read(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                    exray_tensor_view *view, const float **values)
{
    exray_error error;
    if (exray_comparison_output_count(comparison) != 1 ||
        exray_comparison_values(comparison, side, frame, EXRAY_KIND_OUTPUT, 0, slot, view, values, &error))
        return false;
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < view->info.rank; i++)
        dimensions += view->info.shape[i] != 1;
    return dimensions <= 1 && view->count > 1;
}

/* ---- Predictions ------------------------------------------------------------------------------ */

/* One interpretation, over all frames. */
typedef struct interpretation_trial {
    xr_interpretation_map map;
    bool softmax;
    bool by_rank;           /* the k-th score is the k-th best value */
    bool score_of[OFFSETS]; /* each score is the value of its own class */
    bool best_of[OFFSETS];  /* the classes of the result have the best values */
} interpretation_trial;

typedef struct interpretation_work {
    const exray_comparison *comparison;
    exray_side side;
    exray_slot *slot[2];
    double *value; /* by the interpretation that is tried */
    size_t room;   /* of `value` */
    bool out_of_memory;
    interpretation_trial trial[TRIALS];
    size_t trials;
    double n, x, y, xx, yy, xy; /* of scores (y) and the values of their rank (x) */
    double sum_least, sum_most; /* of a frame's values */
    double min, max;
    size_t elements;
    xr_interpretation *out;
} interpretation_work;

static bool is_byte(const exray_tensor_view *view)
{
    bool byte = xr_is_byte(view->info.dtype);
    return byte && view->data && view->size >= view->count && view->info.quantization.count == 1;
}

static double stored_at(const exray_tensor_view *view, size_t i, bool other_sign)
{
    uint8_t bits = ((const uint8_t *)view->data)[i];
    bool is_signed = (view->info.dtype == EXRAY_DTYPE_INT8) != other_sign;
    return is_signed && bits > 127 ? (double)bits - 256 : (double)bits;
}

static double value_as(const xr_interpretation *r, xr_interpretation_map map, const exray_tensor_view *view,
                       const float *values, size_t i)
{
    double zero = (double)r->zero_point;
    switch (map) {
    case XR_INTERPRET_RAW:
        return stored_at(view, i, false);
    case XR_INTERPRET_NO_ZERO_POINT:
        return r->scale * stored_at(view, i, false);
    case XR_INTERPRET_OTHER_SIGN:
        return r->scale * (stored_at(view, i, true) - zero);
    case XR_INTERPRET_OTHER_SIGN_RAW:
        return stored_at(view, i, true);
    case XR_INTERPRET_OTHER_SIGN_NO_ZERO_POINT:
        return r->scale * stored_at(view, i, true);
    case XR_INTERPRET_VALUE:
    case XR_INTERPRETATION_MAP_COUNT:
        break;
    }
    float value;
    memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
    return value;
}

static void softmax(double *x, size_t n)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (size_t i = 0; i < n; i++)
        sum += x[i] = exp(x[i] - top);
    for (size_t i = 0; i < n; i++)
        x[i] /= sum;
}

/* The largest values, equal ones each by itself. */
static size_t best_values(const double *value, size_t n, double best[RANKS])
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(value[i]) || (found == RANKS && value[i] <= best[RANKS - 1]))
            continue;
        size_t at = found < RANKS ? found++ : RANKS - 1;
        for (; at > 0 && value[i] > best[at - 1]; at--)
            best[at] = best[at - 1];
        best[at] = value[i];
    }
    return found;
}

/* Scores are stored in float32, and their computation may round otherwise. */
static bool is_score(double score, double value)
{
    return fabs(score - value) <= 1e-3 * fabs(value) + 1e-6;
}

static bool has_scores(const exray_result *result)
{
    for (uint32_t k = 0; k < result->class_count && k < RANKS; k++)
        if (isfinite(result->classes[k].score) && result->classes[k].score != 0)
            return true;
    return false;
}

static void compare_with_result(interpretation_trial *t, const exray_result *result, bool scored,
                                const double *value, size_t n)
{
    double best[RANKS];
    size_t found = best_values(value, n, best);
    for (uint32_t k = 0; k < result->class_count && k < found; k++) {
        double score = result->classes[k].score;
        if (scored)
            t->by_rank = t->by_rank && is_score(score, best[k]);
        for (int o = 0; o < OFFSETS; o++) {
            int64_t at = result->classes[k].id < INT32_MAX && result->classes[k].id > INT32_MIN
                             ? result->classes[k].id + LEAST + o
                             : -1;
            bool inside = at >= 0 && at < (int64_t)n;
            t->best_of[o] = t->best_of[o] && inside && value[at] == best[k];
            t->score_of[o] = t->score_of[o] && inside && (!scored || is_score(score, value[at]));
        }
    }
}

static void note_scores(interpretation_work *w, const exray_result *result)
{
    double best[RANKS];
    size_t found = best_values(w->value, w->elements, best);
    for (uint32_t k = 0; k < result->class_count && k < found; k++) {
        double x = best[k], y = result->classes[k].score;
        if (!isfinite(x) || !isfinite(y))
            continue;
        w->n++;
        w->x += x;
        w->y += y;
        w->xx += x * x;
        w->yy += y * y;
        w->xy += x * y;
    }
}

/* Sums and range of the values as they are, to tell whether they are probabilities. */
static void note_values(interpretation_work *w)
{
    double sum = 0;
    for (size_t i = 0; i < w->elements; i++) {
        sum += w->value[i];
        w->min = fmin(w->min, w->value[i]);
        w->max = fmax(w->max, w->value[i]);
    }
    w->sum_least = fmin(w->sum_least, sum);
    w->sum_most = fmax(w->sum_most, sum);
}

/* The interpretations that are possible for this output, the right one first. */
static void begin_trials(interpretation_work *w, const exray_tensor_view *view)
{
    xr_interpretation *r = w->out;
    int maps = 1;
    if (is_byte(view)) {
        r->scale = fabs((double)view->info.quantization.scale[0]);
        r->zero_point = view->info.quantization.zero_point ? view->info.quantization.zero_point[0] : 0;
        maps = r->scale > 0 ? XR_INTERPRETATION_MAP_COUNT : 1;
    }
    for (int map = 0; map < maps; map++)
        for (int on_top = 0; on_top < 2; on_top++) {
            interpretation_trial *t = &w->trial[w->trials++];
            *t =
                (interpretation_trial){.map = (xr_interpretation_map)map, .softmax = on_top, .by_rank = true};
            for (int o = 0; o < OFFSETS; o++)
                t->score_of[o] = t->best_of[o] = true;
        }
}

static bool make_room(interpretation_work *w, size_t count)
{
    if (count <= w->room)
        return true;
    double *grown = realloc(w->value, count * sizeof *grown);
    w->out_of_memory = !grown;
    if (grown) {
        w->value = grown;
        w->room = count;
    }
    return grown != NULL;
}

static void add_frame(interpretation_work *w, size_t frame)
{
    exray_result result;
    exray_tensor_view view;
    const float *values;
    if (!xr_result_read(w->comparison, w->side, frame, w->slot[0], &result) ||
        !xr_vector_read(w->comparison, w->side, frame, w->slot[1], &view, &values) ||
        view.count > VALUE_LIMIT || !make_room(w, (size_t)view.count))
        return;
    if (w->trials == 0)
        begin_trials(w, &view);
    if (w->trials > 2 && !is_byte(&view))
        return;
    w->elements = (size_t)view.count;
    bool scored = has_scores(&result);
    for (size_t t = 0; t < w->trials; t++) {
        for (size_t i = 0; i < w->elements; i++)
            w->value[i] = value_as(w->out, w->trial[t].map, &view, values, i);
        if (t == 0) {
            note_values(w);
            if (scored)
                note_scores(w, &result);
        }
        if (w->trial[t].softmax)
            softmax(w->value, w->elements);
        compare_with_result(&w->trial[t], &result, scored, w->value, w->elements);
    }
    w->out->frames++;
    w->out->scored += scored;
}

/* ---- Judging ------------------------------------------------------------------------------------- */

/* 8-bit probabilities sum to 1 up to their rounding; small ones all round to 0. */
static bool are_probabilities(const interpretation_work *w)
{
    xr_tail tail = xr_output_tail(w->comparison, w->side, 0);
    if (tail.count)
        return tail.activation[tail.count - 1] != XR_TAIL_LOG_SOFTMAX;
    double step = w->out->scale, slack = 0.02 + fmin(step * (double)w->elements / 2, 0.5);
    bool sums = w->min >= 0 && w->max <= 1 + step && w->sum_least >= 1 - slack && w->sum_most <= 1 + 0.1;
    return sums && (!tail.known || step == 0 || slack < 0.1);
}

static int offset_of(const bool holds[OFFSETS])
{
    for (int near = 0; near < OFFSETS; near++) { /* 0, 1, -1, 2, -2 */
        int o = (near % 2 ? near / 2 + 1 : -near / 2) - LEAST;
        if (holds[o])
            return o;
    }
    return -1;
}

/* In order of strength: scores and classes agree; scores agree rank by rank (a label map may have
 * another order); scores are the values of their classes (which need not be the best). */
static bool explains(const interpretation_trial *t, int grade)
{
    bool best = offset_of(t->best_of) >= 0;
    return grade == 0 ? t->by_rank && best : grade == 1 ? t->by_rank : offset_of(t->score_of) >= 0;
}

static void adopt(const interpretation_trial *t, xr_interpretation *r)
{
    r->state = XR_INTERPRETATION_EXPLAINED;
    r->map = t->map;
    r->softmax = t->softmax;
    int best = offset_of(t->best_of);
    r->counts_classes = best >= 0;
    r->class_offset = best + LEAST;
}

/* Results without scores: only what changes the order of the classes can be seen. */
static void judge_classes(const interpretation_work *w, xr_interpretation *r)
{
    for (size_t t = 0; t < w->trials && r->frames >= 2; t++)
        if (!w->trial[t].softmax && offset_of(w->trial[t].best_of) >= 0) {
            adopt(&w->trial[t], r);
            return;
        }
}

/* Percentages, and other powers of ten, are a unit and no fault. */
static bool is_unit(double gain, double offset, double spread)
{
    double digits = log10(gain);
    return fabs(digits - rint(digits)) < 5e-3 && fabs(digits) < 3.5 && fabs(offset) < 0.01 * spread;
}

static void judge_scale(const interpretation_work *w, xr_interpretation *r)
{
    double vx = w->n > 0 ? w->xx - w->x * w->x / w->n : 0, vy = w->n > 0 ? w->yy - w->y * w->y / w->n : 0;
    if (w->n < 4 || r->scale == 0 || !(vx > 1e-9 * w->xx) || !(vy > 0))
        return;
    double cross = w->xy - w->x * w->y / w->n;
    r->gain = cross / vx;
    r->offset = (w->y - r->gain * w->x) / w->n;
    double residual = fmax(vy - cross * cross / vx, 0);
    if (residual <= 1e-6 * vy && r->gain > 0 && !is_unit(r->gain, r->offset, sqrt(vy / w->n)))
        r->state = XR_INTERPRETATION_SCALED;
}

static void judge(interpretation_work *w)
{
    xr_interpretation *r = w->out;
    if (r->frames == 0)
        return;
    r->probabilities = are_probabilities(w);
    if (r->scored == 0) {
        judge_classes(w, r);
        return;
    }
    enum { GRADES = 3 };
    for (int grade = 0; grade < GRADES; grade++)
        for (size_t t = 0; t < w->trials; t++)
            if (explains(&w->trial[t], grade)) {
                adopt(&w->trial[t], r);
                return;
            }
    judge_scale(w, r);
}

exray_status xr_interpretation_make(const exray_comparison *comparison, exray_side side,
                                    xr_interpretation *out, exray_error *error)
{
    *out = (xr_interpretation){0};
    interpretation_work w = {.comparison = comparison,
                             .side = side,
                             .slot = {exray_slot_new(), exray_slot_new()},
                             .min = INFINITY,
                             .max = -INFINITY,
                             .sum_least = INFINITY,
                             .sum_most = -INFINITY,
                             .out = out};
    bool ok = w.slot[0] && w.slot[1];
    for (size_t f = 0; ok && f < exray_comparison_frame_count(comparison); f++) {
        add_frame(&w, f);
        ok = !w.out_of_memory;
    }
    if (ok)
        judge(&w);
    exray_slot_free(w.slot[0]);
    exray_slot_free(w.slot[1]);
    free(w.value);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

bool xr_interpretation_same(const xr_interpretation *a, const xr_interpretation *b)
{
    if (a->state != b->state || a->state == XR_INTERPRETATION_UNKNOWN)
        return false;
    if (a->state == XR_INTERPRETATION_SCALED)
        return fabs(a->gain - b->gain) < 0.01 * b->gain && fabs(a->offset - b->offset) < 0.01 * b->gain;
    return a->map == b->map && a->softmax == b->softmax;
}

bool xr_interpretation_reorders(const xr_interpretation *r)
{
    return r->state == XR_INTERPRETATION_EXPLAINED &&
           (r->map == XR_INTERPRET_OTHER_SIGN || r->map == XR_INTERPRET_OTHER_SIGN_RAW ||
            r->map == XR_INTERPRET_OTHER_SIGN_NO_ZERO_POINT);
}
