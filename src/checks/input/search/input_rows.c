/* Without the sensor's record, a picture read with a wrong stride is recognized by its rows: each
 * shows a row of the reference's, moved sideways by another amount than its neighbours, while the
 * rows follow each other as they should. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 48,   /* of a picture that are looked for */
    FRAMES = 4,  /* of those searched on */
    FEWEST = 12, /* rows with detail that tell anything */
};

/* How far a row may be from where it belongs, and moved sideways; parts of the picture's sides. */
#define DOWN   0.2
#define ACROSS 0.55
/* Share of the rows that must lie on one line, to so many pixels. */
#define ON_LINE 0.5
#define NEAR    2.5

/* Slopes along each row of the luma, or of the one channel; 0 where a value is not known. */
static float *slopes_of(const xr_raster *r)
{
    static const double weight[3] = {0.299, 0.587, 0.114};
    size_t pixels = r->width * r->height;
    float *out = calloc(pixels, sizeof *out);
    for (size_t i = 0; out && i + 1 < pixels; i++) {
        double slope = 0;
        for (size_t c = 0; c < r->channels; c++)
            slope += (r->channels == 3 ? weight[c] : 1) *
                     ((double)r->v[c * pixels + i + 1] - (double)r->v[c * pixels + i]);
        out[i] = (i + 1) % r->width && isfinite(slope) ? (float)slope : 0;
    }
    return out;
}

typedef struct found_row {
    double y, at; /* row of the edge's, and of the reference's that is most like it */
    double shift; /* moved sideways, pixels */
} found_row;

/* Correlation of a row with another that is moved by `shift`, of what both show; 0 where that is
 * too little. */
static double likeness(const float *edge, const float *reference, int64_t width, int64_t shift)
{
    int64_t from = shift > 0 ? shift : 0, to = shift < 0 ? width + shift : width;
    double aa = 1e-12, bb = 1e-12, ab = 0;
    for (int64_t x = from; x < to; x++) {
        double a = edge[x], b = reference[x - shift];
        aa += a * a, bb += b * b, ab += a * b;
    }
    return ab / sqrt(aa * bb) * sqrt((double)(to - from) / (double)width);
}

static double energy_of(const float *row, size_t width)
{
    double sum = 0;
    for (size_t x = 0; x < width; x++)
        sum += (double)row[x] * (double)row[x];
    return sum;
}

/* The reference's row that is most like row y. */
static found_row find_row(const float *edge, const float *reference, size_t width, size_t height, size_t y)
{
    int64_t reach = (int64_t)(ACROSS * (double)width), rows = (int64_t)(DOWN * (double)height);
    found_row best = {.y = (double)y};
    double most = -1;
    for (int64_t at = (int64_t)y - rows; at <= (int64_t)y + rows; at++)
        for (int64_t shift = -reach; at >= 0 && at < (int64_t)height && shift <= reach; shift++) {
            double like = likeness(edge + y * width, reference + (size_t)at * width, (int64_t)width, shift);
            if (like > most) {
                most = like;
                best.at = (double)at;
                best.shift = (double)shift;
            }
        }
    return best;
}

/* The line through the most of the rows found: how many lie on it. */
static size_t best_line(const found_row *row, size_t count, double *slope, double *start)
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

/* Whether most rows on the line are moved, and not all by the same amount. */
static bool is_sheared(const found_row *row, size_t count, double slope, double start)
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

bool xr_rows_are_moved(xr_scene *scene, size_t *frames, size_t *telling)
{
    *frames = *telling = 0;
    for (size_t f = 0; f < scene->count && f < FRAMES; f++) {
        const xr_search_frame *s = &scene->frame[f];
        size_t width = scene->width, height = scene->height, count = 0;
        float *edge = slopes_of(&s->edge[0]), *reference = slopes_of(&s->reference);
        found_row row[ROWS];
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
        ++*telling;
        size_t on = best_line(row, count, &slope, &start);
        *frames += (double)on >= ON_LINE * (double)count && is_sheared(row, count, slope, start);
    }
    return *telling > 0 && 2 * *frames > *telling;
}
