/* Reads every matched pair of tensors once and sums up the differences. */
#include "compare/measure/measure.h"

#include "compare/measure/input_unit.h"

#include "base/error.h"
#include "base/workers.h"
#include "compare/match/layout_choice.h"
#include "compare/match/pairs.h"
#include "compare/measure/levels.h"
#include "compare/measure/metrics.h"
#include "compare/measure/padded_rows.h"
#include "compare/measure/sketch_distance.h"
#include "compare/measure/step.h"
#include "log/deferred.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- One pair of records ------------------------------------------------------- */

typedef struct pair_reader {
    const exray_comparison *comparison;
    exray_slot *slot[2];
    float *value[2]; /* dequantized values */
    uint64_t value_count[2];
    xr_deferred check[2]; /* of the chunks that the two records lie in */
    float *scratch;       /* the edge's values in the reference's layout */
    uint64_t scratch_count;
} pair_reader;

static void fail(xr_pair *pair, const char *problem)
{
    if (!pair->problem)
        pair->problem = problem;
}

static void fail_shapes(xr_pair *pair, size_t frame)
{
    pair->other_shape++;
    if (pair->differs)
        pair->differs[frame] = true;
    fail(pair, "their shapes differ");
}

static void fail_damaged(xr_pair *pair)
{
    pair->failures++;
    fail(pair, "a record is damaged");
}

static const float *in_reference_layout(pair_reader *r, const float *values, const exray_tensor_view *edge,
                                        const xr_pair *pair, xr_layout_match how)
{
    exray_tensor_info info = edge->info;
    const int64_t *b = pair->flattened;
    if (b[0] && edge->count == (uint64_t)b[0] * (uint64_t)b[1] * (uint64_t)b[2]) {
        info = xr_before_flattening(&edge->info, b);
        how = pair->layout;
    }
    if (how == XR_LAYOUT_SAME)
        return values;
    if (edge->count > r->scratch_count) {
        float *grown = realloc(r->scratch, edge->count * sizeof *grown);
        if (!grown)
            return NULL;
        r->scratch = grown;
        r->scratch_count = edge->count;
    }
    xr_convert_layout(&info, values, how, r->scratch);
    return r->scratch;
}

static void note_stored(xr_pair *pair, int side, const exray_tensor_info *info)
{
    xr_stored *stored = &pair->stored[side];
    if (stored->known)
        return;
    stored->known = true;
    stored->dtype = info->dtype;
    for (uint32_t i = 0; i < info->quantization.count; i++)
        stored->scale = fmax(stored->scale, fabs((double)info->quantization.scale[i]));
}

static bool finish_checks(pair_reader *r)
{
    bool edge = xr_deferred_finish(&r->check[0]);
    return xr_deferred_finish(&r->check[1]) && edge;
}

/* Bytes.  A few blocks of each side stay in the second-level cache. */
enum { BLOCK = 16 << 10 };

/* Reads a byte of what follows, so that its pages are mapped when it is prefetched (crc32_avx512.c,
 * metrics_x86.c).  The kernel maps 64 KB around a page that is touched: one block of four is enough. */
static void touch_ahead(const uint8_t *at, size_t left)
{
    const size_t around = 4 * (size_t)BLOCK, ahead = 3 * (size_t)BLOCK;
    if (left > ahead && ((uintptr_t)at + ahead) % around < BLOCK)
        (void)*(const volatile uint8_t *)&at[ahead];
}

/* CRC and moments in one pass, where the processor can; returns how many bytes of a block were taken. */
static size_t add_in_one_pass(pair_reader *r, xr_moments *sum, const uint8_t *a, const uint8_t *b,
                              size_t size)
{
    const uint8_t *at[2] = {a, b};
    uint32_t crc[2];
    for (int s = 0; s < 2; s++)
        if (!xr_deferred_begin(&r->check[s], at[s], &crc[s]))
            return 0;
    const size_t taken =
        sizeof(float) * xr_moments_add_summed(sum, crc, (const float *)(const void *)a,
                                              (const float *)(const void *)b, size / sizeof(float));
    for (int s = 0; s < 2; s++)
        xr_deferred_summed(&r->check[s], at[s] + taken, crc[s]);
    return taken;
}

