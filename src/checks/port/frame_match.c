#include "checks/port/frame_match.h"

#include "checks/port/port_samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAMES = 512, /* longer logs are judged by their beginning */
    ALL_FRAMES = 256,  /* in so many frames the source is searched everywhere, else nearby */
    NEARBY = 16,
    ENOUGH_VALUES = 8 /* equal ones, of all frames together, that are no coincidence */
};
/* Another frame's output is equal within the noise; the own one is not from this many times it on. */
#define APART 3.0

typedef struct frame_work {
    const exray_comparison *comparison;
    size_t pair, frames;
    float **value[2]; /* [frames][count] */
    size_t *count[2]; /* [frames]; 0: none */
    uint64_t elements;
    double tolerance;
} frame_work;

static bool keep(frame_work *w, int side, size_t frame, const xr_port_sample *sample)
{
    w->count[side][frame] = sample->samples;
    w->value[side][frame] = malloc((sample->samples + 1) * sizeof *sample->value);
    if (w->value[side][frame])
        memcpy(w->value[side][frame], sample->value, sample->samples * sizeof *sample->value);
    return w->value[side][frame] != NULL;
}

static exray_status read_frames(frame_work *w, xr_port_sample *sample, exray_slot *slot, exray_error *error)
{
    for (size_t f = 0; f < w->frames; f++)
        for (int s = 0; s < 2; s++) {
            exray_status status = xr_port_sample_read(w->comparison, (exray_side)s, f, EXRAY_KIND_OUTPUT,
                                                      w->pair, slot, sample, error);
            if (status != EXRAY_OK)
                return status;
            if (!keep(w, s, f, sample))
                return EXRAY_E_MEMORY;
            w->elements = sample->count > w->elements ? sample->count : w->elements;
        }
    return EXRAY_OK;
}

/* Whether an edge's and a reference's frame differ by no more than `limit`. */
static bool near(const frame_work *w, size_t edge, size_t reference, double limit)
{
    size_t n = w->count[0][edge];
    const float *a = w->value[0][edge], *b = w->value[1][reference];
    double square = 0, most = limit * limit * (double)n;
    if (n == 0 || n != w->count[1][reference])
        return false;
    for (size_t i = 0; i < n && square <= most; i++) {
        if (isfinite(a[i]) != isfinite(b[i]))
            return false;
        square += isfinite(a[i]) ? ((double)a[i] - b[i]) * ((double)a[i] - b[i]) : 0;
    }
    return square <= most;
}

/* The nearest frame, the earlier one first, whose output it is; SIZE_MAX: none. */
static size_t source_of(const frame_work *w, size_t frame)
{
    size_t furthest = w->frames <= ALL_FRAMES ? w->frames : NEARBY;
    for (size_t d = 1; d <= furthest; d++) {
        if (d <= frame && near(w, frame, frame - d, w->tolerance))
            return frame - d;
        if (frame + d < w->frames && near(w, frame, frame + d, w->tolerance))
            return frame + d;
    }
    return SIZE_MAX;
}

/* An output that is kept is the very same in both frames.  Outputs that merely resemble one frame's are those
 * of a model that gives much the same whatever it sees. */
static bool repeats_exactly(const frame_work *w, const xr_frame_match *m, size_t frame)
{
    for (size_t f = 0; f < frame; f++) {
        const float *a = w->value[0][f], *b = w->value[0][frame];
        size_t n = w->count[0][f];
        bool same =
            n == w->count[0][frame] && n > 0 && m->source[f] == m->source[frame] && m->source[f] != SIZE_MAX;
        if (same && memcmp(a, b, n * sizeof *a) != 0)
            return false;
    }
    return true;
}

