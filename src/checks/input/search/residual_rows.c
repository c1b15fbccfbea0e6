/* Whether the residual is that of a wrong stride, without the sensor's record: each row of the edge is a
 * row of the reference, shifted sideways by another amount than its neighbors, while the order of the
 * rows is right. */
#include "checks/input/search/residual.h"

#include "checks/input/fit/lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 48,   /* of a picture that are matched */
    FRAMES = 4,  /* of those that are searched */
    FEWEST = 12, /* rows with detail that a frame must have */
    COLUMNS =
        160, /* a wider picture is narrowed to about so many: else the search takes as long as its square */
};

/* How far a row may be from its place, and be shifted sideways: shares of height and width. */
#define DOWN   0.2
#define ACROSS 0.55
/* Share of the rows that must be on one line, and to how many pixels. */
#define ON_LINE 0.5
#define NEAR    2.5

/* The picture's luma, or its one channel, each row narrowed to `width` columns by means; 0 where a value is
 * not known. */
static float *narrowed_luma(const xr_raster *r, size_t width, size_t by)
{
    static const double weight[3] = {0.299, 0.587, 0.114};
    size_t pixels = r->width * r->height;
    float *out = calloc(width * r->height, sizeof *out);
    for (size_t y = 0; out && y < r->height; y++)
        for (size_t x = 0; x < width * by; x++)
            for (size_t c = 0; c < r->channels; c++) {
                double v = (r->channels == 3 ? weight[c] : 1) * (double)r->v[c * pixels + y * r->width + x];
                out[y * width + x / by] += isfinite(v) ? (float)(v / (double)by) : 0;
            }
    return out;
}

/* Slopes along each row of a picture that is narrowed. */
static float *slopes_of(const xr_raster *r, size_t width, size_t by)
{
    float *luma = narrowed_luma(r, width, by);
    for (size_t y = 0; luma && y < r->height; y++)
        for (size_t x = 0; x < width; x++)
            luma[y * width + x] = x + 1 < width ? luma[y * width + x + 1] - luma[y * width + x] : 0;
    return luma;
}

typedef struct matched_row {
    double y, at; /* row of the edge, and the most similar one of the reference */
    double shift; /* sideways, pixels */
} matched_row;

/* Sums of squares of a row's first values, [width + 1]. */
static void add_squares(const float *row, size_t width, double *sum)
{
    sum[0] = 0;
    for (size_t x = 0; x < width; x++)
        sum[x + 1] = sum[x] + (double)row[x] * (double)row[x];
}

/* The correlation of a row with a shifted one, times a penalty for low coverage. */
static double similarity(const float *edge, const float *reference, const double *edge_squares,
                         const double *reference_squares, int64_t width, int64_t shift)
{
    int64_t from = shift > 0 ? shift : 0, to = shift < 0 ? width + shift : width, x = from;
    xr_float_lanes lanes = {0};
    for (; x + XR_FLOAT_LANES <= to; x += XR_FLOAT_LANES)
        lanes += XR_FLOAT_LANES_AT(edge + x) * XR_FLOAT_LANES_AT(reference + x - shift);
    double ab = xr_float_lanes_total(&lanes);
    for (; x < to; x++)
        ab += (double)edge[x] * (double)reference[x - shift];
    double aa = 1e-12 + edge_squares[to] - edge_squares[from];
    double bb = 1e-12 + reference_squares[to - shift] - reference_squares[from - shift];
    return ab / sqrt(aa * bb) * sqrt((double)(to - from) / (double)width);
}

static double energy_of(const float *row, size_t width)
{
    double sum = 0;
    for (size_t x = 0; x < width; x++)
        sum += (double)row[x] * (double)row[x];
    return sum;
}

/* The reference's row that is most similar to row y. */
static matched_row find_row(const float *edge, const float *reference, size_t width, size_t height, size_t y)
{
    int64_t reach = (int64_t)(ACROSS * (double)width), rows = (int64_t)(DOWN * (double)height);
    int64_t step = (int64_t)height / (2 * COLUMNS) + 1; /* neighbors of high pictures are alike */
    matched_row best = {.y = (double)y};
    double most = -1, edge_squares[COLUMNS + 1], squares[COLUMNS + 1];
    add_squares(edge + y * width, width, edge_squares);
    for (int64_t at = (int64_t)y - rows; at <= (int64_t)y + rows; at += step) {
        if (at < 0 || at >= (int64_t)height)
            continue;
        const float *row = reference + (size_t)at * width;
        add_squares(row, width, squares);
        for (int64_t shift = -reach; shift <= reach; shift++) {
            double similar = similarity(edge + y * width, row, edge_squares, squares, (int64_t)width, shift);
            if (similar > most) {
                most = similar;
                best.at = (double)at;
                best.shift = (double)shift;
            }
        }
    }
    return best;
}

/* Finds the line that most of the rows are on, and returns how many are. */
static size_t best_line(const matched_row *row, size_t count, double *slope, double *start)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++) {
            double a = row[k].y > row[i].y + 20 ? (row[k].at - row[i].at) / (row[k].y - row[i].y) : 0;
            if (a < 0.7 || a > 1.4)
                continue;
            double b = row[i].at - a * row[i].y;
            size_t on = 0;
            for (size_t j = 0; j < count; j++)
                on += fabs(row[j].at - a * row[j].y - b) < NEAR;
            if (on > most) {
                most = on;
                *slope = a;
                *start = b;
            }
        }
    return most;
}

/* Whether most rows on the line are shifted, and by different amounts. */
static bool is_sheared(const matched_row *row, size_t count, double slope, double start)
{
    size_t on = 0, moved = 0, alike = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(row[i].at - slope * row[i].y - start) < NEAR))
            continue;
        size_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += fabs(row[k].shift - row[i].shift) < 2;
        on++;
        moved += fabs(row[i].shift) > 2;
        alike += 2 * same > count;
    }
    return 2 * moved > on && 2 * alike < on;
}

bool xr_rows_are_shifted(xr_input_pair *pair, size_t *frames, size_t *usable)
{
    *frames = *usable = 0;
    for (size_t f = 0; f < pair->count && f < FRAMES; f++) {
        const xr_search_frame *s = &pair->frame[f];
        size_t by = pair->width / COLUMNS + 1, width = pair->width / by, height = pair->height, count = 0;
        float *edge = slopes_of(&s->edge[0], width, by), *reference = slopes_of(&s->reference, width, by);
        matched_row row[ROWS];
        double mean = 0, slope = 1, start = 0;
        for (size_t y = 0; edge && y < height; y++)
            mean += energy_of(edge + y * width, width) / (double)height;
        for (size_t i = 0; edge && reference && i < ROWS; i++) {
            size_t y = (2 * i + 1) * height / (2 * ROWS);
            if (energy_of(edge + y * width, width) > mean / 8)
                row[count++] = find_row(edge, reference, width, height, y);
        }
        free(edge);
        free(reference);
        if (count < FEWEST)
            continue;
        ++*usable;
        size_t on = best_line(row, count, &slope, &start);
        *frames += (double)on >= ON_LINE * (double)count && is_sheared(row, count, slope, start);
    }
    return *usable > 0 && 2 * *frames > *usable;
}
