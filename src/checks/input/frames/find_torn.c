#include "checks/input/frames/find_torn.h"

#include <math.h>
#include <stdlib.h>

/* How far away the other frame may be; lines that a part must have; lines beside the border that a resize
 * mixes, which are left out; frames that are looked at. */
enum { REACH = 4, FEWEST_LINES = 3, MIXED_LINES = 2, FRAME_LIMIT = 128 };

/* Levels rms: what noise leaves of a line; what shows another picture. */
#define NOISE 2.0
#define OTHER 4.0

/* ---- Differences line by line ------------------------------------------------------------------ */

/* Sums of the squared differences of rows, or of columns, in levels: of the first i lines, and of all from
 * line i on.  Either is a sum of its own lines alone, so that one line far off costs the others no digits. */
typedef struct line_totals {
    double *first, *rest; /* [lines + 1] */
    double every[2];      /* of every other line, from the first and from the second on */
    size_t lines;
} line_totals;

typedef struct line_differences {
    line_totals row, column;
} line_differences;

static void free_lines(line_differences *s)
{
    free(s->row.first);
    free(s->row.rest);
    free(s->column.first);
    free(s->column.rest);
    *s = (line_differences){0};
}

static bool make_sums(line_totals *s, size_t lines)
{
    *s =
        (line_totals){calloc(lines + 1, sizeof *s->first), calloc(lines + 1, sizeof *s->rest), {0, 0}, lines};
    return s->first && s->rest;
}

/* From the lines themselves, which are in rest[]. */
static void add_up(line_totals *s)
{
    for (size_t i = 0; i < s->lines; i++) {
        s->first[i + 1] = s->first[i] + s->rest[i];
        s->every[i % 2] += s->rest[i];
    }
    for (size_t i = s->lines; i-- > 0;)
        s->rest[i] += s->rest[i + 1];
}

static bool make_lines(line_differences *s, const xr_raster *edge, const xr_raster *reference, double level)
{
    *s = (line_differences){{0}, {0}};
    if (!make_sums(&s->row, edge->height) || !make_sums(&s->column, edge->width))
        return false;
    size_t pixels = edge->width * edge->height;
    for (size_t c = 0; c < edge->channels; c++)
        for (size_t y = 0; y < edge->height; y++)
            for (size_t x = 0; x < edge->width; x++) {
                size_t i = c * pixels + y * edge->width + x;
                double d = ((double)edge->v[i] - (double)reference->v[i]) / level;
                double square = isfinite(d) ? d * d : 1e12;
                s->row.rest[y] += square / (double)(edge->width * edge->channels);
                s->column.rest[x] += square / (double)(edge->height * edge->channels);
            }
    add_up(&s->row);
    add_up(&s->column);
    return true;
}

/* The rms of the first lines. */
static double rms_before(const line_totals *s, size_t count)
{
    return count ? sqrt(s->first[count] / (double)count) : 0;
}

/* The rms of the lines from one on. */
static double rms_from(const line_totals *s, size_t begin)
{
    return begin < s->lines ? sqrt(s->rest[begin] / (double)(s->lines - begin)) : 0;
}

/* ---- One frame --------------------------------------------------------------------------------- */

typedef struct tear {
    xr_torn_frame frame;
    double residual; /* levels rms */
} tear;

/* The rms of every other line. */
static double rms_of_field(const line_totals *s, size_t first)
{
    return sqrt(s->every[first] / (double)((s->lines + 1 - first) / 2));
}

/* Whether the lines before `at` are one side's and those behind the other's. */
static double residual_at(const line_totals *own, const line_totals *other, size_t at, bool before)
{
    const line_totals *first = before ? other : own, *second = before ? own : other;
    return fmax(rms_before(first, at > MIXED_LINES ? at - MIXED_LINES : 0),
                rms_from(second, at + MIXED_LINES));
}

/* Improves on *best by a border in these lines.  The part that is the other's must not be its own. */
static void try_lines(const line_totals *own, const line_totals *other, bool columns, size_t frame,
                      tear *best)
{
    for (int before = 0; before < 2; before++)
        for (size_t at = FEWEST_LINES + MIXED_LINES; at + FEWEST_LINES + MIXED_LINES < own->lines; at++) {
            double residual = residual_at(own, other, at, before);
            if (residual >= best->residual || residual > NOISE)
                continue;
            double as_own = before ? rms_before(own, at - MIXED_LINES) : rms_from(own, at + MIXED_LINES);
            if (as_own > OTHER + 2 * residual)
                *best = (tear){{true, frame, XR_TORN_AT_LINE, at, columns, before, 0}, residual};
        }
}

