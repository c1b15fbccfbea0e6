#include "checks/input/memory/find_values.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>

enum { FRAMES = 8 };

/* Levels that rounding moves a value by; of a byte's half range, what levels of channels may be off by. */
#define ROUNDING 0.75
#define HALF     128.0
#define HALF_OFF 4.0
/* Values that may be otherwise: those that an engine or a decoder rounded to the next level. */
#define ODD 0.001
/* A mistake that changes fewer values is none; limits that leave hardly any are those of a constant. */
#define LEAST_CHANGED 0.005
#define MOST_CLIPPED  0.95

/* Both sides' values of a frame, pixel by pixel. */
typedef struct both_values {
    const float *value[2];
    xr_pixel_view view[2];
    size_t pixels, channels;
    double level;
    bool quantized; /* the edge's: of limits and pixels, other findings tell */
} both_values;

static double value_of(const both_values *b, int side, size_t pixel, size_t channel)
{
    const xr_pixel_view *v = &b->view[side];
    return xr_value_at(b->value[side], xr_pixel_place(v, pixel, channel));
}

/* The reference's value that lies at a place among its pixels' values; NAN: there is none. */
static double flat_value(const both_values *b, size_t at)
{
    return at / b->channels < b->pixels ? value_of(b, 1, at / b->channels, at % b->channels) : NAN;
}

/* The reference's value in the memory of the other layout: of planes that are read as pixels, or the reverse.
 */
static double relaid_value(const both_values *b, size_t pixel, size_t channel)
{
    const bool planar = b->view[1].column_stride == 1;
    const size_t at = planar ? pixel * b->channels + channel : channel * b->pixels + pixel;
    return planar ? value_of(b, 1, at % b->pixels, at / b->pixels) : flat_value(b, at);
}

/* What a mistake says of one frame. */
typedef struct frame_tally {
    size_t known, changed, odd;
    double low, high; /* SIGN_BIT: the largest value that is raised, the least that is lowered */
    size_t raised;
} frame_tally;

static void add(frame_tally *t, const both_values *b, double edge, double expected, double unchanged)
{
    if (isnan(expected))
        return;
    t->known++;
    t->changed += fabs(expected - unchanged) > 1.5 * b->level;
    t->odd += !(fabs(edge - expected) <= ROUNDING * b->level);
}

static void add_sign(frame_tally *t, const both_values *b, double edge, double reference)
{
    double moved = (edge - reference) / b->level;
    bool up = moved > 0;
    t->known++;
    t->changed++;
    t->odd += !(fabs(fabs(moved) - HALF) <= HALF_OFF);
    t->raised += up;
    t->low = up ? fmax(t->low, reference) : t->low;
    t->high = up ? t->high : fmin(t->high, reference);
}

static void add_value(frame_tally *t, const both_values *b, const xr_found_values *f, size_t pixel,
                      size_t channel)
{
    double edge = value_of(b, 0, pixel, channel), reference = value_of(b, 1, pixel, channel);
    size_t at = pixel * b->channels + channel, four = 4 * pixel + channel;
    if (!isfinite(edge) || !isfinite(reference))
        return;
    switch (f->mistake) {
    case XR_MISTAKE_LIMITS:
        add(t, b, edge, fmin(fmax(reference, f->low), f->high), reference);
        break;
    case XR_MISTAKE_SIGN_BIT:
        add_sign(t, b, edge, reference);
        break;
    case XR_MISTAKE_FOUR_FOR_THREE: /* the fourth is alpha, or nothing */
        add(t, b, edge, at % 4 < 3 ? flat_value(b, at / 4 * 3 + at % 4) : NAN, reference);
        break;
    case XR_MISTAKE_FOUR_AS_PLANES:
        at = channel * b->pixels + pixel;
        add(t, b, edge, at % 4 < 3 ? flat_value(b, at / 4 * 3 + at % 4) : NAN, reference);
        break;
    case XR_MISTAKE_OTHER_LAYOUT:
        add(t, b, edge, relaid_value(b, pixel, channel), reference);
        break;
    default:
        add(t, b, edge, flat_value(b, four), reference);
    }
}

/* Whether a few of the frame's values are so: of what moves values, each shows that it is not. */
static bool may_be(const both_values *b, const xr_found_values *f)
{
    enum { PROBES = 64, MOST_ODD = 8 };
    frame_tally t = {.low = -INFINITY, .high = INFINITY};
    if (f->mistake < XR_MISTAKE_FOUR_AS_PLANES)
        return true;
    for (size_t k = 0; k < PROBES; k++)
        add_value(&t, b, f, (2 * k + 1) * b->pixels / (2 * (size_t)PROBES), k % b->channels);
    return t.odd <= MOST_ODD;
}

