#include "checks/output/sign_fit.h"

#include "checks/output/relation.h"

#include <math.h>

/* Signed read as unsigned or the reverse, each with its zero point subtracted or not. */
enum { MISREADINGS = 4 };

/* A value this near to the boundary (in 256 steps) may have been on its other side. */
#define NEAR 0.25

typedef struct misreading {
    double boundary, offset, moved; /* moved < 0: the values above the boundary */
    double residual;                /* squares */
    double below, above; /* the greatest of the values that belong below the boundary, the least above */
    size_t values_moved, contradicting;
} misreading;

typedef struct sign_sums {
    misreading misreading[MISREADINGS];
    bool known; /* where the boundary is; else it lies between the values that are off and the others */
    double n, before;
    size_t frames;
} sign_sums;

static void add_value(misreading *w, double edge, double reference, bool known)
{
    bool expected = w->moved < 0 ? reference >= w->boundary : reference < w->boundary;
    double stays = edge - reference - w->offset, moves = stays - w->moved;
    bool moved = fabs(moves) < fabs(stays);
    double residual = moved ? moves : stays;
    w->residual += residual * residual;
    w->values_moved += moved;
    double *end = moved == (w->moved < 0) ? &w->above : &w->below;
    *end = end == &w->above ? fmin(*end, reference) : fmax(*end, reference);
    w->contradicting += known && moved != expected && fabs(reference - w->boundary) > NEAR * fabs(w->moved);
}

static void add_frame(sign_sums *s, const float *edge, const float *reference, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        double a = edge[i], b = reference[i];
        if (!isfinite(a) || !isfinite(b))
            continue;
        for (int k = 0; k < MISREADINGS; k++)
            add_value(&s->misreading[k], a, b, s->known);
        s->n++;
        s->before += (a - b) * (a - b);
    }
    s->frames++;
}

static void make(sign_sums *s, double whole, double boundary, double zero)
{
    for (int k = 0; k < MISREADINGS; k++)
        s->misreading[k] = (misreading){.boundary = boundary,
                                        .moved = k % 2 ? whole : -whole,
                                        .offset = k < 2 ? 0 : zero,
                                        .below = -INFINITY,
                                        .above = INFINITY};
}

/* From the reference's quantization; else from that of every 8-bit softmax, 256 steps from 0 to 1; else from
 * the steps that the values are in. */
static bool make_misreadings(const exray_comparison *comparison, size_t pair, sign_sums *s)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    xr_output_grid grid = xr_output_grid_of(comparison, EXRAY_SIDE_REFERENCE, pair);
    s->known = grid.scale > 0;
    if (!s->known) {
        double step = fmin(io->step[0], io->step[1]); /* of the one that is known, where one is */
        bool softmax = fabs(io->step[EXRAY_SIDE_EDGE] - 1.0 / 256) < 1e-6 &&
                       io->metrics.min[EXRAY_SIDE_REFERENCE] >= 0 &&
                       io->metrics.max[EXRAY_SIDE_REFERENCE] <= 1;
        if (!softmax && !(step > 0 && isfinite(step)))
            return false;
        if (!softmax) {
            make(s, 256 * step, 0, 0);
            return true;
        }
        s->known = true;
        grid = (xr_output_grid){.scale = 1.0 / 256, .low = 0, .high = 255.0 / 256};
    }
    double whole = 256 * grid.scale, zero = grid.scale * (double)grid.zero_point;
    if (!(fabs(grid.high - grid.low + grid.scale - whole) <= 1e-6 * whole))
        return false; /* not of 8 bits */
    /* Without one it may be assumed to be int8 with the lowest value as its zero point. */
    make(s, whole, grid.low + whole / 2, zero == 0 ? -whole / 2 : zero);
    return true;
}

static exray_status read_frames(const exray_comparison *comparison, size_t pair, exray_slot *slot[2],
                                sign_sums *s, exray_error *error)
{
    for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_status status = EXRAY_OK;
        for (int side = 0; side < 2 && status == EXRAY_OK; side++)
            status = exray_comparison_values(comparison, (exray_side)side, f, EXRAY_KIND_OUTPUT, pair,
                                             slot[side], &view[side], &values[side], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            continue;
        if (status != EXRAY_OK)
            return status;
        /* Integers that exray dequantizes itself have the right sign. */
        if (view[0].info.dtype == EXRAY_DTYPE_FLOAT32 && view[0].info.quantization.count == 0 &&
            view[0].count == view[1].count)
            add_frame(s, values[0], values[1], view[0].count);
    }
    return EXRAY_OK;
}

/* Where the boundary is not known, every value has to be as exact as its step allows, and those that are off
 * have to lie beyond the others. */
static bool is_split(const sign_sums *s, const misreading *w)
{
    enum { FEWEST = 3 };
    double step = fabs(w->moved) / 256;
    return w->values_moved >= FEWEST && s->n - (double)w->values_moved >= FEWEST && w->below < w->above &&
           sqrt(w->residual / s->n) < 0.1 * step;
}

static void judge(const sign_sums *s, const exray_io_pair *io, xr_sign_fit *out)
{
    double unit = io->error > 0 ? io->metrics.rmse / io->error : 0; /* the reference's deviation */
    const misreading *best = &s->misreading[0];
    for (int k = 1; k < MISREADINGS; k++)
        if (s->misreading[k].contradicting < best->contradicting ||
            (s->misreading[k].contradicting == best->contradicting &&
             s->misreading[k].residual < best->residual))
            best = &s->misreading[k];
    if (!(unit > 0) || !isfinite(unit))
        return;
    out->residual = sqrt(best->residual / s->n) / unit;
    out->before = sqrt(s->before / s->n) / unit;
    out->allowed = io->noise + fabs(best->moved) / 256 / sqrt(3) / unit;
    out->known = s->known;
    out->offset = best->offset;
    out->moved = best->moved;
    out->boundary = s->known ? best->boundary : (best->below + best->above) / 2;
    out->values_moved = best->values_moved;
    out->contradicting = best->contradicting;
    out->frames = s->frames;
    out->explains = (s->known || is_split(s, best)) && best->values_moved > 0 && best->contradicting == 0 &&
                    out->residual <= fmin(out->allowed, 0.316) && out->residual <= 0.5 * out->before;
}

exray_status xr_sign_fit_make(const exray_comparison *comparison, size_t pair, xr_sign_fit *out,
                              exray_error *error)
{
    sign_sums s = {0};
    *out = (xr_sign_fit){0};
    if (!make_misreadings(comparison, pair, &s))
        return EXRAY_OK;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = EXRAY_E_MEMORY;
    if (slot[0] && slot[1])
        status = read_frames(comparison, pair, slot, &s, error);
    else
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing outputs"};
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (status == EXRAY_OK && s.n > 0)
        judge(&s, exray_comparison_output(comparison, pair), out);
    return status;
}
