/* Ways to read the buffer of the model's input: each is an exact function of the reference's buffer, tried on
 * a few of its values. */
#include "checks/input/search/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of rows with more values than LONGEST, as no picture has, not every step is tried: it would take minutes.
 */
enum { FRAMES = 3, MOST_SAMPLES = 4000, FEW_SAMPLES = 300, LEAST_LINES = 4, LONGEST = 1 << 14 };

/* What a reading before a resize may leave. */
#define RESAMPLED 0.2
/* A candidate that leaves more on a few samples, or on one frame, is not tried on more of them. */
#define HOPELESS 0.6

/* Shares of the buffer that must be written: where the rest is known to be stale; where it is not. */
#define PART 0.03
#define MOST 0.2

/* ---- Samples ----------------------------------------------------------------------------------- */

/* Both sides' values in the order of the edge's memory. */
typedef struct memory_view {
    xr_reading_items items;
    size_t channels, pixels, rows, length; /* rows of values */
    const xr_input_pair *pair;
} memory_view;

static memory_view view_of(const xr_input_pair *pair)
{
    memory_view v = {pair->items[EXRAY_SIDE_EDGE], pair->channels, pair->width * pair->height, 0, 0, pair};
    bool planar = v.items == XR_ITEMS_PLANAR;
    v.length = planar ? pair->width : pair->width * pair->channels;
    v.rows = planar ? pair->height * pair->channels : pair->height;
    return v;
}

/* The values of one side's searched frame in the order of memory. */
static float value_at(const memory_view *v, const xr_raster *r, size_t i)
{
    return r->v[xr_planar_place(v->items, v->channels, v->pixels, i)];
}

/* The residual of the edge by the reference's values, read in that way: `samples` of each frame. */
static double values_residual(const memory_view *v, const xr_reading *reading, size_t samples,
                              double coverage)
{
    xr_fit_sums sums = {0};
    size_t count = v->rows * v->length, step = count / samples + 1, tried = 0;
    step += step % 2 == 0; /* so that all channels and columns are met */
    for (size_t f = 0; f < v->pair->count && f < FRAMES; f++) {
        const xr_search_frame *s = &v->pair->frame[f];
        for (size_t i = f; i < count; i += step) {
            size_t from = xr_reading_source(reading, v->rows, v->length, i);
            tried++;
            if (from == SIZE_MAX)
                continue;
            double e = value_at(v, &s->edge[0], i), r = value_at(v, &s->reference, from);
            if (isfinite(e + r))
                xr_sums_add_pixel(&sums, 1, &e, &r, 1);
        }
        if (xr_unexplained_by_order(&sums, 1, NULL) > HOPELESS)
            break; /* the other frames need not be tried */
    }
    return sums.n < coverage * (double)tried ? 1 : xr_unexplained_by_order(&sums, 1, NULL);
}

/* The residual of pixels with any mixture of colors, read in that way. */
static double pixels_residual(const xr_input_pair *pair, const xr_reading *s)
{
    enum { LEAST_STEP = 13 };
    xr_fit_sums sums = {0};
    size_t pixels = pair->width * pair->height, channels = pair->channels;
    size_t step = (pixels / MOST_SAMPLES) | 1, few;
    step = step < LEAST_STEP ? LEAST_STEP : step;
    few = pixels / step;
    float *edge = malloc(few * channels * sizeof *edge), *other = malloc(few * channels * sizeof *other);
    for (size_t f = 0; edge && other && f < pair->count && f < FRAMES; f++) {
        const xr_search_frame *frame = &pair->frame[f];
        for (size_t i = 0; i < few; i++) {
            size_t at = i * step;
            size_t from = s->kind == XR_READ_COLUMNS ? at % pair->height * pair->width + at / pair->height
                                                     : xr_reading_source(s, pair->height, pair->width, at);
            for (size_t c = 0; c < channels; c++) {
                edge[c * few + i] = frame->edge[0].v[c * pixels + at];
                other[c * few + i] = from == SIZE_MAX ? NAN : frame->reference.v[c * pixels + from];
            }
        }
        xr_sums_add(&sums, channels, edge, other, NULL, few, 1);
        if (xr_unexplained_by_color(&sums, channels) > HOPELESS)
            break; /* the other frames need not be tried */
    }
    free(edge);
    free(other);
    return sums.n < (double)few / 4 ? 1 : xr_unexplained_by_color(&sums, channels);
}

/* ---- Candidates -------------------------------------------------------------------------------- */

typedef struct best_reading {
    xr_reading reading;
    double residual;
} best_reading;

static void consider(best_reading *best, const xr_reading *reading, double residual)
{
    if (residual < 0.9 * best->residual) {
        best->residual = residual;
        best->reading = *reading;
    }
}

/* Ways that are tried at the same time, and what each leaves. */
typedef struct reading_list {
    const memory_view *view; /* values are read; NULL: pixels */
    const xr_input_pair *pair;
    xr_reading *reading;
    double *residual;
    size_t count;
} reading_list;

enum { TOGETHER = 64 }; /* of them, one after another: one takes too little time for a turn of a thread */