/* The same by every other line. */
static void try_fields(const line_totals *own, const line_totals *other, bool columns, size_t frame,
                       tear *best)
{
    for (size_t first = 0; first < 2; first++) {
        double residual = fmax(rms_of_field(other, first), rms_of_field(own, 1 - first));
        if (residual < best->residual && residual <= NOISE && rms_of_field(own, first) > OTHER + 2 * residual)
            *best = (tear){{true, frame, XR_TORN_FIELDS, first, columns, false, 0}, residual};
    }
}

/* The same by a share of every pixel.  own: the rms of the difference from the own frame. */
static void try_blend(const xr_raster *edge, const xr_raster *reference, const xr_raster *other, double own,
                      double level, size_t frame, xr_tear kind, tear *best)
{
    static const double least = 0.05, most = 0.95; /* of the other */
    const size_t count = edge->width * edge->height * edge->channels;
    double de = 0, dd = 0, ee = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)other->v[i] - (double)reference->v[i],
               e = (double)edge->v[i] - (double)reference->v[i];
        de += d * e, dd += d * d, ee += e * e;
    }
    if (!(dd > 0) || !isfinite(de + ee))
        return;
    const double share = de / dd, rest = sqrt(fmax(ee - share * de, 0) / (double)count) / level;
    if (share > least && share < most && rest <= NOISE && rest < best->residual && own > OTHER + 2 * rest)
        *best = (tear){{true, frame, kind, 0, false, false, share}, rest};
}

/* The same by patches of any form: what differs from the own frame is the other's, or between the two where a
 * resize has mixed them.  The other must show another thing there, which is no flat ground.  own: the rms of
 * the difference from the own frame. */
static void try_patches(const xr_raster *edge, const xr_raster *reference, const xr_raster *other, double own,
                        double level, size_t frame, tear *best)
{
    enum { FEWEST_PIXELS = 64 };
    static const double between_least = 0.8, other_least = 0.5, most = 0.7;
    const size_t pixels = edge->width * edge->height;
    double differing = 0, between = 0, others = 0, left = 0, x = 0, xx = 0;
    for (size_t i = 0; i < pixels; i++) {
        double farthest = 0, outside = 0, from_other = 0, sum = 0;
        for (size_t c = 0; c < edge->channels; c++) {
            const double e = (double)edge->v[c * pixels + i], r = (double)reference->v[c * pixels + i],
                         o = (double)other->v[c * pixels + i];
            farthest = fmax(farthest, fabs(e - r) / level);
            from_other = fmax(from_other, fabs(e - o) / level);
            outside = fmax(outside, fmax(fmin(r, o) - e, e - fmax(r, o)) / level);
            sum += e / level / (double)edge->channels;
        }
        const bool differs = !(farthest <= OTHER);
        const double rest = fmax(0, differs ? outside : farthest);
        left += rest * rest;
        if (!differs)
            continue;
        differing++;
        between += outside <= NOISE;
        others += from_other <= NOISE;
        x += sum, xx += sum * sum;
    }
    if (differing < FEWEST_PIXELS || differing > most * (double)pixels ||
        between < between_least * differing || others < other_least * differing ||
        xx / differing - x * x / differing / differing < OTHER * OTHER)
        return;
    const double residual = sqrt(left / (double)pixels);
    if (residual < best->residual && residual <= NOISE && own > 2 * residual)
        *best = (tear){{true, frame, XR_TORN_PATCHES, 0, false, false, differing / (double)pixels}, residual};
}

/* Both sides' pictures of the frames, read as they are needed. */
static bool load(xr_input_pair *pair, exray_side side, size_t frame, xr_raster *out)
{
    return xr_input_raster(pair, side, frame, false, NULL, out);
}

static bool same_size(const xr_raster *a, const xr_raster *b)
{
    return a->width == b->width && a->height == b->height && a->channels == b->channels;
}

