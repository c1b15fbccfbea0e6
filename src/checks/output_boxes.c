#include "output_boxes.h"

#include <math.h>

enum { CHANGES = 10, SIDES = 4 };

static const char *const names[CHANGES] = {
    "another unit",
    "x and y exchanged",
    "corners to centre and size",
    "corners to centre and size, x and y exchanged",
    "centre and size to corners",
    "centre and size to corners, x and y exchanged",
    "corners to corner and size",
    "corners to corner and size, x and y exchanged",
    "corner and size to corners",
    "corner and size to corners, x and y exchanged",
};

static void change(int which, const float *b, double *out)
{
    double x = b[0], y = b[1], u = b[2], v = b[3];
    double made[5][SIDES] = {{x, y, u, v},
                             {(x + u) / 2, (y + v) / 2, u - x, v - y},
                             {x - u / 2, y - v / 2, x + u / 2, y + v / 2},
                             {x, y, u - x, v - y},
                             {x, y, x + u, y + v}};
    for (int i = 0; i < SIDES; i++)
        out[i] = made[which / 2][which % 2 ? i ^ 1 : i];
}

/* Sums of a change: coordinates 0 and 2, and 1 and 3, have a gain of their own. */
typedef struct box_sums {
    double tt[2], ts[2], ss[2]; /* target, source */
} box_sums;

static void add(box_sums *s, int which, const float *edge, const float *reference)
{
    double made[SIDES];
    change(which, reference, made);
    for (int i = 0; i < SIDES; i++) {
        s->tt[i & 1] += (double)edge[i] * edge[i];
        s->ts[i & 1] += edge[i] * made[i];
        s->ss[i & 1] += made[i] * made[i];
    }
}

static double left_of(const box_sums *s, const double gain[2])
{
    double left = 0;
    for (int k = 0; k < 2; k++)
        left += fmax(s->tt[k] - 2 * gain[k] * s->ts[k] + gain[k] * gain[k] * s->ss[k], 0);
    return left;
}

/* A gain of nearly 1 is 1: what is left must not be flattered by it. */
static void fit_gain(const box_sums *s, double gain[2])
{
    for (int k = 0; k < 2; k++) {
        gain[k] = s->ss[k] > 0 ? s->ts[k] / s->ss[k] : 1;
        if (fabs(gain[k] - 1) < 0.02)
            gain[k] = 1;
    }
}

typedef struct box_work {
    box_sums all[CHANGES];
    double sum, square, count, difference;
} box_work;

static void add_boxes(box_work *w, const float *edge, const float *reference, uint64_t count)
{
    for (uint64_t i = 0; i + SIDES <= count; i += SIDES) {
        bool finite = true;
        for (int k = 0; k < SIDES; k++)
            finite = finite && isfinite(edge[i + (uint64_t)k]) && isfinite(reference[i + (uint64_t)k]);
        if (!finite)
            continue;
        for (int c = 0; c < CHANGES; c++)
            add(&w->all[c], c, edge + i, reference + i);
        for (int k = 0; k < SIDES; k++) {
            double d = (double)edge[i + (uint64_t)k] - reference[i + (uint64_t)k];
            w->difference += d * d;
            w->sum += edge[i + (uint64_t)k];
            w->square += (double)edge[i + (uint64_t)k] * edge[i + (uint64_t)k];
            w->count++;
        }
    }
}

/* Calls add_boxes for every frame; or, where `fit` is known, counts the frames that say so. */
static exray_status read_frames(const exray_comparison *comparison, size_t pair, exray_slot *slot[2],
                                int best, box_work *w, xr_box_fit *fit, exray_error *error)
{
    for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_status status = EXRAY_OK;
        for (int s = 0; s < 2 && status == EXRAY_OK; s++)
            status = exray_comparison_values(comparison, (exray_side)s, f, EXRAY_OUTPUT, pair, slot[s],
                                             &view[s], &values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            continue;
        if (status != EXRAY_OK)
            return status;
        const exray_tensor_info *info = &view[0].info;
        if (view[0].count != view[1].count || info->rank < 2 || info->shape[info->rank - 1] != SIDES)
            continue;
        if (best < 0) {
            add_boxes(w, values[0], values[1], view[0].count);
            fit->frames++;
            continue;
        }
        box_work one = {0};
        add_boxes(&one, values[0], values[1], view[0].count);
        double left = left_of(&one.all[best], fit->gain);
        fit->supporting += left < 0.25 * one.difference;
        fit->opposing += left > one.difference && left > 0.01 * one.square;
    }
    return EXRAY_OK;
}

static int judge(const box_work *w, xr_box_fit *fit)
{
    double mean = w->sum / w->count, unit = sqrt(fmax(w->square / w->count - mean * mean, 0));
    int best = -1;
    fit->runner_up = INFINITY;
    for (int c = 0; c < CHANGES && unit > 0; c++) {
        double gain[2];
        fit_gain(&w->all[c], gain);
        double after = sqrt(left_of(&w->all[c], gain) / w->count) / unit;
        if (best >= 0 && after >= fit->after) {
            fit->runner_up = fmin(fit->runner_up, after);
            continue;
        }
        if (best >= 0)
            fit->runner_up = fit->after;
        best = c;
        fit->after = after;
        fit->gain[0] = gain[0];
        fit->gain[1] = gain[1];
    }
    fit->before = unit > 0 ? sqrt(w->difference / w->count) / unit : 0;
    return best;
}

exray_status xr_box_fit_make(const exray_comparison *comparison, size_t pair, xr_box_fit *out,
                             exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    *out = (xr_box_fit){.gain = {1, 1}};
    if (!io->comparable || io->error <= io->noise)
        return EXRAY_OK;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    box_work w = {0};
    exray_status status = EXRAY_E_MEMORY;
    if (slot[0] && slot[1])
        status = read_frames(comparison, pair, slot, -1, &w, out, error);
    else
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing boxes"};
    int best = status == EXRAY_OK && w.count > 0 ? judge(&w, out) : -1;
    if (best >= 0)
        status = read_frames(comparison, pair, slot, best, &w, out, error);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    out->boxes = (size_t)w.count / SIDES;
    out->noise = fmax(isfinite(io->noise) ? io->noise : 0, 1e-4);
    /* One box, or a gain for a few, is explained by chance. */
    out->explains = best >= 0 && out->boxes >= 4 && out->after <= fmin(out->noise, 0.3) &&
                    out->after < 0.5 * out->before && out->opposing == 0 && out->supporting > 0 &&
                    out->gain[0] > 0 && out->gain[1] > 0;
    if (best >= 0)
        out->change = names[best];
    return status;
}
