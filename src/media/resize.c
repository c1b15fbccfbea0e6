/* Resampling: each axis is a table of taps (which samples, which weights), made
 * by the convention asked for; two passes apply the tables, first along rows,
 * then along columns.
 *
 * Bytes with antialias run in the fixed point of Pillow (22-bit weights, bytes
 * between the passes) and equal it bit for bit.  All else runs in float and is
 * rounded once, which lies within one level of OpenCV's fixed point. */
#include "media/resize.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIXED_BITS = 22, /* 8 bits of sample and 2 of overshoot are left in an int32 */
    BLOCK = 16,      /* columns at a time: a constant, so that compilers use SIMD */
};

#define PI 3.14159265358979323846

/* The taps of one axis. */
typedef struct axis {
    uint32_t out;
    uint32_t most;   /* taps of the output that has the most */
    uint32_t *first; /* [out] its first sample */
    uint32_t *count; /* [out] and how many from there */
    float *weight;   /* [out][most] */
    int32_t *fixed;  /* [out][most], weight * 2^FIXED_BITS */
} axis;

static void axis_free(axis *a)
{
    free(a->first);
    free(a->count);
    free(a->weight);
    free(a->fixed);
}

static bool axis_allocate(axis *a, uint32_t out, uint32_t most)
{
    *a = (axis){.out = out, .most = most};
    a->first = calloc(out, sizeof *a->first);
    a->count = calloc(out, sizeof *a->count);
    a->weight = calloc((size_t)out * most, sizeof *a->weight);
    a->fixed = calloc((size_t)out * most, sizeof *a->fixed);
    return a->first && a->count && a->weight && a->fixed;
}

static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

static double sinc(double x)
{
    return x != 0 ? sin(PI * x) / (PI * x) : 1;
}

/* The filters of the antialiased kind; zero beyond filter_support. */
static double filter_value(exray_filter filter, double x)
{
    switch (filter) {
    case EXRAY_FILTER_BILINEAR:
        return fabs(x) < 1 ? 1 - fabs(x) : 0;
    case EXRAY_FILTER_BICUBIC:
        return cubic(x, -0.5);
    case EXRAY_FILTER_LANCZOS:
        return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    case EXRAY_FILTER_HAMMING:
        return fabs(x) < 1 ? sinc(x) * (0.54 + 0.46 * cos(PI * x)) : 0;
    default: /* area: a box */
        return x > -0.5 && x <= 0.5 ? 1 : 0;
    }
}

static double filter_support(exray_filter filter)
{
    switch (filter) {
    case EXRAY_FILTER_LANCZOS:
        return 3;
    case EXRAY_FILTER_BICUBIC:
        return 2;
    case EXRAY_FILTER_BILINEAR:
    case EXRAY_FILTER_HAMMING:
        return 1;
    default:
        return 0.5;
    }
}

/* The filter is stretched over all samples that an output covers. */
static bool antialias_axis(axis *a, exray_filter filter, uint32_t in, uint32_t out)
{
    double scale = (double)in / out;
    double stretch = scale > 1 ? scale : 1;
    double support = filter_support(filter) * stretch;
    double most = ceil(support) * 2 + 1;
    if (!axis_allocate(a, out, most < in ? (uint32_t)most : in))
        return false;
    double *weight = malloc(a->most * sizeof *weight);
    if (!weight)
        return false;
    for (uint32_t o = 0; o < out; o++) {
        double center = (o + 0.5) * scale;
        double low = center - support + 0.5;
        double high = center + support + 0.5;
        uint32_t first = low > 0 ? (uint32_t)low : 0;
        uint32_t end = high < in ? (uint32_t)high : in;
        double sum = 0;
        a->first[o] = first;
        a->count[o] = end - first < a->most ? end - first : a->most;
        for (uint32_t k = 0; k < a->count[o]; k++)
            sum += weight[k] = filter_value(filter, (first + k - center + 0.5) / stretch);
        for (uint32_t k = 0; k < a->count[o]; k++) {
            double w = sum != 0 ? weight[k] / sum : weight[k];
            a->weight[(size_t)o * a->most + k] = (float)w;
            a->fixed[(size_t)o * a->most + k] = (int32_t)lround(w * (1 << FIXED_BITS));
        }
    }
    free(weight);
    return true;
}

