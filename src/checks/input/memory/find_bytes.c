#include "checks/input/memory/find_bytes.h"

#include "checks/input/fit/fit_sums.h"
#include "checks/input/fit/pixel_view.h"
#include "checks/port/both_sides.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 3000, FRAMES = 8, FEWEST = 64 };

/* The right reading leaves what rounding to its type does. */
#define EXACT 0.02

/* Values that vary less are no picture, in whatever unit (bytes that make tiny floats). */
#define LEAST_VARIANCE 1e-12

/* ---- Types of values --------------------------------------------------------------------------- */

typedef struct value_type {
    const char *name;
    exray_dtype dtype;
    size_t bytes;
    bool high_first;
} value_type;

static const value_type types[] = {
    {"uint8", EXRAY_DTYPE_UINT8, 1, false},
    {"int8", EXRAY_DTYPE_INT8, 1, false},
    {"uint16", EXRAY_DTYPE_UINT16, 2, false},
    {"uint16, high byte first", EXRAY_DTYPE_UINT16, 2, true},
    {"int16", EXRAY_DTYPE_INT16, 2, false},
    {"int16, high byte first", EXRAY_DTYPE_INT16, 2, true},
    {"int32", EXRAY_DTYPE_INT32, 4, false},
    {"float16", EXRAY_DTYPE_FLOAT16, 2, false},
    {"bfloat16", EXRAY_DTYPE_BFLOAT16, 2, false},
    {"float32", EXRAY_DTYPE_FLOAT32, 4, false},
    {"float32, high byte first", EXRAY_DTYPE_FLOAT32, 4, true},
    {"float64", EXRAY_DTYPE_FLOAT64, 8, false},
};

static double half_of(uint32_t bits)
{
    const int exponent = (int)(bits >> 10 & 31), digits = (int)(bits & 1023);
    const double size = exponent == 31 ? NAN
                        : exponent     ? ldexp(1024 + digits, exponent - 25)
                                       : ldexp(digits, -24);
    return bits & 0x8000 ? -size : size;
}

static double value_of(const value_type *t, const unsigned char *from)
{
    unsigned char b[8] = {0};
    for (size_t i = 0; i < t->bytes; i++)
        b[i] = from[t->high_first ? t->bytes - 1 - i : i];
    uint64_t bits = 0;
    for (size_t i = t->bytes; i-- > 0;)
        bits = bits << 8 | b[i];
    uint32_t low = (uint32_t)bits;
    float single;
    double wide;
    switch (t->dtype) {
    case EXRAY_DTYPE_INT8:
        return (double)(int8_t)(uint8_t)low;
    case EXRAY_DTYPE_INT16:
        return (double)(int16_t)(uint16_t)low;
    case EXRAY_DTYPE_INT32:
        return (double)(int32_t)low;
    case EXRAY_DTYPE_FLOAT16:
        return half_of(low);
    case EXRAY_DTYPE_BFLOAT16:
        low <<= 16;
        memcpy(&single, &low, sizeof single);
        return (double)single;
    case EXRAY_DTYPE_FLOAT32:
        memcpy(&single, &low, sizeof single);
        return (double)single;
    case EXRAY_DTYPE_FLOAT64:
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    default:
        return (double)low;
    }
}

/* ---- Readings ---------------------------------------------------------------------------------- */

/* One frame: the edge's bytes, and the reference's values. */
typedef struct both_memories {
    const unsigned char *bytes;
    size_t size;
    exray_dtype dtype;
    const float *reference;
    xr_pixel_view view; /* of the reference */
} both_memories;

/* The share of what the bytes show that the reference's pixels do not explain; NAN: the frame says nothing.
 * channels 0: value by value, in the order of the reference's memory. */
static double reading_residual(const both_memories *m, const value_type *t, size_t channels, size_t first,
                               double *filled)
{
    const xr_pixel_view *v = &m->view;
    bool pixels = channels > 0;
    size_t colors = pixels ? v->channels : 1, items = pixels ? channels : 1;
    size_t have = m->size / t->bytes / items, all = v->rows * v->columns * (pixels ? 1 : v->channels);
    size_t count = have < all ? have : all, step = count / SAMPLES + 1;
    xr_fit_sums sums = {0};
    *filled = (double)(all * items * t->bytes) / (double)m->size;
    if (count < FEWEST || 16 * count < all)
        return 1;
    for (size_t p = 0; p < count; p += step) {
        double e[XR_FIT_CHANNELS], r[XR_FIT_CHANNELS], check = 0;
        for (size_t c = 0; c < colors; c++) {
            size_t place = pixels ? xr_pixel_place(v, p, c) : p;
            e[c] = value_of(t, m->bytes + (p * items + first + c) * t->bytes);
            r[c] = xr_value_at(m->reference, place);
            check += e[c] + r[c];
        }
        if (isfinite(check) && fabs(check) < 1e12)
            xr_sums_add_pixel(&sums, colors, e, r, 1);
    }
    if (2 * sums.n < (double)(count / step))
        return 1;
    double spread[2] = {0, 0};
    for (size_t c = 0; c < colors; c++) {
        double edge = sums.edge[c] / sums.n, reference = sums.reference[c] / sums.n;
        spread[0] += fmax(sums.ee[c][c] / sums.n - edge * edge, 0);
        spread[1] += fmax(sums.rr[c][c] / sums.n - reference * reference, 0);
    }
    if (!(spread[1] > 0))
        return NAN;
    return spread[0] > LEAST_VARIANCE ? xr_unexplained_by_color(&sums, colors) : 1;
}