/* Else block by block: the second finds the data in the cache that the first brought it to.  False: damaged,
 * and nothing was added. */
static bool add_checked(pair_reader *r, xr_moments *moments, const float *edge, const float *reference,
                        uint64_t count)
{
    xr_moments sum = xr_moments_zero();
    const uint8_t *a = (const uint8_t *)edge, *b = (const uint8_t *)reference;
    for (size_t left = (size_t)count * sizeof *edge; left > 0;) {
        const size_t size = left < BLOCK ? left : BLOCK;
        touch_ahead(a, left);
        touch_ahead(b, left);
        const size_t taken = add_in_one_pass(r, &sum, a, b, size);
        xr_deferred_advance(&r->check[0], a + size);
        xr_deferred_advance(&r->check[1], b + size);
        xr_moments_add(&sum, (const float *)(const void *)(a + taken),
                       (const float *)(const void *)(b + taken), (size - taken) / sizeof *edge);
        a += size;
        b += size;
        left -= size;
    }
    bool good = finish_checks(r);
    if (good)
        xr_moments_merge(moments, &sum);
    return good;
}

static void note_levels(xr_pair *pair, const exray_tensor_view view[2], const float *const values[2])
{
    for (int s = 0; s < 2; s++)
        if (pair->levels[s] && view[s].info.dtype == EXRAY_DTYPE_FLOAT32 &&
            view[s].info.quantization.count == 0)
            xr_levels_add(pair->levels[s], values[s], view[s].count);
}

static void add_values(pair_reader *r, xr_pair *pair, const exray_tensor_view view[2],
                       const float *const values[2], size_t frame)
{
    xr_layout_match how = xr_pair_layout(pair, &view[0].info, &view[1].info);
    if (how == XR_LAYOUT_SWAPPED && pair->kind == EXRAY_KIND_INPUT && pair->layout != how)
        how = XR_LAYOUT_NONE; /* a model that wants it otherwise; transposed data are a fault */
    bool in_place = how == XR_LAYOUT_SAME && !pair->flattened[0] && view[0].count == view[1].count &&
                    !pair->samples[0] && !pair->samples[1];
    if (in_place) {
        if (!add_checked(r, &pair->moments, values[0], values[1], view[0].count)) {
            fail_damaged(pair);
            return;
        }
        note_levels(pair, view, values);
        pair->frames++;
        return;
    }
    if (!finish_checks(r)) {
        fail_damaged(pair);
        return;
    }
    for (int s = 0; s < 2; s++)
        if (pair->samples[s])
            xr_samples_add(pair->samples[s], &view[s].info, values[s], view[s].count, frame);
    note_levels(pair, view, values);
    if (view[0].count != view[1].count || how == XR_LAYOUT_NONE) {
        fail_shapes(pair, frame);
        return;
    }
    const float *edge = in_reference_layout(r, values[0], &view[0], pair, how);
    if (!edge) {
        fail(pair, "out of memory");
        return;
    }
    xr_moments_add(&pair->moments, edge, values[1], view[0].count);
    pair->frames++;
}

/* Statistics of values, as the recorder computes them. */
static exray_stats stats_of(const float *values, uint64_t count)
{
    xr_moments m = xr_moments_zero();
    xr_moments_add(&m, values, values, count);
    double deviation = xr_moments_std(&m, EXRAY_SIDE_EDGE);
    return (exray_stats){.count = count,
                         .nan_count = m.nan_count[0],
                         .inf_count = m.inf_count[0],
                         .min = m.min[0],
                         .max = m.max[0],
                         .mean = m.count ? m.sum[0] / (double)m.count : 0,
                         .variance = m.count ? deviation * deviation : 0};
}

/* Of any a and b: mean((a-b)^2) = (mean a - mean b)^2 + var(a-b), and var(a-b) is at
 * least (std a - std b)^2. */