/* The share of each sample in the interval that an output covers. */
static bool area_axis(axis *a, uint32_t in, uint32_t out)
{
    double scale = (double)in / out;
    if (!axis_allocate(a, out, (uint32_t)ceil(scale) + 1 < in ? (uint32_t)ceil(scale) + 1 : in))
        return false;
    for (uint32_t o = 0; o < out; o++) {
        double low = o * scale;
        double high = low + scale < in ? low + scale : in;
        uint32_t first = (uint32_t)low < in ? (uint32_t)low : in - 1;
        a->first[o] = first;
        for (uint32_t k = 0; k < a->most && first + k < in && first + k < high; k++) {
            double from = first + k > low ? first + k : low;
            double to = first + k + 1 < high ? first + k + 1 : high;
            a->weight[(size_t)o * a->most + k] = (float)((to - from) / (high - low));
            a->count[o] = k + 1;
        }
    }
    return true;
}

/* Adds a weight for sample `i`; beyond an edge, the edge's sample is used. */
static void add_tap(axis *a, uint32_t o, int64_t i, uint32_t in, double weight)
{
    uint32_t sample = i < 0 ? 0 : i >= in ? in - 1 : (uint32_t)i;
    if (!a->count[o])
        a->first[o] = sample;
    uint32_t k = sample - a->first[o];
    a->weight[(size_t)o * a->most + k] += (float)weight;
    if (a->count[o] <= k)
        a->count[o] = k + 1;
}

/* Where output `o` lies among the samples, for filters of a fixed width. */
static double position(exray_filter filter, exray_sampling sampling, uint32_t o, uint32_t in, uint32_t out)
{
    /* OpenCV's way to divide and to round, as floor() below sees the last bit. */
    double inverse = (double)out / in;
    double scale = 1 / inverse;
    if (sampling == EXRAY_SAMPLING_ALIGN_CORNERS &&
        filter == EXRAY_FILTER_NEAREST) /* in float, as TensorFlow */
        return out > 1 ? (double)roundf((float)o * ((float)(in - 1) / (float)(out - 1))) : 0;
    if (sampling == EXRAY_SAMPLING_ALIGN_CORNERS)
        return out > 1 ? (double)o * (in - 1) / (out - 1) : 0;
    if (filter == EXRAY_FILTER_NEAREST &&
        sampling == EXRAY_SAMPLING_EXACT) /* (o + 1/2) in / out, cut down: in integers */
        return (double)((2 * (uint64_t)o + 1) * in / (2 * (uint64_t)out));
    if (filter == EXRAY_FILTER_NEAREST && sampling == EXRAY_SAMPLING_ASYMMETRIC) /* likewise */
        return (double)floorf((float)o * ((float)in / (float)out));
    if (filter == EXRAY_FILTER_NEAREST || sampling == EXRAY_SAMPLING_ASYMMETRIC)
        return o * scale;
    if (filter == EXRAY_FILTER_AREA) {
        /* OpenCV's enlargement by area: linear, but only over the pixel that
         * straddles two samples. */
        double sample = floor(o * scale);
        float fraction = (float)((o + 1) - (sample + 1) * inverse);
        return sample + (fraction > 0 ? (double)(fraction - floorf(fraction)) : 0);
    }
    return (o + 0.5) * scale - 0.5;
}

static bool point_axis(axis *a, exray_filter filter, exray_sampling sampling, uint32_t in, uint32_t out)
{
    if (!axis_allocate(a, out, filter == EXRAY_FILTER_NEAREST ? 1 : filter == EXRAY_FILTER_BICUBIC ? 4 : 2))
        return false;
    for (uint32_t o = 0; o < out; o++) {
        double x = position(filter, sampling, o, in, out);
        double base = floor(x);
        double fraction = x - base;
        int64_t i = (int64_t)base;
        if (filter == EXRAY_FILTER_NEAREST) {
            add_tap(a, o, i, in, 1);
        } else if (filter == EXRAY_FILTER_BICUBIC) {
            for (int k = -1; k <= 2; k++)
                add_tap(a, o, i + k, in, cubic(fraction - k, -0.75));
        } else {
            add_tap(a, o, i, in, 1 - fraction);
            add_tap(a, o, i + 1, in, fraction);
        }
    }
    return true;
}

/* Nearest neighbors at places that are added up, as Pillow does. */
static bool summed_axis(axis *a, uint32_t in, uint32_t out)
{
    const double scale = (double)in / out;
    double x = scale * 0.5;
    if (!axis_allocate(a, out, 1))
        return false;
    for (uint32_t o = 0; o < out; o++, x += scale)
        add_tap(a, o, (int64_t)x, in, 1);
    return true;
}

