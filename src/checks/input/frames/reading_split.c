#include "checks/input/frames/reading_split.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A separation that so many of random values would show is none, unless a wide gap lies between the two. */
static const double by_chance = 0.05, wide_gap = 1;

static double value_of(const exray_reading_series *r, size_t frame, size_t at)
{
    return r->value[frame * r->width + at];
}

/* log of n over k. */
static double log_choices(size_t n, size_t k)
{
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

/* The ranges of the chosen frames and the others; false: a frame has no value. */
static bool find_ranges(const exray_reading_series *r, size_t at, const bool *chosen, size_t frames,
                        xr_reading_split *s, size_t count[2])
{
    count[0] = count[1] = 0;
    for (int k = 0; k < 2; k++) {
        s->low[k] = INFINITY;
        s->high[k] = -INFINITY;
    }
    for (size_t f = 0; f < frames; f++) {
        const double v = value_of(r, f, at);
        const int k = chosen[f] ? 1 : 0;
        if (!isfinite(v))
            return false;
        s->low[k] = fmin(s->low[k], v);
        s->high[k] = fmax(s->high[k], v);
        count[k]++;
    }
    return count[0] && count[1];
}

/* Whether no value of the one kind of frames lies within the range of the other kind's. */
static bool is_free(const exray_reading_series *r, size_t at, const bool *chosen, size_t frames, int inner,
                    const xr_reading_split *s)
{
    for (size_t f = 0; f < frames; f++) {
        const double v = value_of(r, f, at);
        if ((int)chosen[f] != inner && v >= s->low[inner] && v <= s->high[inner])
            return false;
    }
    return true;
}

/* How clearly one value separates them: 0: not at all, or as many random values would. */
static double judge(const exray_reading_series *r, size_t at, const bool *chosen, size_t frames,
                    size_t candidates, xr_reading_split *s)
{
    size_t count[2];
    if (!find_ranges(r, at, chosen, frames, s, count))
        return 0;
    const double chance = log((double)candidates) - log_choices(frames, count[1]);
    const double within = (s->high[0] - s->low[0]) + (s->high[1] - s->low[1]);
    const double gap = fmax(s->low[1] - s->high[0], s->low[0] - s->high[1]);
    const double clear = gap / (within + 1e-9 * (1 + fabs(s->high[0]) + fabs(s->high[1])));
    s->reading = r;
    s->at = at;
    if (gap > 0 && (clear >= wide_gap || exp(chance + log(2)) < by_chance)) {
        s->relation = s->low[1] > s->high[0] ? XR_SPLIT_ABOVE : XR_SPLIT_BELOW;
        s->threshold =
            s->relation == XR_SPLIT_ABOVE ? (s->high[0] + s->low[1]) / 2 : (s->high[1] + s->low[0]) / 2;
        return 1 + clear;
    }
    for (int inner = 1; gap <= 0 && inner >= 0; inner--)
        if (is_free(r, at, chosen, frames, inner, s) &&
            exp(chance + log((double)(count[!inner] + 1))) < by_chance) {
            s->relation = inner ? XR_SPLIT_WITHIN : XR_SPLIT_BEYOND;
            return 0.5; /* less telling than one threshold */
        }
    return 0;
}

bool xr_split_by_reading(const exray_comparison *comparison, const bool *chosen, xr_reading_split *out)
{
    const size_t frames = exray_comparison_frame_count(comparison),
                 readings = exray_comparison_reading_count(comparison);
    size_t candidates = 0;
    double most = 0;
    for (size_t i = 0; i < readings; i++)
        candidates += exray_comparison_reading(comparison, i)->width;
    for (size_t i = 0; i < readings; i++) {
        const exray_reading_series *r = exray_comparison_reading(comparison, i);
        for (size_t k = 0; k < r->width; k++) {
            xr_reading_split s;
            const double clear = judge(r, k, chosen, frames, candidates, &s);
            if (clear > most) {
                most = clear;
                *out = s;
            }
        }
    }
    return most > 0;
}

void xr_split_name(const xr_reading_split *split, char *text, size_t size)
{
    if (split->reading->width > 1)
        snprintf(text, size, "%.100s[%zu]", split->reading->name, split->at);
    else
        snprintf(text, size, "%.100s", split->reading->name);
}

/* "90", "0.5 to 2". */
static void say_range(double low, double high, char text[64])
{
    if (low < high)
        snprintf(text, 64, "%.6g to %.6g", low, high);
    else
        snprintf(text, 64, "%.6g", low);
}

void xr_split_words(const xr_reading_split *split, char *text, size_t size)
{
    char name[128], range[64];
    const char *unit = split->reading->unit, *blank = *unit ? " " : "";
    xr_split_name(split, name, sizeof name);
    switch (split->relation) {
    case XR_SPLIT_BELOW:
    case XR_SPLIT_ABOVE:
        snprintf(text, size, "the reading %s is %s %.4g%s%s", name,
                 split->relation == XR_SPLIT_BELOW ? "below" : "above", split->threshold, blank, unit);
        break;
    default: {
        const int k = split->relation == XR_SPLIT_WITHIN ? 1 : 0;
        say_range(split->low[k], split->high[k], range);
        snprintf(text, size, "the reading %s is %s%s%s%s", name, k ? "" : "not ", range, blank, unit);
        break;
    }
    }
}