/* 1 where a few samples say that it is nothing like it. */
static double reading_residual(const reading_list *list, const xr_reading *reading)
{
    if (!list->view)
        return pixels_residual(list->pair, reading);
    return values_residual(list->view, reading, FEW_SAMPLES, MOST) < HOPELESS
               ? values_residual(list->view, reading, MOST_SAMPLES, MOST)
               : 1;
}

static void try_some(void *user, size_t turn)
{
    reading_list *list = user;
    for (size_t i = turn * TOGETHER; i < list->count && i < (turn + 1) * TOGETHER; i++)
        list->residual[i] = reading_residual(list, &list->reading[i]);
}

static bool list_make(reading_list *list, const xr_input_pair *pair, const memory_view *view, size_t most)
{
    *list = (reading_list){.view = view,
                           .pair = pair,
                           .reading = malloc(most * sizeof *list->reading),
                           .residual = malloc(most * sizeof *list->residual)};
    return list->reading && list->residual;
}

static void list_try(reading_list *list)
{
    exray_comparison_share(list->pair->comparison, (list->count + TOGETHER - 1) / TOGETHER, try_some, list);
}

static void list_free(reading_list *list)
{
    free(list->reading);
    free(list->residual);
}

/* Rows of pixels that are longer, or shorter, where they are read or where they were written. */
static void try_pixels(const xr_input_pair *pair, best_reading *best)
{
    enum { REACH = 96 };
    reading_list list;
    bool ok = list_make(&list, pair, NULL, 4 * (size_t)REACH);
    for (int kind = XR_READ_AT_STEP; ok && kind <= XR_WRITTEN_AT_STEP; kind++)
        for (int64_t pixels = -REACH; pixels <= REACH; pixels++) {
            xr_reading r = xr_reading_of_pixels((xr_reading_kind)kind, false, pair->width, pixels);
            if (pixels != 0 && r.step >= 8 && (kind != XR_WRITTEN_AT_STEP || pixels > 0))
                list.reading[list.count++] = r;
        }
    if (ok)
        list_try(&list);
    for (size_t i = 0; i < list.count; i++)
        consider(best, &list.reading[i], list.residual[i]);
    list_free(&list);
    xr_reading order;
    for (size_t i = 0; xr_reading_order(i, false, &order); i++)
        consider(best, &order, pixels_residual(pair, &order));
    xr_reading columns = {.set = true, .kind = XR_READ_COLUMNS};
    if (pair->width != pair->height)
        consider(best, &columns, pixels_residual(pair, &columns));
}

/* Whether a pixel more or less along the rows leaves far more: a picture that has moved by a part of one does
 * not. */
static bool is_sharp(const memory_view *v, const xr_reading *reading)
{
    int64_t pixel = v->items == XR_ITEMS_PLANAR ? 1 : (int64_t)v->channels;
    double own = values_residual(v, reading, MOST_SAMPLES, MOST);
    for (int side = -1; side <= 1; side += 2) {
        xr_reading beside = *reading;
        beside.offset += side * pixel;
        if (own > 0.1 * values_residual(v, &beside, MOST_SAMPLES, MOST))
            return false;
    }
    return true;
}

/* Whether a buffer that is read from elsewhere goes on in the next row there where a picture that has moved
 * shows what lies beside it; of whole rows nothing does, so that they must fit to the pixel. */
static bool wraps(const memory_view *v, const xr_reading *reading)
{
    enum { LEAST = 64 };
    int64_t length = (int64_t)v->length, along = reading->offset % length;
    if (2 * along > length)
        along -= length;
    else if (2 * along < -length)
        along += length;
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < v->pair->count && f < FRAMES; f++)
        for (size_t i = 0; i < v->rows * v->length; i++) {
            int64_t column = (int64_t)(i % v->length) + along;
            size_t from =
                column < 0 || column >= length ? xr_reading_source(reading, v->rows, v->length, i) : SIZE_MAX;
            if (from == SIZE_MAX)
                continue;
            double e = value_at(v, &v->pair->frame[f].edge[0], i),
                   r = value_at(v, &v->pair->frame[f].reference, from);
            if (isfinite(e + r))
                xr_sums_add_pixel(&sums, 1, &e, &r, 1);
        }
    if (sums.n < LEAST)
        return is_sharp(v, reading);
    /* The ground of a letterbox lies beside the picture and in the next row: there it is the picture that has
     * moved. */
    const double level = v->pair->fit->level[EXRAY_SIDE_EDGE];
    return xr_sums_spread(&sums, 1) > level && xr_unexplained_by_order(&sums, 1, NULL) < RESAMPLED;
}