static void judge(const frame_work *w, xr_frame_match *out)
{
    size_t late = 0, early = 0, unexplained = 0, first_unexplained = w->frames;
    out->same_lag = out->explains = true;
    for (size_t f = 0; f < w->frames; f++) {
        out->source[f] = f;
        if (w->count[0][f] == 0 || w->count[1][f] == 0 || near(w, f, f, APART * w->tolerance))
            continue;
        size_t g = source_of(w, f);
        if (g == SIZE_MAX) {
            out->unknown += unexplained == f && out->moved == 0; /* at the beginning */
            first_unexplained = unexplained++ ? first_unexplained : f;
            out->source[f] = SIZE_MAX;
            continue;
        }
        long lag = (long)f - (long)g;
        out->same_lag = out->same_lag && (out->moved == 0 || lag == out->lag);
        out->lag = lag;
        out->source[f] = g;
        out->moved++;
        late += g + 1 == f;
        early += g == f + 1;
    }
    out->late = late == out->moved;
    out->early = early == out->moved;
    /* What came before the first frame, or behind the last one, is not in the log. */
    const bool ending = out->same_lag && out->lag < 0 && unexplained <= (size_t)-out->lag &&
                        first_unexplained + unexplained == w->frames;
    out->after = ending ? unexplained : 0;
    bool beginning = unexplained == 0 || (out->same_lag && out->lag > 0 && out->unknown == unexplained &&
                                          unexplained <= (size_t)out->lag);
    uint64_t few = w->elements < ENOUGH_VALUES ? w->elements : ENOUGH_VALUES;
    for (size_t f = 0; f < w->frames; f++)
        out->explains = out->explains && repeats_exactly(w, out, f);
    for (size_t f = 0; f < w->frames; f++)
        out->source[f] = out->source[f] == SIZE_MAX ? f : out->source[f];
    bool enough = few * out->moved >= ENOUGH_VALUES && (w->elements >= ENOUGH_VALUES || out->same_lag);
    out->explains = out->explains && out->moved > 0 && (beginning || ending) && enough;
}

/* ---- Torn: read while the next one was written ---------------------------------------------------- */

enum { TORN_REACH = 4, TORN_VALUES = 4, TORN_SHARE = 16 };

/* Squared differences of a frame of the edge: of the values before each place from the frame that begins it,
 * of those behind from the one that ends it. */
typedef struct torn_sums {
    double *before, *behind; /* [count + 1] */
} torn_sums;

static double squared(float a, float b)
{
    const double d = (double)a - (double)b;
    return isfinite(d) ? d * d : isfinite(a) == isfinite(b) ? 0 : INFINITY;
}

static void add_up(const torn_sums *s, const float *edge, const float *begins, const float *ends, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->before[i + 1] = s->before[i] + squared(edge[i], begins[i]);
    for (size_t i = n; i-- > 0;)
        s->behind[i] = s->behind[i + 1] + squared(edge[i], ends[i]);
}

/* Values that differ from each other: what is zero in both frames is of neither. */
static bool is_telling(const float *value, size_t count)
{
    size_t others = 0;
    for (size_t i = 1; i < count && others < TORN_VALUES; i++)
        others += value[i] != value[i - 1];
    return others >= TORN_VALUES;
}

/* Whether a part that differs by a sum of squares follows the other frame, and is not only as near to it as
 * to anything: mostly zeros are, of one scores as of others'. */
static bool follows(const float *value, size_t count, double sum)
{
    static const double most = 0.25; /* of its own variance */
    double mean = 0, square = 0;
    for (size_t i = 0; i < count; i++)
        mean += isfinite(value[i]) ? (double)value[i] / (double)count : 0;
    for (size_t i = 0; i < count; i++)
        square += isfinite(value[i]) ? ((double)value[i] - mean) * ((double)value[i] - mean) : 0;
    return sum <= most * square;
}

static bool within(double sum, size_t count, double limit)
{
    return sum <= limit * limit * (double)count;
}

/* Whether the first values of a frame are one side's and the others the other's; *at: where the border is.
 * The part of the other frame is not the own one's. */
static bool find_border(const frame_work *w, const torn_sums *s, size_t frame, bool first, size_t *at)
{
    const size_t n = w->count[0][frame];
    const size_t least = n / TORN_SHARE > TORN_VALUES ? n / TORN_SHARE : TORN_VALUES;
    double best = INFINITY;
    for (size_t p = least; p + least <= n; p++) {
        const double left = s->before[p], right = s->behind[p];
        if (left + right >= best || !within(left, p, w->tolerance) || !within(right, n - p, w->tolerance))
            continue;
        best = left + right;
        *at = p;
    }
    const size_t part = first ? *at : n - *at;
    const double apart = first ? s->behind[0] - s->behind[*at] : s->before[n] - s->before[*at];
    const float *value = w->value[0][frame] + (first ? 0 : *at);
    return isfinite(best) && !within(apart, part, APART * w->tolerance) && is_telling(value, part) &&
           follows(value, part, first ? s->before[*at] : s->behind[*at]);
}

