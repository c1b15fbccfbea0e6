#include "checks/input/features/feature_limits.h"

#include <math.h>

/* A limit is a side's least or greatest value if this part of its cells has it. */
#define LIMIT_SHARE 0.005
/* This part of the cells has to be within the limits of both sides. */
#define WITHIN_SHARE 0.05
/* Of the cells at a limit, this part has to be beyond it by the line. */
#define BEYOND_SHARE 0.98
/* By a gain nearer to 1 and an offset that is a smaller part of the spread nothing was done to the values. */
#define LEAST_CHANGE 0.03

typedef struct side_limits {
    double low, high;
    bool at_low, at_high; /* enough cells are there */
} side_limits;

static side_limits limits_of(const xr_feature_frames *f, int side)
{
    side_limits out = {.low = INFINITY, .high = -INFINITY};
    size_t low = 0, high = 0, all = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < f->count; i++)
            for (size_t k = 0; f->list[i].differs && k < f->rows * f->bins; k++) {
                double v = f->list[i].side[side][k];
                if (pass == 0)
                    out.low = fmin(out.low, v), out.high = fmax(out.high, v), all++;
                else
                    low += v <= out.low, high += v >= out.high;
            }
    out.at_low = (double)low > LIMIT_SHARE * (double)all;
    out.at_high = (double)high > LIMIT_SHARE * (double)all;
    return out;
}

/* -1, 1: at the side's lower, upper limit. */
static int limit_at(const side_limits *l, double v)
{
    return l->at_high && v >= l->high ? 1 : l->at_low && v <= l->low ? -1 : 0;
}

/* Whether a cell at a limit is beyond it by the line, as clipping makes it. */
static bool is_beyond(const xr_feature_relation *line, double y, int y_at, double x, int x_at, double slack)
{
    double over = line->gain * x + line->offset - y; /* by which the line exceeds what the edge has */
    if (x_at && y_at)
        return x_at == y_at || fabs(over) <= slack;
    /* The edge is clipped to y, or the reference is to x. */
    return y_at ? over * y_at >= -slack : -over * x_at >= -slack;
}

typedef struct limit_sums {
    double n, x, y, xx, yy, xy;
} limit_sums;

static bool fit(const limit_sums *s, xr_feature_relation *out)
{
    double xx = s->xx - s->x * s->x / s->n, yy = s->yy - s->y * s->y / s->n, xy = s->xy - s->x * s->y / s->n;
    if (!(s->n > 256) || !(xx > 0) || !(yy > 0) || !(xy > 0))
        return false;
    out->gain = xy / xx;
    out->offset = (s->y - out->gain * s->x) / s->n;
    out->rest = fmax(0, 1 - xy * xy / (xx * yy));
    out->spread = sqrt(yy / s->n);
    return true;
}

bool xr_fit_limited_features(const xr_feature_frames *f, xr_feature_relation *out)
{
    const side_limits edge = limits_of(f, EXRAY_SIDE_EDGE), reference = limits_of(f, EXRAY_SIDE_REFERENCE);
    xr_feature_relation line = {.ratio = 1, .rest_before = out->rest_before};
    limit_sums s = {0};
    double all = 0, beyond = 0, slack = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < f->count; i++)
            for (size_t k = 0; f->list[i].differs && k < f->rows * f->bins; k++) {
                double y = f->list[i].side[EXRAY_SIDE_EDGE][k], x = f->list[i].side[EXRAY_SIDE_REFERENCE][k];
                int y_at = limit_at(&edge, y), x_at = limit_at(&reference, x);
                bool within = !y_at && !x_at;
                if (pass == 0 && within)
                    s.n++, s.x += x, s.y += y, s.xx += x * x, s.yy += y * y, s.xy += x * y;
                else if (pass == 1 && !within)
                    beyond += is_beyond(&line, y, y_at, x, x_at, slack);
                all += pass == 0;
            }
        if (pass == 0 && (s.n >= all || s.n < WITHIN_SHARE * all || !fit(&s, &line)))
            return false;
        slack = f->scale * (1 + line.gain) + 3 * sqrt(line.rest) * line.spread;
    }
    bool changed = fabs(line.gain - 1) > LEAST_CHANGE || fabs(line.offset) > LEAST_CHANGE * line.spread;
    if (!changed || line.rest > 2 * f->allowed || beyond < BEYOND_SHARE * (all - s.n))
        return false;
    *out = line;
    out->kind = XR_FEATURES_LIMITED;
    return true;
}