static void add_stats(xr_pair *pair, const exray_stats stats[2], size_t frame)
{
    xr_stat_sums *sums = &pair->stats;
    if (stats[0].count != stats[1].count) {
        fail_shapes(pair, frame);
        return;
    }
    double finite = 0, deviation[2];
    if (sums->frames == 0)
        for (int s = 0; s < 2; s++) {
            sums->min[s] = INFINITY;
            sums->max[s] = -INFINITY;
        }
    for (int s = 0; s < 2; s++) {
        const exray_stats *x = &stats[s];
        uint64_t bad = x->nan_count + x->inf_count;
        finite = bad < x->count ? (double)(x->count - bad) : 0;
        sums->nan_count[s] += x->nan_count;
        sums->inf_count[s] += x->inf_count;
        deviation[s] = sqrt(fmax(x->variance, 0));
        if (finite > 0) {
            sums->sum[s] += finite * x->mean;
            sums->square[s] += finite * (x->variance + x->mean * x->mean);
            sums->min[s] = fmin(sums->min[s], x->min);
            sums->max[s] = fmax(sums->max[s], x->max);
        }
    }
    double mean = stats[0].mean - stats[1].mean, spread = deviation[0] - deviation[1];
    sums->bound += finite * (mean * mean + spread * spread);
    sums->count += stats[0].count;
    sums->saturated_low += stats[0].low_count;
    sums->saturated_high += stats[0].high_count;
    sums->frames++;
}

/* Room for a side's dequantized values. */
static float *value_room(pair_reader *r, int side, uint64_t count)
{
    if (count > r->value_count[side]) {
        float *grown = realloc(r->value[side], count * sizeof *grown);
        if (!grown)
            return NULL;
        r->value[side] = grown;
        r->value_count[side] = count;
    }
    return r->value[side];
}

/* As exray_log_read_values, but float data is used where it lies, aligned or not:
 * xr_moments_add does not mind, and a copy costs as much as the metrics.  Such data
 * is still to be checked (r->check), all else is. */
static exray_status read_side(pair_reader *r, const exray_record *record, int side, exray_tensor_view *view,
                              const float **values, exray_error *error)
{
    *values = NULL;
    exray_status status =
        xr_log_read_deferred(r->comparison->log[side], record, r->slot[side], view, &r->check[side], error);
    if (status != EXRAY_OK)
        return status;
    if (view->data && view->info.dtype == EXRAY_DTYPE_FLOAT32 && view->info.quantization.count == 0) {
        if (view->size / sizeof(float) < view->count)
            return error->status = EXRAY_E_FORMAT;
        *values = view->data;
        return EXRAY_OK;
    }
    if (!xr_deferred_finish(&r->check[side]))
        return error->status = EXRAY_E_FORMAT;
    if (!view->data)
        return EXRAY_OK;
    /* No type has less than half a byte: a larger count is wrong. */
    if (view->count / 2 > view->size)
        return error->status = EXRAY_E_FORMAT;
    float *room = view->count <= SIZE_MAX / sizeof *room ? value_room(r, side, view->count) : NULL;
    if (!room)
        return error->status = view->count ? EXRAY_E_MEMORY : EXRAY_E_FORMAT;
    status = exray_tensor_dequantize(&view->info, view->data, view->size, view->count, room);
    *values = room;
    return error->status = status;
}

static bool has_layout(const exray_tensor_info *info)
{
    return info->layout && info->layout[0];
}

/* Whether both sketches were made in one order of elements.  Of a cube shapes alone do not tell. */
static bool have_one_order(const xr_pair *pair, const exray_tensor_view view[2])
{
    const exray_tensor_info *a = &view[0].info, *b = &view[1].info;
    if (pair->flattened[0] || !xr_sketch_same_order(a, b))
        return false;
    return (has_layout(a) && has_layout(b)) || pair->layout == XR_LAYOUT_NONE ||
           xr_pair_layout(pair, a, b) == XR_LAYOUT_SAME;
}

/* Values in the element order of the other side's sketch, where the orders differ only because no layout
 * was recorded; NULL: that is not so. */
static const float *for_sketch(pair_reader *r, const xr_pair *pair, const exray_tensor_view view[2],
                               const float *values, int side)
{
    xr_layout_match how = xr_pair_layout(pair, &view[0].info, &view[1].info);
    for (int s = 0; s < 2; s++)
        if (has_layout(&view[s].info))
            return NULL;
    if (pair->flattened[0] || how == XR_LAYOUT_NONE || how == XR_LAYOUT_SAME)
        return NULL;
    if (side == EXRAY_SIDE_REFERENCE)
        how = xr_layout_reversed(how);
    return in_reference_layout(r, values, &view[side], pair, how);
}