static bool read_frame(const exray_comparison *comparison, size_t pair, size_t frame,
                       exray_slot *const slot[2], both_memories *out)
{
    exray_tensor_view view[2];
    const float *values[2];
    if (!xr_both_values(comparison, EXRAY_KIND_INPUT, pair, frame, slot, view, values))
        return false;
    *out = (both_memories){.bytes = view[EXRAY_SIDE_EDGE].data,
                           .size = view[EXRAY_SIDE_EDGE].size,
                           .dtype = view[EXRAY_SIDE_EDGE].info.dtype,
                           .reference = values[EXRAY_SIDE_REFERENCE],
                           .view = xr_pixel_view_of(&view[1].info, view[1].count)};
    return out->bytes && out->size && view[0].count == view[1].count;
}

/* Tries one reading on all frames; keeps it if it is the best so far. */
static void try_reading(const both_memories *m, size_t frames, const value_type *t, size_t channels,
                        size_t first, xr_byte_reading *best)
{
    xr_byte_reading now = {.type = t->name,
                           .channels = channels ? channels : m[0].view.channels,
                           .first = first,
                           .frames = frames};
    for (size_t f = 0; f < frames; f++) {
        double residual = reading_residual(&m[f], t, channels, first, &now.filled);
        if (isnan(residual))
            continue; /* it abstains */
        if (residual > EXACT)
            return;
        now.supporting++;
        now.residual = fmax(now.residual, residual);
    }
    if (now.supporting && (!best->type || now.residual < 0.5 * best->residual))
        *best = now;
}

/* The residual of the edge's values as they are typed. */
static double typed_residual(const both_memories *m)
{
    double filled, residual = 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == m->dtype && !types[i].high_first)
            residual = reading_residual(m, &types[i], m->view.channels, 0, &filled);
    return residual;
}

/* int8 for uint8, value by value: what the search's wrapped values are (search/find_sign_wrap.c), which can
 * be undone for the page. */
static bool is_sign_alone(const value_type *t, exray_dtype stored)
{
    return t->bytes == 1 && xr_is_byte(stored);
}

static void try_all(const both_memories *m, size_t frames, xr_byte_reading *best)
{
    size_t own = m[0].view.channels;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const value_type *t = &types[i];
        if ((t->dtype != m[0].dtype || t->high_first) && !is_sign_alone(t, m[0].dtype)) {
            try_reading(m, frames, t, own, 0, best);
            if (m[0].view.channel_stride > 1)
                try_reading(m, frames, t, 0, 0, best);
        }
        for (size_t first = 0; own == 3 && first < 2; first++)
            if (t->dtype != m[0].dtype)
                try_reading(m, frames, t, 4, first, best);
    }
}

bool xr_find_bytes(const exray_comparison *comparison, size_t pair, xr_byte_reading *found)
{
    exray_slot *slot[FRAMES][2];
    both_memories memory[FRAMES];
    size_t count = 0, all = exray_comparison_frame_count(comparison), step = all / FRAMES + 1;
    *found = (xr_byte_reading){0};
    for (size_t f = 0; f < FRAMES; f++)
        slot[f][0] = exray_slot_new(), slot[f][1] = exray_slot_new();
    for (size_t f = 0; f < all && count < FRAMES; f += step)
        if (slot[count][0] && slot[count][1] &&
            read_frame(comparison, pair, f, slot[count], &memory[count]) &&
            (count == 0 || memory[count].view.channels == memory[0].view.channels))
            count++;
    if (count > 0) {
        found->residual_as_typed = typed_residual(&memory[0]);
        double typed = found->residual_as_typed;
        try_all(memory, count, found);
        found->residual_as_typed = typed;
        if (typed < 4 * found->residual + EXACT)
            found->type = NULL; /* the values are as good as they are */
    }
    for (size_t f = 0; f < FRAMES; f++) {
        exray_slot_free(slot[f][0]);
        exray_slot_free(slot[f][1]);
    }
    return found->type != NULL;
}