/* 1: the frame has the mistake; 0: it says nothing; -1: it contradicts. */
static int judge_frame(const both_values *b, const xr_found_values *f, frame_tally *t)
{
    *t = (frame_tally){.low = -INFINITY, .high = INFINITY};
    for (size_t i = 0; i < b->pixels; i++)
        for (size_t c = 0; c < b->channels; c++)
            add_value(t, b, f, i, c);
    if (t->known == 0)
        return 0;
    if ((double)t->odd > ODD * (double)t->known)
        return -1;
    if (f->mistake == XR_MISTAKE_SIGN_BIT) /* the lower half is raised, and no other value */
        return t->low <= t->high + 2 * b->level ? 1 : -1;
    return (double)t->changed >= LEAST_CHANGED * (double)t->known;
}

static bool read_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame, exray_slot *slot[2],
                       both_values *out)
{
    exray_tensor_view view[2];
    *out = (both_values){.level = fit->level[EXRAY_SIDE_EDGE]};
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, view, out->view, out->value))
        return false;
    const xr_pixel_view *b = &out->view[EXRAY_SIDE_REFERENCE];
    out->pixels = b->rows * b->columns;
    out->channels = b->channels;
    out->quantized = view[0].info.quantization.count > 0;
    return view[0].count == view[1].count && xr_is_same_size(&out->view[0], b) && out->level > 0;
}

static void note_limits(const both_values *b, xr_found_values *f)
{
    for (size_t i = 0; i < b->pixels; i++)
        for (size_t c = 0; c < b->channels; c++) {
            double edge = value_of(b, 0, i, c), reference = value_of(b, 1, i, c);
            f->low = fmin(f->low, edge);
            f->high = fmax(f->high, edge);
            f->reference[0] = fmin(f->reference[0], reference);
            f->reference[1] = fmax(f->reference[1], reference);
        }
}

/* Adds a frame's say; false: the mistake is none. */
static bool add_frame(const both_values *b, xr_found_values *f)
{
    frame_tally t;
    int says = judge_frame(b, f, &t);
    f->frames++;
    f->stored = b->quantized;
    f->supporting += says > 0;
    f->changed += says > 0 ? (double)t.changed / (double)t.known : 0;
    return says >= 0;
}

typedef struct values_search {
    const exray_comparison *comparison;
    const xr_input_fit *fit;
    exray_slot *slot[2];
    size_t frames, step;
} values_search;

/* Whether a frame can have it: of limits and pixels of a quantized input, other findings tell. */
static bool applies(xr_value_mistake m, const both_values *b)
{
    const bool moves = m >= XR_MISTAKE_FOUR_AS_PLANES;
    if (b->quantized && m != XR_MISTAKE_SIGN_BIT && !moves)
        return false;
    if (moves && b->view[1].pictures != 1)
        return false;
    if (m == XR_MISTAKE_OTHER_LAYOUT)
        return b->channels > 1 && b->view[0].column_stride == b->view[1].column_stride;
    return m < XR_MISTAKE_FOUR_FOR_THREE || b->channels == 3;
}

static bool try_mistake(const values_search *w, xr_found_values *f)
{
    both_values b;
    for (size_t i = 0; i < w->frames; i += w->step)
        if (read_frame(w->comparison, w->fit, i, (exray_slot **)w->slot, &b) &&
            (!applies(f->mistake, &b) || !may_be(&b, f) || !add_frame(&b, f)))
            return false;
    if (f->supporting == 0)
        return false;
    f->changed /= (double)f->supporting;
    return f->mistake != XR_MISTAKE_LIMITS || f->changed < MOST_CLIPPED;
}

static void find_limits(const values_search *w, xr_found_values *f)
{
    both_values b;
    f->low = f->reference[0] = INFINITY;
    f->high = f->reference[1] = -INFINITY;
    for (size_t i = 0; i < w->frames; i += w->step)
        if (read_frame(w->comparison, w->fit, i, (exray_slot **)w->slot, &b))
            note_limits(&b, f);
    f->at_low = f->reference[0] < f->low - 1.5 * w->fit->level[EXRAY_SIDE_EDGE];
    f->at_high = f->reference[1] > f->high + 1.5 * w->fit->level[EXRAY_SIDE_EDGE];
}

bool xr_find_values(const exray_comparison *comparison, const xr_input_fit *fit, xr_found_values *found)
{
    values_search w = {.comparison = comparison,
                       .fit = fit,
                       .slot = {exray_slot_new(), exray_slot_new()},
                       .frames = exray_comparison_frame_count(comparison)};
    xr_found_values limits = {0};
    w.step = w.frames / FRAMES + 1;
    *found = (xr_found_values){0};
    if (w.slot[0] && w.slot[1] && fit->values.picture)
        find_limits(&w, &limits);
    for (int m = XR_MISTAKE_LIMITS; w.slot[0] && w.slot[1] && fit->values.picture && m < XR_VALUE_MISTAKES;
         m++) {
        *found = limits;
        found->mistake = (xr_value_mistake)m;
        bool none = m == XR_MISTAKE_LIMITS && !limits.at_low && !limits.at_high;
        if (!none && try_mistake(&w, found))
            break;
        *found = (xr_found_values){0};
    }
    exray_slot_free(w.slot[0]);
    exray_slot_free(w.slot[1]);
    return found->mistake != XR_MISTAKE_NONE;
}
