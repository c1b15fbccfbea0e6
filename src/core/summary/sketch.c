#include "core/summary/sketch.h"

#include "core/dtype.h"
#include <string.h>

_Static_assert(EXRAY_SKETCH_BUCKETS == XR_SKETCH_COLUMNS, "a bucket for each column");

/* A sketch while elements come. */
typedef struct sketch {
    xr_sketch_rows_fn *add;
    uint32_t key;
    uint64_t group;
    size_t rows; /* of the open group */
    uint32_t sign[XR_SKETCH_ROOM];
    float sum[XR_SKETCH_ROOM];       /* of the open group */
    double total[XR_SKETCH_COLUMNS]; /* of those before it */
} sketch;

static void begin(sketch *s, const xr_sketch_way *way, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->add = way->add_rows;
    s->key = xr_sketch_key(seed);
    xr_sketch_signs(s->sign, 0, s->key);
}

static void end_group(sketch *s)
{
    for (size_t j = 0; j < XR_SKETCH_COLUMNS; j++)
        s->total[j] += (double)s->sum[j];
    memset(s->sum, 0, sizeof s->sum);
    s->rows = 0;
}

/* Whole rows of finite floats. */
static void add_rows(sketch *s, const uint8_t *data, size_t rows)
{
    while (rows) {
        const size_t room = XR_SKETCH_ROWS - s->rows, n = rows < room ? rows : room;
        s->add(data, n, s->sign, s->sum);
        s->rows += n;
        data += 4 * XR_SKETCH_COLUMNS * n;
        rows -= n;
        if (s->rows == XR_SKETCH_ROWS) {
            end_group(s);
            xr_sketch_signs(s->sign, ++s->group, s->key);
        }
    }
}

/* Zeros where a value is not finite. */
static void clean(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = values[i] - values[i] == 0 ? values[i] : 0;
}

/* Any values; only the last time may end within a row. */
static void add_values(sketch *s, const uint8_t *data, size_t count, bool finite)
{
    float row[XR_SKETCH_COLUMNS];
    const size_t whole = finite ? count / XR_SKETCH_COLUMNS : 0;
    add_rows(s, data, whole);
    for (size_t i = whole * XR_SKETCH_COLUMNS; i < count; i += XR_SKETCH_COLUMNS) {
        const size_t n = count - i < XR_SKETCH_COLUMNS ? count - i : XR_SKETCH_COLUMNS;
        memset(row, 0, sizeof row);
        memcpy(row, data + 4 * i, 4 * n);
        clean(row, n);
        add_rows(s, (const uint8_t *)row, 1);
    }
}

static void finish(sketch *s, float bucket[EXRAY_SKETCH_BUCKETS])
{
    end_group(s);
    for (size_t j = 0; j < XR_SKETCH_COLUMNS; j++)
        bucket[j] = (float)s->total[j];
}

/* ---- The order of elements ---------------------------------------------------- */

/* Where a stored element stands among those of channels-last order: stored as
 * [outer][channels][inner], read as [outer][inner][channels]. */
typedef struct sketch_order {
    uint64_t channels, inner; /* inner 1: as they lie */
} sketch_order;

static sketch_order order_of(const exray_tensor_info *info)
{
    const sketch_order as_it_lies = {1, 1};
    const char *layout = info->layout ? info->layout : "";
    const char *c = strchr(layout, 'C');
    if (!c || strlen(layout) != info->rank || strchr(c + 1, 'C'))
        return as_it_lies;
    sketch_order o = {1, 1};
    for (uint32_t i = (uint32_t)(c - layout); i < info->rank; i++) {
        if (info->shape[i] < 0)
            return as_it_lies;
        if (i == (uint32_t)(c - layout))
            o.channels = (uint64_t)info->shape[i];
        else
            o.inner *= (uint64_t)info->shape[i]; /* no overflow: the product with the others is none */
    }
    return o.channels > 1 && o.inner > 1 ? o : as_it_lies;
}

/* ---- Values of any type -------------------------------------------------------- */

enum { CHUNK = 4 * XR_SKETCH_COLUMNS }; /* elements: on the stack of whoever runs the model */

typedef struct sketch_source {
    const xr_sketch_way *way;
    const exray_tensor_info *info;
    const uint8_t *data;
    sketch_order order;
    xr_axis_walk walk;
} sketch_source;

static float dequantized(const exray_quantization *q, uint32_t slice, float stored)
{
    return (stored - (q->zero_point ? (float)q->zero_point[slice] : 0)) * q->scale[slice];
}

/* One scale for all. */
static void dequantize(const exray_quantization *q, float *values, size_t count)
{
    const float zero = q->zero_point ? (float)q->zero_point[0] : 0, scale = q->scale[0];
    for (size_t i = 0; i < count; i++)
        values[i] = (values[i] - zero) * scale;
}

static void convert(const sketch_source *s, uint64_t first, size_t count, float *out)
{
    const exray_dtype dtype = s->info->dtype;
    const uint8_t *data = s->data;
    if (dtype == EXRAY_DTYPE_INT8)
        for (size_t i = 0; i < count; i++)
            out[i] = (float)(int8_t)data[first + i];
    else if (dtype == EXRAY_DTYPE_UINT8)
        for (size_t i = 0; i < count; i++)
            out[i] = (float)data[first + i];
    else
        s->way->to_float(dtype, data, first, count, out);
}

/* The run of elements of channel c among those first .. first + count - 1 of one plane
 * [inner][channels], at most `inner` of them: where it begins and how long it is. */