static bool axis_make(axis *a, exray_filter filter, exray_sampling sampling, bool shrinks, uint32_t in,
                      uint32_t out)
{
    if (sampling == EXRAY_SAMPLING_ANTIALIAS)
        return antialias_axis(a, filter, in, out);
    if (sampling == EXRAY_SAMPLING_SUMMED)
        return summed_axis(a, in, out);
    if (filter == EXRAY_FILTER_AREA && shrinks)
        return area_axis(a, in, out);
    return point_axis(a, filter, sampling, in, out);
}

/* ---- Rows ------------------------------------------------------------------------ */

static uint8_t clip_fixed(int32_t sum)
{
    int32_t v = sum >> FIXED_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void row_fixed(const axis *a, const uint8_t *in, uint32_t channels, uint8_t *out)
{
    const uint32_t n = channels == 3 ? 3 : 1; /* there are no others */
    for (uint32_t o = 0; o < a->out; o++) {
        const int32_t *w = a->fixed + (size_t)o * a->most;
        const uint8_t *s = in + (size_t)a->first[o] * channels;
        int32_t sum[3] = {1 << (FIXED_BITS - 1), 1 << (FIXED_BITS - 1), 1 << (FIXED_BITS - 1)};
        if (channels == 3) {
            for (uint32_t k = 0; k < a->count[o]; k++, s += 3) {
                sum[0] += w[k] * s[0];
                sum[1] += w[k] * s[1];
                sum[2] += w[k] * s[2];
            }
        } else {
            for (uint32_t k = 0; k < a->count[o]; k++)
                sum[0] += w[k] * s[k];
        }
        for (uint32_t c = 0; c < n; c++)
            *out++ = clip_fixed(sum[c]);
    }
}

#define ROW_FLOAT(name, type)                                                                                \
    static void name(const axis *a, const type *in, uint32_t channels, float *out)                           \
    {                                                                                                        \
        const uint32_t n = channels == 3 ? 3 : 1;                                                            \
        for (uint32_t o = 0; o < a->out; o++) {                                                              \
            const float *w = a->weight + (size_t)o * a->most;                                                \
            const type *s = in + (size_t)a->first[o] * channels;                                             \
            float sum[3] = {0, 0, 0};                                                                        \
            if (channels == 3) {                                                                             \
                for (uint32_t k = 0; k < a->count[o]; k++, s += 3) {                                         \
                    sum[0] += w[k] * s[0];                                                                   \
                    sum[1] += w[k] * s[1];                                                                   \
                    sum[2] += w[k] * s[2];                                                                   \
                }                                                                                            \
            } else {                                                                                         \
                for (uint32_t k = 0; k < a->count[o]; k++)                                                   \
                    sum[0] += w[k] * s[k];                                                                   \
            }                                                                                                \
            for (uint32_t c = 0; c < n; c++)                                                                 \
                *out++ = sum[c];                                                                             \
        }                                                                                                    \
    }
ROW_FLOAT(row_bytes, uint8_t)
ROW_FLOAT(row_floats, float)
#undef ROW_FLOAT

/* ---- Columns ----------------------------------------------------------------------- */

/* Rows to weigh against each other: a whole picture, or a ring of the latest
 * rows of the first pass, where row r lies at r % count. */
typedef struct rows {
    uint32_t count;
    size_t stride;
    const uint8_t *bytes;
    const float *floats;
} rows;

static void column_fixed(const rows *r, uint32_t first, uint32_t count, const int32_t *w, size_t width,
                         uint8_t *out)
{
    for (size_t x = 0; x < width; x += BLOCK) {
        const size_t n = width - x < BLOCK ? width - x : BLOCK;
        int32_t sum[BLOCK];
        for (int i = 0; i < BLOCK; i++)
            sum[i] = 1 << (FIXED_BITS - 1);
        for (uint32_t k = 0; k < count; k++) {
            const uint8_t *s = r->bytes + (first + k) % r->count * r->stride + x;
            if (n == BLOCK)
                for (int i = 0; i < BLOCK; i++)
                    sum[i] += w[k] * s[i];
            else
                for (size_t i = 0; i < n; i++)
                    sum[i] += w[k] * s[i];
        }
        for (size_t i = 0; i < n; i++)
            out[x + i] = clip_fixed(sum[i]);
    }
}

/* One block of columns in float; n of them are there. */
static void column_sums(const rows *r, uint32_t first, uint32_t count, const float *w, size_t x, size_t n,
                        float sum[BLOCK])
{
    for (int i = 0; i < BLOCK; i++)
        sum[i] = 0;
    for (uint32_t k = 0; k < count; k++) {
        const float *s = r->floats + (first + k) % r->count * r->stride + x;
        if (n == BLOCK)
            for (int i = 0; i < BLOCK; i++)
                sum[i] += w[k] * s[i];
        else
            for (size_t i = 0; i < n; i++)
                sum[i] += w[k] * s[i];
    }
}

static void column_bytes(const rows *r, uint32_t first, uint32_t count, const float *w, size_t width,
                         uint8_t *out)
{
    for (size_t x = 0; x < width; x += BLOCK) {
        const size_t n = width - x < BLOCK ? width - x : BLOCK;
        float sum[BLOCK];
        column_sums(r, first, count, w, x, n, sum);
        for (size_t i = 0; i < n; i++) {
            float v = sum[i] < 0 ? 0 : sum[i] > 255 ? 255 : sum[i];
            out[x + i] = (uint8_t)(v + 0.5f);
        }
    }
}

static void column_floats(const rows *r, uint32_t first, uint32_t count, const float *w, size_t width,
                          float *out)
{
    for (size_t x = 0; x < width; x += BLOCK) {
        const size_t n = width - x < BLOCK ? width - x : BLOCK;
        float sum[BLOCK];
        column_sums(r, first, count, w, x, n, sum);
        memcpy(out + x, sum, n * sizeof *sum);
    }
}

/* ---- Both -------------------------------------------------------------------------- */

/* The row of the whole result that row y of `to` is. */
static uint32_t row_of(const uint32_t *rows_wanted, uint32_t y)
{
    return rows_wanted ? rows_wanted[y] : y;
}

/* Along rows first.  `ring` has room for down->most rows of the new width, of
 * bytes where `fixed`, else of floats.  rows_wanted: those that `to` has; NULL: all. */
static void rows_first(const xr_pixels *from, const axis *across, const axis *down, bool fixed, void *ring,
                       const uint32_t *rows_wanted, xr_pixels *to)
{
    const size_t width = (size_t)to->width * to->channels;
    const rows latest = {.count = down->most, .stride = width, .bytes = ring, .floats = ring};
    uint32_t next = 0; /* rows below have been through the first pass, or are not needed */
    for (uint32_t y = 0; y < to->height; y++) {
        const uint32_t o = row_of(rows_wanted, y);
        const uint32_t first = down->first[o];
        const uint32_t count = down->count[o];
        const int32_t *w_fixed = down->fixed + (size_t)o * down->most;
        const float *w = down->weight + (size_t)o * down->most;
        if (next < first)
            next = first;
        for (; next < first + count; next++) {
            size_t slot = next % latest.count * width;
            if (fixed)
                row_fixed(across, from->bytes + next * from->stride, from->channels, (uint8_t *)ring + slot);
            else if (from->is_float)
                row_floats(across, from->floats + next * from->stride, from->channels, (float *)ring + slot);
            else
                row_bytes(across, from->bytes + next * from->stride, from->channels, (float *)ring + slot);
        }
        if (fixed)
            column_fixed(&latest, first, count, w_fixed, width, to->bytes + y * to->stride);
        else if (to->is_float)
            column_floats(&latest, first, count, w, width, to->floats + y * to->stride);
        else
            column_bytes(&latest, first, count, w, width, to->bytes + y * to->stride);
    }
}

/* Along columns first, in fixed point.  `line` has room for a row of `from`. */
static void columns_first(const xr_pixels *from, const axis *across, const axis *down, uint8_t *line,
                          const uint32_t *rows_wanted, xr_pixels *to)
{
    const rows all = {.count = from->height, .stride = from->stride, .bytes = from->bytes};
    for (uint32_t y = 0; y < to->height; y++) {
        const uint32_t o = row_of(rows_wanted, y);
        column_fixed(&all, down->first[o], down->count[o], down->fixed + (size_t)o * down->most,
                     (size_t)from->width * from->channels, line);
        row_fixed(across, line, from->channels, to->bytes + y * to->stride);
    }
}

/* Rounding to bytes between the passes makes their order matter.  This is when
 * Pillow (from 13.0 on) begins with the columns. */
static bool pillow_begins_with_columns(const xr_pixels *from, uint32_t width, uint32_t height)
{
    int64_t fewer_columns = (int64_t)from->width - width;
    int64_t fewer_rows = (int64_t)from->height - height;
    return fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
}

bool xr_resize_exists(exray_filter filter, exray_sampling sampling)
{
    if (filter > EXRAY_FILTER_AREA)
        return sampling == EXRAY_SAMPLING_ANTIALIAS;
    switch (sampling) {
    case EXRAY_SAMPLING_ANTIALIAS:
        return filter != EXRAY_FILTER_NEAREST;
    case EXRAY_SAMPLING_ALIGN_CORNERS:
        return filter != EXRAY_FILTER_AREA;
    case EXRAY_SAMPLING_ASYMMETRIC:
        return filter != EXRAY_FILTER_AREA;
    case EXRAY_SAMPLING_EXACT:
    case EXRAY_SAMPLING_SUMMED:
        return filter == EXRAY_FILTER_NEAREST;
    default:
        return true;
    }
}

/* Every convention is the identity where the size is the same. */
static void copy_rows(const xr_pixels *from, const uint32_t *rows_wanted, xr_pixels *to)
{
    size_t sample = from->is_float ? sizeof(float) : 1, row = (size_t)from->width * from->channels;
    const char *in = from->is_float ? (const char *)from->floats : (const char *)from->bytes;
    char *out = to->is_float ? (char *)to->floats : (char *)to->bytes;
    for (uint32_t y = 0; y < to->height; y++)
        memcpy(out + y * to->stride * sample, in + row_of(rows_wanted, y) * from->stride * sample,
               row * sample);
}

/* Fills `out`, which is made, with rows of the picture resized to `out`'s width and `height`. */
static exray_status resize_into(const xr_pixels *picture, exray_filter filter, exray_sampling sampling,
                                uint32_t height, const uint32_t *rows_wanted, xr_pixels *out,
                                exray_error *error)
{
    uint32_t width = out->width;
    bool shrinks = width <= picture->width && height <= picture->height;
    bool fixed = sampling == EXRAY_SAMPLING_ANTIALIAS && !picture->is_float;
    axis across = {0}, down = {0};
    exray_status status = EXRAY_OK;
    if (!axis_make(&across, filter, sampling, shrinks, picture->width, width) ||
        !axis_make(&down, filter, sampling, shrinks, picture->height, height)) {
        status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the weights of a resize");
        goto done;
    }
    bool columns = fixed && pillow_begins_with_columns(picture, width, height);
    uint64_t samples = columns ? picture->width : (uint64_t)down.most * width;
    if (samples > XR_MAX_PIXELS) {
        status = xr_error_set(error, EXRAY_E_LIMIT,
                              "resize from %u x %u to %u x %u needs too much memory; crop it first",
                              picture->width, picture->height, width, height);
        goto done;
    }
    void *between = malloc((size_t)samples * picture->channels * (fixed ? 1 : sizeof(float)));
    if (!between)
        status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the rows of a resize");
    else if (columns)
        columns_first(picture, &across, &down, between, rows_wanted, out);
    else
        rows_first(picture, &across, &down, fixed, between, rows_wanted, out);
    free(between);
done:
    axis_free(&across);
    axis_free(&down);
    return status;
}

exray_status xr_pixels_resize_rows(xr_pixels *picture, exray_filter filter, exray_sampling sampling,
                                   uint32_t width, uint32_t height, const uint32_t *rows_wanted,
                                   uint32_t count, exray_error *error)
{
    xr_pixels out = {0};
    if ((uint64_t)width * height > XR_MAX_RESIZED)
        return xr_error_set(error, EXRAY_E_LIMIT, "a resize to %u x %u; the limit is %d pixels", width,
                            height, XR_MAX_RESIZED);
    exray_status status = xr_pixels_new(&out, picture, width, rows_wanted ? count : height, error);
    if (status)
        return status;
    if (width == picture->width && height == picture->height)
        copy_rows(picture, rows_wanted, &out);
    else
        status = resize_into(picture, filter, sampling, height, rows_wanted, &out, error);
    if (status)
        xr_pixels_free(&out);
    else
        xr_pixels_replace(picture, &out);
    return status;
}

exray_status xr_pixels_resize(xr_pixels *picture, exray_filter filter, exray_sampling sampling,
                              uint32_t width, uint32_t height, exray_error *error)
{
    if (width == picture->width && height == picture->height)
        return EXRAY_OK; /* every convention is the identity then */
    return xr_pixels_resize_rows(picture, filter, sampling, width, height, NULL, 0, error);
}