/* The best tear of a frame by its neighbors; nearest first, so that of pictures that repeat the nearest is
 * named. */
static tear find_tear(xr_input_pair *pair, size_t frame, size_t frames, const xr_raster *edge,
                      const xr_raster *reference, const line_differences *own)
{
    tear best = {.residual = INFINITY};
    bool whole = false;
    double level = pair->fit->level[EXRAY_SIDE_EDGE];
    xr_raster before = {0};
    if (frame > 0 && load(pair, EXRAY_SIDE_EDGE, frame - 1, &before) && same_size(edge, &before))
        try_blend(edge, reference, &before, rms_before(&own->row, edge->height), level, frame - 1,
                  XR_TORN_SMOOTHED, &best);
    /* Only where it is torn in no other way: a straight part is a patch, too. */
    tear patches = {.residual = INFINITY};
    if (before.v && same_size(edge, &before))
        try_patches(edge, reference, &before, rms_before(&own->row, edge->height), level, frame - 1,
                    &patches);
    xr_raster_free(&before);
    for (int away = 1; away <= REACH && !best.frame.torn && !patches.frame.torn; away++)
        for (int sign = 1; sign >= -1; sign -= 2) {
            xr_raster other = {0};
            line_differences lines = {0};
            size_t g = frame + (size_t)(sign * away); /* wraps below 0, beyond `frames` */
            if (g < frames && load(pair, EXRAY_SIDE_REFERENCE, g, &other) && same_size(edge, &other) &&
                make_lines(&lines, edge, &other, level)) {
                /* A frame that shows another one all over is late, not torn. */
                whole = whole || rms_before(&lines.row, edge->height) < NOISE;
                try_lines(&own->row, &lines.row, false, g, &best);
                try_lines(&own->column, &lines.column, true, g, &best);
                try_fields(&own->row, &lines.row, false, g, &best);
                try_fields(&own->column, &lines.column, true, g, &best);
                try_blend(edge, reference, &other, rms_before(&own->row, edge->height), level, g,
                          XR_TORN_BLENDED, &best);
                try_patches(edge, reference, &other, rms_before(&own->row, edge->height), level, g, &patches);
            }
            free_lines(&lines);
            xr_raster_free(&other);
        }
    if (!best.frame.torn)
        best = patches;
    best.frame.torn = best.frame.torn && !whole;
    return best;
}

/* Judges one frame; false: it differs, and is not torn. */
static bool judge_frame(xr_input_pair *pair, size_t frame, size_t frames, xr_torn_frames *out)
{
    xr_raster edge = {0}, reference = {0};
    line_differences own = {0};
    bool explained = true;
    if (load(pair, EXRAY_SIDE_EDGE, frame, &edge) && load(pair, EXRAY_SIDE_REFERENCE, frame, &reference)) {
        explained = same_size(&edge, &reference) &&
                    make_lines(&own, &edge, &reference, pair->fit->level[EXRAY_SIDE_EDGE]);
        double before = explained ? rms_before(&own.row, edge.height) : 0;
        if (explained && before > NOISE) {
            tear t = find_tear(pair, frame, frames, &edge, &reference, &own);
            explained = t.frame.torn;
            if (explained) {
                out->frame[frame] = t.frame;
                out->torn++;
                out->of_kind[t.frame.tear]++;
                out->residual_before = fmax(out->residual_before, before);
                out->residual_after = fmax(out->residual_after, t.residual);
            }
        }
    }
    free_lines(&own);
    xr_raster_free(&edge);
    xr_raster_free(&reference);
    return explained;
}

bool xr_find_torn(xr_input_pair *pair, xr_torn_frames *out)
{
    size_t frames = exray_comparison_frame_count(pair->comparison);
    *out = (xr_torn_frames){.frame = calloc(frames + 1, sizeof *out->frame), .frames = frames};
    bool explained = out->frame && frames > 1 && pair->pictures == 1;
    for (size_t f = 0; f < frames && f < FRAME_LIMIT && explained; f++)
        explained = judge_frame(pair, f, frames, out);
    return explained && out->torn > 0;
}

void xr_torn_frames_free(xr_torn_frames *torn)
{
    free(torn->frame);
    *torn = (xr_torn_frames){0};
}