/* Rows of single values: at any step, and from any place on. */
static void try_steps(const memory_view *v, best_reading *best)
{
    for (int64_t size = 2; size <= 4; size *= 2) { /* words whose bytes are in the other order */
        const xr_reading r = {.set = true, .kind = XR_READ_GROUPS, .items = v->items, .step = size};
        consider(best, &r, values_residual(v, &r, MOST_SAMPLES, MOST));
    }
    int64_t length = (int64_t)v->length, reach = length < 1024 ? 4 * length : 4096;
    int64_t steps = length <= LONGEST ? 2 * length : 0;
    reading_list list;
    bool ok = list_make(&list, v->pair, v, (size_t)(2 * steps + 2 * reach + 1));
    for (int64_t step = 4; ok && step <= steps; step++) {
        xr_reading r = {.set = true, .kind = XR_WRITTEN_AT_STEP, .items = v->items, .step = step};
        if (step == length)
            continue;
        list.reading[list.count++] = r;
        r.kind = XR_READ_AT_STEP;
        list.reading[list.count++] = r;
    }
    for (int64_t offset = -reach; ok && offset <= reach; offset++)
        if (offset)
            list.reading[list.count++] = (xr_reading){
                .set = true, .kind = XR_READ_AT_STEP, .items = v->items, .step = length, .offset = offset};
    if (ok)
        list_try(&list);
    for (size_t i = 0; i < list.count; i++) {
        const xr_reading *r = &list.reading[i];
        best_reading next = *best;
        consider(&next, r, list.residual[i]);
        if (next.residual < best->residual && (!r->offset || next.residual > XR_EXACT_READING || wraps(v, r)))
            *best = next;
    }
    list_free(&list);
}

/* Whether item i of the edge has the value `stale`, in all frames. */
static bool is_stale(const memory_view *v, size_t i, double stale, double level)
{
    for (size_t f = 0; f < v->pair->count; f++)
        if (!(fabs((double)value_at(v, &v->pair->frame[f].edge[0], i) - stale) <= level / 4))
            return false;
    return true;
}

/* Buffers that are filled only in part: the first items of each row, or of all of them; the rest is one value
 * everywhere. */
static void try_parts(const memory_view *v, best_reading *best)
{
    size_t count = v->rows * v->length, end = count, row = v->length;
    double level = v->pair->fit->level[EXRAY_SIDE_EDGE];
    double stale = (double)value_at(v, &v->pair->frame[0].edge[0], count - 1);
    while (end > 0 && is_stale(v, end - 1, stale, level))
        end--;
    if (end > 0 && count - end >= LEAST_LINES * v->length) {
        xr_reading r = {.set = true,
                        .kind = XR_READ_AT_STEP,
                        .items = v->items,
                        .step = (int64_t)v->length,
                        .limit = (int64_t)end};
        consider(best, &r, values_residual(v, &r, MOST_SAMPLES, PART));
        /* A resize mixes the last row that was written with what lies below. */
        if (end % v->length == 0 && end > v->length) {
            r.limit -= (int64_t)v->length;
            consider(best, &r, values_residual(v, &r, MOST_SAMPLES, PART));
        }
    }
    for (bool all = true; all && row > 0; row -= all)
        for (size_t y = 0; y < v->rows && all; y++)
            all = is_stale(v, y * v->length + row - 1, stale, level);
    if (row > 0 && v->length - row >= LEAST_LINES) {
        xr_reading r = {.set = true,
                        .kind = XR_WRITTEN_AT_STEP,
                        .items = v->items,
                        .step = (int64_t)v->length,
                        .length = (int64_t)row};
        consider(best, &r, values_residual(v, &r, MOST_SAMPLES, PART));
    }
}

/* The residual of a picture of exchanged sides, made from the reference's. */
static double exchanged_residual(const xr_input_pair *pair, const xr_reading *reading)
{
    static const xr_part whole = {0, 1, 0, 1};
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < pair->count && f < FRAMES; f++) {
        xr_raster other = {0}, read = {0};
        if (xr_crop_raster(&pair->frame[f].reference, &whole, 0, pair->height, pair->width, &other) &&
            xr_reading_raster(reading, &other, &read))
            xr_sums_add(&sums, pair->channels, pair->frame[f].edge[0].v, read.v, NULL,
                        pair->width * pair->height, xr_search_step(pair, 5));
        xr_raster_free(&other);
        xr_raster_free(&read);
    }
    return xr_unexplained_by_color(&sums, pair->channels);
}

bool xr_find_stride(xr_input_pair *pair, xr_transform *transform)
{
    best_reading best = {.residual = 1};
    memory_view v = view_of(pair);
    try_pixels(pair, &best);
    if (best.residual > XR_EXACT_READING && pair->count > 0) {
        best_reading exact = best;
        try_parts(&v, &exact);
        if (exact.residual > XR_EXACT_READING)
            try_steps(&v, &exact);
        if (exact.residual < XR_EXACT_READING)
            best = exact;
    }
    xr_reading exchanged = {.set = true, .kind = XR_READ_EXCHANGED};
    if (best.residual > XR_EXACT_READING && pair->width != pair->height)
        consider(&best, &exchanged, exchanged_residual(pair, &exchanged));
    if (best.residual > 0.3 * transform->residual || best.residual > RESAMPLED)
        return false;
    transform->reading = best.reading;
    transform->layout = false;
    transform->turn.orientation = 0;
    transform->turn.runner_up_count = 0;
    transform->residual = best.residual;
    return true;
}