/* Besides statistics: sketches of both, computed here for the side that has data. */
static void add_sketches(pair_reader *r, xr_pair *pair, const exray_tensor_view view[2],
                         const float *const values[2])
{
    exray_sketch sketch[2];
    float bucket[EXRAY_SKETCH_BUCKETS];
    const int other = values[0] ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    if (!view[other].has_sketch || (!values[0] && !view[0].has_sketch) ||
        (!values[1] && !view[1].has_sketch) || view[0].count != view[1].count)
        return;
    const bool same = have_one_order(pair, view);
    for (int s = 0; s < 2; s++) {
        if (!values[s]) {
            sketch[s] = view[s].sketch;
            continue;
        }
        const float *walked = same ? values[s] : for_sketch(r, pair, view, values[s], s);
        if (!walked || !xr_sketch_values(&view[s].info, !same, walked, view[s].count, view[other].sketch.seed,
                                         bucket, &sketch[s])) {
            fail(pair, "their sketches are in different orders");
            return;
        }
    }
    if (!values[0] && !values[1] && !same)
        fail(pair, "their sketches are in different orders");
    else if (!xr_sketch_is_good(&sketch[0], view[0].count) || !xr_sketch_is_good(&sketch[1], view[1].count))
        fail(pair, "a sketch is damaged, or of another version");
    else if (sketch[0].seed != sketch[1].seed)
        fail(pair, "their sketches have different seeds");
    else if (!xr_sketch_add(pair, sketch))
        fail(pair, "out of memory");
}

/* Values of another unit in that which they stand for; copied first, as a log's floats may lie unaligned.
 * False: out of memory, or a damaged record. */
static bool take_unit(pair_reader *r, const xr_pair *pair, int side, const exray_tensor_view *view,
                      const float **values)
{
    if (!*values || !xr_has_unit(pair, (exray_side)side))
        return true;
    float *room = view->count <= SIZE_MAX / sizeof *room ? value_room(r, side, view->count) : NULL;
    if (!room || !xr_deferred_finish(&r->check[side]))
        return false;
    if (*values != room)
        memcpy(room, *values, view->count * sizeof *room);
    xr_to_unit(&pair->unit[side], room, view->count, room);
    *values = room;
    return true;
}

/* A node within a loop runs several times in a frame: all of its records. */
static void measure_records(pair_reader *r, xr_pair *pair, const exray_record *const record[2], size_t frame)
{
    exray_tensor_view view[2];
    const float *values[2];
    exray_error error = {EXRAY_OK, ""};
    for (int s = 0; s < 2; s++) {
        if (read_side(r, record[s], s, &view[s], &values[s], &error) != EXRAY_OK ||
            !take_unit(r, pair, s, &view[s], &values[s])) {
            pair->failures++;
            fail(pair, error.status == EXRAY_E_UNSUPPORTED ? "values of that type are not compared"
                                                           : "a record is damaged");
            return;
        }
        note_stored(pair, s, &view[s].info);
    }
    if (values[0] && values[1]) {
        add_values(r, pair, view, values, frame);
        return;
    }
    if (!finish_checks(r)) {
        fail_damaged(pair);
        return;
    }
    exray_stats stats[2];
    for (int s = 0; s < 2; s++) {
        if (!values[s] && !view[s].has_stats) {
            fail(pair, s == 0 ? "the edge log has no data of it" : "the reference log has no data of it");
            return;
        }
        stats[s] = values[s] ? stats_of(values[s], view[s].count) : view[s].stats;
    }
    pair->stats.ends_unknown |= values[0] != NULL;
    add_stats(pair, stats, frame);
    if (pair->kind == EXRAY_KIND_LAYER)
        add_sketches(r, pair, view, values);
}