static bool is_torn(const frame_work *w, size_t frame, size_t from, bool first, size_t *at)
{
    const size_t n = w->count[0][frame];
    const float *own = w->value[1][frame], *other = w->value[1][from];
    torn_sums s = {calloc(n + 1, sizeof *s.before), calloc(n + 1, sizeof *s.behind)};
    bool torn = s.before && s.behind && n == w->count[1][frame] && n == w->count[1][from];
    if (torn) {
        add_up(&s, w->value[0][frame], first ? other : own, first ? own : other, n);
        torn = find_border(w, &s, frame, first, at);
    }
    free(s.before);
    free(s.behind);
    return torn;
}

/* Whether all frames that differ are torn by one lag, each at a place of its own. */
static bool judge_torn(const frame_work *w, long lag, bool first, xr_frame_match *out)
{
    size_t moved = 0, unknown = 0;
    double share = 0;
    for (size_t f = 0; f < w->frames; f++) {
        const size_t from = f - (size_t)lag, n = w->count[0][f]; /* wraps below 0 */
        size_t at = 0;
        out->source[f] = f;
        if (n == 0 || w->count[1][f] == 0 || near(w, f, f, APART * w->tolerance))
            continue;
        if (from >= w->frames) {
            unknown++;
            continue;
        }
        if (!is_torn(w, f, from, first, &at))
            return false;
        out->source[f] = from;
        share = fmax(share, (double)(first ? at : n - at) / (double)n);
        moved++;
    }
    if (moved == 0)
        return false;
    *out = (xr_frame_match){true,
                            out->source,
                            w->frames,
                            moved,
                            lag > 0 ? unknown : 0,
                            lag < 0 ? unknown : 0,
                            lag == 1,
                            lag == -1,
                            true,
                            lag,
                            true,
                            first,
                            share};
    return true;
}

static void find_torn(const frame_work *w, xr_frame_match *out)
{
    const xr_frame_match whole = *out;
    for (long away = 1; away <= TORN_REACH; away++)
        for (int way = 0; way < 4; way++)
            if (judge_torn(w, way < 2 ? away : -away, way % 2, out))
                return;
    *out = whole;
    for (size_t f = 0; f < w->frames; f++)
        out->source[f] = f;
}

static bool make_room(frame_work *w, xr_frame_match *out)
{
    size_t n = w->frames + 1;
    out->source = calloc(n, sizeof *out->source);
    for (int s = 0; s < 2; s++) {
        w->value[s] = calloc(n, sizeof *w->value[s]);
        w->count[s] = calloc(n, sizeof *w->count[s]);
    }
    return out->source && w->value[0] && w->value[1] && w->count[0] && w->count[1];
}

exray_status xr_frame_match_make(const exray_comparison *comparison, size_t pair, xr_frame_match *out,
                                 exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    size_t frames = exray_comparison_frame_count(comparison);
    frame_work w = {
        .comparison = comparison, .pair = pair, .frames = frames < MOST_FRAMES ? frames : MOST_FRAMES};
    *out = (xr_frame_match){.frame_count = w.frames};
    const exray_metrics *m = &io->metrics;
    if (!io->comparable || io->error <= io->noise || w.frames < 2 || !(m->std[1] > 0))
        return EXRAY_OK;
    double noise = isfinite(io->noise) ? fmin(io->noise, 0.2) : 0;
    w.tolerance = fmax(noise * m->std[1], 1e-6 * fmax(fabs(m->min[1]), fabs(m->max[1])));
    exray_slot *slot = exray_slot_new();
    xr_port_sample *sample = calloc(1, sizeof *sample);
    exray_status status = slot && sample && make_room(&w, out) ? EXRAY_OK : EXRAY_E_MEMORY;
    if (status == EXRAY_OK)
        status = read_frames(&w, sample, slot, error);
    if (status == EXRAY_OK) {
        judge(&w, out);
        if (!out->explains)
            find_torn(&w, out);
    }
    for (int s = 0; s < 2; s++) {
        for (size_t f = 0; w.value[s] && f < w.frames; f++)
            free(w.value[s][f]);
        free(w.value[s]);
        free(w.count[s]);
    }
    free(sample);
    exray_slot_free(slot);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing outputs of other frames"};
    return status;
}

void xr_frame_match_free(xr_frame_match *match)
{
    free(match->source);
    match->source = NULL;
}
