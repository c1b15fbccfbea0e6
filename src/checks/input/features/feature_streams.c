#include "checks/input/features/feature_frames.h"
#include "checks/input/frames/stream_hop.h"

#include <stdlib.h>
#include <string.h>

/* Frames of no more rows are worth a join; and what a table has of rows at least, and of frames at most. */
enum { FEW_ROWS = 8, LEAST_JOINED_ROWS = 12, MOST_JOINED = 128, MOST_BINS = 256 };

/* Samples from one frame to the next of the same recording; 0: there are none, or the next is of another. */
static long hop_to_next(const xr_feature_frames *f, size_t i)
{
    bool follows = i + 1 < f->count && f->list[i + 1].frame == f->list[i].frame + 1;
    return follows ? xr_hop_to_next(f->comparison, f->list[i].frame) : 0;
}

/* How many frames from i on follow each other at one hop. */
static size_t run_from(const xr_feature_frames *f, size_t i, long *hop)
{
    size_t n = 1;
    *hop = hop_to_next(f, i);
    while (*hop > 0 && n < MOST_JOINED && hop_to_next(f, i + n - 1) == *hop)
        n++;
    return n;
}

/* The frames of a table: of the shorter one of the recordings that have enough. */
static size_t joined_length(const xr_feature_frames *f, size_t rows)
{
    size_t least = 0, n;
    long hop;
    for (size_t i = 0; i < f->count; i += n) {
        n = run_from(f, i, &hop);
        if (n * rows >= LEAST_JOINED_ROWS && (least == 0 || n < least))
            least = n;
    }
    return least;
}

/* One side's rows after each other; of frames that store bins first, time is put first. */
static float *join_side(const xr_feature_frames *f, size_t first, size_t n, int side, size_t rows,
                        size_t bins, bool bins_first)
{
    float *out = malloc(n * rows * bins * sizeof *out);
    for (size_t j = 0; out && j < n; j++)
        for (size_t r = 0; r < rows; r++)
            for (size_t b = 0; b < bins; b++)
                out[(j * rows + r) * bins + b] =
                    f->list[first + j].side[side][bins_first ? b * rows + r : r * bins + b];
    return out;
}

static bool join_frames(xr_feature_frames *f, size_t first, size_t n, long hop, size_t rows, bool bins_first,
                        xr_feature_frame *out)
{
    const size_t bins = f->rows * f->bins / rows;
    *out = (xr_feature_frame){.frame = f->list[first].frame, .joined = n, .hop = hop};
    for (int s = 0; s < 2; s++)
        out->side[s] = join_side(f, first, n, s, rows, bins, bins_first);
    if (!out->side[0] || !out->side[1]) {
        free(out->side[0]);
        free(out->side[1]);
        return false;
    }
    xr_measure_features(out, n * rows * bins);
    return true;
}

static void take_tables(xr_feature_frames *f, xr_feature_frame *list, size_t count, size_t rows, size_t bins)
{
    xr_free_feature_list(f->list, f->count);
    f->list = list, f->count = count, f->differing = 0;
    for (size_t i = 0; i < count; i++)
        f->differing += list[i].differs;
    f->rows = rows, f->bins = bins;
    f->axis_known = f->table = true;
    xr_set_allowed_features(f);
}

bool xr_join_features(xr_feature_frames *f)
{
    /* As they are stored, where nothing has told the axes. */
    bool stored = f->dimensions == 2 && f->rows == 1;
    size_t first = stored ? f->size[0] : f->rows, second = stored ? f->size[1] : f->bins;
    bool bins_first = second < first;
    size_t rows = bins_first ? second : first, bins = bins_first ? first : second;
    if (f->dimensions == 0 || rows == 0 || rows > FEW_ROWS || bins < FEW_ROWS || bins > MOST_BINS)
        return false;
    size_t n = joined_length(f, rows), count = 0, run;
    xr_feature_frame *list = n ? calloc(f->count / n + 1, sizeof *list) : NULL;
    bool made = list != NULL, differs = false;
    for (size_t i = 0; made && i < f->count; i += run) {
        long hop;
        run = run_from(f, i, &hop);
        if (run >= n) {
            made = join_frames(f, i, n, hop, rows, bins_first, &list[count]);
            count += made;
            differs = differs || (made && list[count - 1].differs);
        }
    }
    if (made && differs) {
        take_tables(f, list, count, n * rows, bins);
        return true;
    }
    xr_free_feature_list(list, count);
    return false;
}