static void measure_pair(pair_reader *r, xr_pair *pair, size_t frame)
{
    const exray_comparison *c = r->comparison;
    const exray_record *record[2], *end[2];
    for (int s = 0; s < 2; s++) {
        record[s] = xr_pair_record_in(c, pair, (exray_side)s, frame, r->slot[s]);
        if (!record[s])
            return;
        size_t count;
        end[s] = exray_log_records_in(c->log[s], c->frame[frame].frame[s], r->slot[s], &count);
        end[s] += count;
    }
    for (;;) {
        measure_records(r, pair, record, frame);
        for (int s = 0; s < 2; s++) {
            const exray_record *next = record[s] + 1;
            if (next == end[s] || next->message != EXRAY_MESSAGE_TENSOR || next->kind != record[s]->kind ||
                next->index != record[s]->index || next->output != record[s]->output ||
                next->occurrence <= record[s]->occurrence)
                return;
            record[s] = next;
        }
    }
}

double xr_stats_std(const xr_stat_sums *sums, exray_side side)
{
    uint64_t bad = sums->nan_count[side] + sums->inf_count[side];
    double n = bad < sums->count ? (double)(sums->count - bad) : 0;
    if (n == 0)
        return NAN;
    double mean = sums->sum[side] / n, variance = sums->square[side] / n - mean * mean;
    return variance > 0 ? sqrt(variance) : 0;
}

/* ---- All of them ---------------------------------------------------------------- */

/* Whether an input of the frame has another shape on the two sides. */
static bool inputs_differ(const exray_comparison *c, size_t frame)
{
    for (size_t i = 0; i < c->inputs.count; i++)
        if (c->inputs.pair[i].differs[frame])
            return true;
    return false;
}

static bool make_room(exray_comparison *c)
{
    c->behind = calloc(c->frame_count + 1, sizeof *c->behind);
    c->padded = calloc(c->frame_count + 1, sizeof *c->padded);
    bool ok = c->behind && c->padded;
    xr_pairs *both[] = {&c->inputs, &c->outputs};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->count; i++) {
            both[k]->pair[i].differs = calloc(c->frame_count + 1, sizeof(bool));
            ok = ok && both[k]->pair[i].differs;
        }
    return ok;
}

static void measure_all(pair_reader *r, xr_pairs *pairs, size_t frame)
{
    for (size_t i = 0; i < pairs->count; i++)
        measure_pair(r, &pairs->pair[i], frame);
}

static bool open_reader(pair_reader *r, const exray_comparison *c)
{
    *r = (pair_reader){.comparison = c, .slot = {exray_slot_new(), exray_slot_new()}};
    return r->slot[0] && r->slot[1];
}

static void close_reader(pair_reader *r)
{
    exray_slot_free(r->slot[0]);
    exray_slot_free(r->slot[1]);
    free(r->value[0]);
    free(r->value[1]);
    free(r->scratch);
}

static bool make_samples(exray_comparison *c)
{
    bool ok = true;
    for (size_t i = 0; i < c->inputs.count; i++)
        for (int s = 0; s < 2; s++) {
            c->inputs.pair[i].samples[s] = calloc(1, sizeof(xr_samples));
            ok = ok && c->inputs.pair[i].samples[s];
            if (c->inputs.pair[i].samples[s])
                c->inputs.pair[i].samples[s]->table = c->inputs.pair[i].table;
        }
    for (size_t i = 0; i < c->outputs.count; i++)
        for (int s = 0; s < 2; s++) {
            c->outputs.pair[i].levels[s] = calloc(1, sizeof(xr_levels));
            ok = ok && c->outputs.pair[i].levels[s];
        }
    return ok;
}

/* ---- On several threads ----------------------------------------------------------- */

/* Ranges of the layers, each measured by one thread in all frames, in order: a layer's sums are those of one
 * thread alone, whichever it is.  The first range has inputs and outputs, too. */
typedef struct shared_work {
    exray_comparison *comparison;
    const xr_compare_options *options;
    size_t *first; /* [ranges + 1] layers */
    unsigned ranges;
    _Atomic unsigned next;
    _Atomic bool out_of_memory;
} shared_work;

static void measure_range(const shared_work *w, pair_reader *r, unsigned range)
{
    exray_comparison *c = w->comparison;
    for (size_t f = 0; f < c->frame_count; f++) {
        if (range == 0 && w->options && w->options->progress)
            w->options->progress(w->options->user, f, c->frame_count);
        for (size_t i = w->first[range]; i < w->first[range + 1] && !c->behind[f]; i++)
            measure_pair(r, &c->layers.pair[i], f);
        if (range == 0 && (!c->behind[f] || c->padded[f]))
            measure_all(r, &c->outputs, f);
    }
}