static uint64_t run_of(const sketch_order *o, uint64_t first, uint64_t count, uint64_t c, uint64_t *begin)
{
    *begin = first > c ? (first - c + o->channels - 1) / o->channels : 0;
    const uint64_t end = first + count > c ? (first + count - c + o->channels - 1) / o->channels : 0;
    return end > *begin ? end - *begin : 0;
}

/* Elements first .. of one plane, which begins at element `base`, to channels last. */
static void gather_plane(const sketch_source *s, uint64_t base, uint64_t first, uint64_t count, float *out)
{
    const sketch_order *o = &s->order;
    float run[CHUNK];
    const uint64_t channels = count < o->channels ? count : o->channels;
    for (uint64_t k = 0; k < channels; k++) { /* no channel beyond those that are met */
        const uint64_t c = (first + k) % o->channels;
        uint64_t begin;
        const size_t n = (size_t)run_of(o, first, count, c, &begin);
        const uint64_t stored = base + c * o->inner + begin;
        convert(s, stored, n, run);
        float *at = out + (begin * o->channels + c - first);
        for (size_t i = 0; i < n; i++)
            at[i * o->channels] = run[i];
        if (s->walk.slices > 1)
            for (size_t i = 0; i < n; i++)
                at[i * o->channels] =
                    dequantized(&s->info->quantization, xr_axis_slice(&s->walk, stored + i), run[i]);
    }
}

static void gather(const sketch_source *s, uint64_t first, uint64_t count, float *out)
{
    const uint64_t plane = s->order.channels * s->order.inner;
    while (count) {
        const uint64_t within = first % plane;
        const uint64_t n = count < plane - within ? count : plane - within;
        gather_plane(s, first - within, within, n, out);
        first += n;
        count -= n;
        out += n;
    }
}

/* Real values of elements first .. in canonical order, finite or not. */
static void read_values(const sketch_source *s, uint64_t first, size_t count, float *out)
{
    const exray_quantization *q = &s->info->quantization;
    if (s->order.inner > 1)
        gather(s, first, count, out);
    else
        convert(s, first, count, out);
    if (q->count && s->walk.slices <= 1)
        dequantize(q, out, count);
    else if (s->walk.slices > 1 && s->order.inner <= 1)
        for (size_t i = 0; i < count; i++)
            out[i] = dequantized(q, xr_axis_slice(&s->walk, first + i), out[i]);
}

/* ---- All of it ------------------------------------------------------------------ */

/* As they lie, and finite as a rule: statistics and sketch of blocks that stay in the
 * first-level cache between the two. */
static void sketch_floats(sketch *s, const xr_stats_way *way, const uint8_t *data, uint64_t count,
                          exray_stats *stats)
{
    enum { BLOCK = 16 * XR_SKETCH_COLUMNS };
    xr_stat_moments all = {0};
    *stats = (exray_stats){.count = count};
    for (uint64_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? (size_t)(count - first) : BLOCK;
        const bool finite = way->add_floats(way, data + 4 * first, n, &all, stats);
        add_values(s, data + 4 * first, n, finite);
    }
    xr_stats_end(&all, stats);
}

static void sketch_values(sketch *s, const sketch_source *from, uint64_t count)
{
    float values[CHUNK];
    for (uint64_t first = 0; first < count; first += CHUNK) {
        const size_t n = count - first < CHUNK ? (size_t)(count - first) : CHUNK;
        read_values(from, first, n, values);
        clean(values, n);
        add_values(s, (const uint8_t *)values, n, true);
    }
}

static bool lies_as_floats(const sketch_source *from)
{
    const exray_tensor_info *info = from->info;
    return info->dtype == EXRAY_DTYPE_FLOAT32 && !info->quantization.count && from->order.inner <= 1 &&
           from->way->stats.add_floats;
}

exray_status xr_sketch_compute(const xr_sketch_way *way, const exray_tensor_info *info, const void *data,
                               size_t size, uint64_t seed, exray_stats *stats,
                               float bucket[EXRAY_SKETCH_BUCKETS], uint32_t *count)
{
    const exray_quantization *q = &info->quantization;
    sketch_source from = {.way = way, .info = info, .data = data};
    uint64_t elements;
    if (!xr_dtype_is_numeric(info->dtype))
        return EXRAY_E_UNSUPPORTED;
    if (!xr_element_count_of(info, size, &elements) || (q->count && !q->scale) || (elements && !data) ||
        !xr_axis_walk_of(info, &from.walk))
        return EXRAY_E_ARGUMENT;
    if (elements)
        from.order = order_of(info);
    const bool exact = elements <= EXRAY_SKETCH_BUCKETS, floats = !exact && lies_as_floats(&from);
    *count = exact ? (uint32_t)elements : EXRAY_SKETCH_BUCKETS;
    if (stats && !floats) {
        const exray_status status = xr_stats_compute(&way->stats, info, data, size, stats);
        if (status)
            return status;
    }
    if (exact) {
        read_values(&from, 0, (size_t)elements, bucket);
        clean(bucket, (size_t)elements);
        return EXRAY_OK;
    }
    sketch s;
    exray_stats unused;
    begin(&s, way, seed);
    if (floats)
        sketch_floats(&s, &way->stats, data, elements, stats ? stats : &unused);
    else
        sketch_values(&s, &from, elements);
    finish(&s, bucket);
    return EXRAY_OK;
}