static void measure_ranges(void *user, unsigned job)
{
    (void)job;
    shared_work *w = user;
    pair_reader r;
    if (open_reader(&r, w->comparison))
        for (unsigned range; (range = w->next++) < w->ranges;)
            measure_range(w, &r, range);
    else
        w->out_of_memory = true;
    close_reader(&r);
}

/* Bytes of a layer's record: what measuring it costs. */
static double weight_of(const exray_comparison *c, const xr_pair *pair)
{
    const exray_record *record = c->frame_count ? xr_pair_record(c, pair, EXRAY_SIDE_EDGE, 0) : NULL;
    return 100 + (record ? (double)record->size : 0);
}

/* Ranges of about the same weight. */
static void share_out(const exray_comparison *c, size_t *first, unsigned ranges)
{
    double all = 0, sum = 0;
    for (size_t i = 0; i < c->layers.count; i++)
        all += weight_of(c, &c->layers.pair[i]);
    unsigned range = 0;
    first[0] = 0;
    for (size_t i = 0; i < c->layers.count; i++) {
        while (range + 1 < ranges && sum >= all * (range + 1) / ranges)
            first[++range] = i;
        sum += weight_of(c, &c->layers.pair[i]);
    }
    while (range < ranges)
        first[++range] = c->layers.count;
}

/* Of few frames several ranges a thread, so that one which starts late, or is on a busy processor, has fewer.
 * Of many frames each thread goes through the file once. */
static unsigned ranges_for(const exray_comparison *c, unsigned jobs)
{
    enum { FEW_FRAMES = 8, FINE = 8 };
    return c->frame_count < FEW_FRAMES ? FINE * jobs : jobs;
}

static bool measure_shared(exray_comparison *c, const xr_compare_options *options, unsigned jobs)
{
    shared_work w = {.comparison = c, .options = options, .ranges = ranges_for(c, jobs)};
    w.first = calloc(w.ranges + (size_t)1, sizeof *w.first);
    if (!w.first)
        return false;
    share_out(c, w.first, w.ranges);
    xr_workers_run(jobs, measure_ranges, &w);
    free(w.first);
    return !w.out_of_memory;
}

/* ---- Everything -------------------------------------------------------------------- */

/* Small logs are not worth a thread. */
static unsigned jobs_for(const exray_comparison *c, const xr_compare_options *options)
{
    enum { MOST = 64, WORTH_A_THREAD = 2 << 20 };
    double bytes = 0;
    for (size_t i = 0; i < c->layers.count; i++)
        bytes += weight_of(c, &c->layers.pair[i]) * (double)c->frame_count;
    unsigned jobs = options && options->jobs ? options->jobs : xr_workers_processors();
    jobs = jobs < MOST ? jobs : MOST;
    double worth = 1 + bytes / WORTH_A_THREAD;
    return worth < jobs ? (unsigned)worth : jobs;
}

exray_status xr_measure(exray_comparison *c, const xr_compare_options *options, exray_error *error)
{
    pair_reader r;
    bool ok = open_reader(&r, c) && make_room(c) && make_samples(c);
    const unsigned jobs = ok ? jobs_for(c, options) : 1;
    for (size_t f = 0; ok && f < c->frame_count; f++) {
        if (jobs == 1 && options && options->progress)
            options->progress(options->user, f, c->frame_count);
        measure_all(&r, &c->inputs, f);
        /* Of an input of another shape a model makes other values, also where their shape is the same. */
        c->behind[f] = inputs_differ(c, f);
        /* But for rows that are padded otherwise: its layers have other shapes then, and its outputs are the
         * same if it leaves the padding out. */
        c->padded[f] = c->behind[f] && xr_rows_differ_by_padding(c, f, r.slot);
        if (jobs > 1)
            continue;
        if (!c->behind[f])
            measure_all(&r, &c->layers, f);
        if (!c->behind[f] || c->padded[f])
            measure_all(&r, &c->outputs, f);
    }
    close_reader(&r);
    ok = ok && (jobs == 1 || measure_shared(c, options, jobs));
    return ok ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory while comparing");
}
