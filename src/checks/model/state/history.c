#include "checks/model/state/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A history of many deviations that each explain a frame or two explains nothing. */
enum {
    FEW = 3,
    MOST_OUTPUTS = 32,
    LOOK_BACK = 48,
    MOST_MISSED = 64,
    MOST_WARM = 128,
    MOST_RUNS = 8000,
    LEAST_REACH = 3
};
/* Of an output's range, what another processor or kernel may make of it. */
static const double noise_share = 2e-4;
static const char key[] = "histories";

/* One side, being told. */
typedef struct telling {
    const exray_comparison *c;
    exray_side side;
    const exray_log *log;
    const xr_reruns *calls;
    void *run;
    xr_history *history;
    const char *name[MOST_OUTPUTS]; /* of the recorded outputs */
    double range[MOST_OUTPUTS];
    size_t outputs, frames;
    exray_slot *slot[2];
    size_t quota; /* runs of the model beyond which no more is tried */
    size_t late;  /* how many frames its inputs lag behind now */
    bool exact, failed;
    exray_error error;
} telling;

/* ---- Running ------------------------------------------------------------------------------------ */

static bool reset(telling *t)
{
    t->failed = t->failed || t->calls->reset(t->run, &t->error) != EXRAY_OK;
    return !t->failed;
}

static bool run_on(telling *t, const exray_log *log, size_t frame, int zeros)
{
    t->history->runs++;
    t->failed = t->failed || t->calls->run(t->run, log, frame, zeros, &t->error) != EXRAY_OK;
    return !t->failed;
}

/* On a frame of its own log, or what it gets there. */
static bool run_frame(telling *t, size_t frame)
{
    return run_on(t, t->log, frame >= t->late ? frame - t->late : 0, 0);
}

/* ---- Comparing ------------------------------------------------------------------------------------ */

static const exray_record *recorded(const telling *t, size_t output, size_t frame)
{
    const exray_record *r =
        exray_log_find(t->log, frame, EXRAY_KIND_OUTPUT, EXRAY_NO_INDEX, 0, t->name[output]);
    return r && r->has_data ? r : NULL;
}

static bool read_record(telling *t, const exray_record *r, int slot, exray_tensor_view *view)
{
    exray_error ignored;
    return exray_log_read_tensor(t->log, r, t->slot[slot], view, &ignored) == EXRAY_OK;
}

/* Whether numbers are equal within noise: a step of integers, a share of the range of others. */
static bool is_near(const telling *t, size_t output, const exray_tensor_view *view, const void *now,
                    size_t size)
{
    float *v[2] = {malloc((view->count + 1) * sizeof **v), malloc((view->count + 1) * sizeof **v)};
    bool near = v[0] && v[1] &&
                exray_tensor_dequantize(&view->info, view->data, view->size, view->count, v[0]) == EXRAY_OK &&
                exray_tensor_dequantize(&view->info, now, size, view->count, v[1]) == EXRAY_OK;
    const exray_quantization *q = &view->info.quantization;
    const bool integer = view->info.dtype != EXRAY_DTYPE_FLOAT32 && view->info.dtype != EXRAY_DTYPE_FLOAT16 &&
                         view->info.dtype != EXRAY_DTYPE_FLOAT64;
    const double step = !integer ? 0 : q->count ? (double)q->scale[0] : 1;
    const double allowed = fmax(step * 1.01, noise_share * t->range[output]);
    for (uint64_t i = 0; near && i < view->count; i++)
        near = v[0][i] == v[1][i] || fabs((double)v[0][i] - (double)v[1][i]) <= allowed;
    free(v[0]);
    free(v[1]);
    return near;
}

/* Whether the last run's outputs are those that were recorded in the frame; where none was, too. */
static bool is_frame(telling *t, size_t frame)
{
    for (size_t o = 0; o < t->outputs && !t->failed; o++) {
        const exray_record *r = recorded(t, o, frame);
        exray_tensor_view view;
        exray_tensor_info info;
        size_t size = 0;
        if (!r || !read_record(t, r, 0, &view))
            continue;
        const void *now = t->calls->output(t->run, t->name[o], &info, &size);
        if (!now || size != view.size || info.dtype != view.info.dtype)
            return false;
        if (memcmp(now, view.data, size) != 0 && (t->exact || !is_near(t, o, &view, now, size)))
            return false;
    }
    return !t->failed;
}

/* Whether a frame has the outputs of another, or none: as where the model was not run. */
static bool is_stale(telling *t, size_t frame, size_t other)
{
    for (size_t o = 0; o < t->outputs; o++) {
        const exray_record *r[2] = {recorded(t, o, frame), recorded(t, o, other)};
        exray_tensor_view view[2];
        if (!r[0])
            continue;
        if (!r[1] || !read_record(t, r[0], 0, &view[0]) || !read_record(t, r[1], 1, &view[1]) ||
            view[0].size != view[1].size || memcmp(view[0].data, view[1].data, view[0].size) != 0)
            return false;
    }
    return true;
}

/* Runs on from a frame; the first one whose outputs are others than the recorded. */
static size_t reach(telling *t, size_t frame)
{
    while (frame < t->frames && run_frame(t, frame) && is_frame(t, frame))
        frame++;
    return frame;
}

/* ---- Deviations ---------------------------------------------------------------------------------------- */

/* What was tried at a frame, and how far the best of it reaches. */
typedef struct trials {
    size_t at, floor; /* the frame that is to be explained; the last deviation before it */
    xr_deviation best;
    size_t far;
} trials;

/* What happens before the frame deviation->at; the frame that is run next. */
static size_t take_deviation(telling *t, const xr_deviation *deviation)
{
    const exray_log *other = exray_comparison_log(t->c, t->side ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE);
    size_t next = deviation->at;
    switch (deviation->kind) {
    case XR_DEVIATION_RESET:
        reset(t);
        break;
    case XR_DEVIATION_MISSED:
        next += deviation->count;
        break;
    case XR_DEVIATION_LATE:
        t->late++;
        break;
    case XR_DEVIATION_EMPTY:
        t->late++;
        run_on(t, t->log, 0, (int)deviation->first);
        next = 1;
        break;
    case XR_DEVIATION_TWICE:
        for (size_t i = 0; i < deviation->count; i++)
            run_frame(t, deviation->at - 1);
        break;
    case XR_DEVIATION_UNLOGGED:
        for (size_t i = 0; i < deviation->count; i++)
            run_on(t, other, deviation->first + i, 0);
        break;
    case XR_DEVIATION_WARM:
        for (size_t i = 0; i < deviation->count; i++)
            run_on(t, t->log, i, 0);
        break;
    default:
        break;
    }
    return next;
}

static bool is_late(const xr_deviation *deviation)
{
    return deviation->kind == XR_DEVIATION_LATE || deviation->kind == XR_DEVIATION_EMPTY;
}

/* The memory as the history so far has it before a frame; where it is reset there anyway, only how late it
 * is.
 */
static void go_to(telling *t, size_t frame, bool is_reset)
{
    const xr_history *s = t->history;
    size_t from = 0, next = 0;
    t->late = 0;
    for (size_t i = 0; i < s->count; i++)
        from = s->deviation[i].kind == XR_DEVIATION_RESET ? i : from;
    for (size_t i = 0; i < (is_reset ? s->count : from); i++)
        t->late += is_late(&s->deviation[i]);
    if (is_reset || !reset(t))
        return;
    if (from > 0 || (s->count && s->deviation[0].kind == XR_DEVIATION_RESET))
        next = s->deviation[from].at;
    for (size_t i = from; i < s->count; i++) {
        for (; next < s->deviation[i].at && !t->failed; next++)
            run_frame(t, next);
        next = take_deviation(t, &s->deviation[i]);
    }
    for (; next < frame && !t->failed; next++)
        run_frame(t, next);
}

static size_t follow_deviation(telling *t, const xr_deviation *deviation)
{
    go_to(t, deviation->at, deviation->kind == XR_DEVIATION_RESET);
    size_t next = take_deviation(t, deviation);
    if (t->failed || (deviation->kind == XR_DEVIATION_EMPTY && !is_frame(t, 0)))
        return deviation->at;
    return reach(t, next);
}

static bool has_quota(const telling *t)
{
    return t->history->runs < t->quota;
}

/* Tries a deviation; one that was found before reaches further to be taken instead. */
static size_t try_deviation(telling *t, trials *all, xr_deviation deviation)
{
    size_t far = t->failed || all->far == t->frames ? 0 : follow_deviation(t, &deviation);
    if (far > all->far) {
        all->best = deviation;
        all->far = far;
    }
    return far;
}

/* Whether so many frames from k on may not have been run. */
static bool may_be_missed(telling *t, size_t k, size_t count)
{
    bool stale = k > 0 && k + count < t->frames;
    for (size_t i = 0; stale && i < count; i++)
        stale = is_stale(t, k + i, k - 1);
    return stale;
}

/* The outputs may be equal by chance for some frames behind a deviation, so that it is to be tried before
 * them, too: of several that reach equally far it is not known which it was. */
static void try_back(telling *t, trials *all, xr_deviation_kind kind, size_t count)
{
    size_t best = 0, first = 0, last = 0;
    for (size_t k = all->at + 1; k-- > all->floor && all->at - k < LOOK_BACK && !t->failed && has_quota(t);) {
        const bool may = kind != XR_DEVIATION_MISSED || may_be_missed(t, k, count);
        size_t far = may ? follow_deviation(t, &(xr_deviation){.kind = kind, .at = k, .count = count}) : 0;
        if (far <= all->at)
            far = 0;
        if (far > best)
            last = k;
        if (far >= best && far)
            first = k;
        else if (best == t->frames)
            break;
        best = far > best ? far : best;
    }
    if (best > all->far) {
        all->best = (xr_deviation){.kind = kind, .at = last, .first = first, .count = count};
        all->far = best;
    }
}

/* Frames that the other log has where this one has a gap. */
static void try_unlogged(telling *t, trials *all)
{
    const exray_log *other = exray_comparison_log(t->c, t->side ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE);
    const uint64_t from = exray_log_frame(t->log, all->at - 1)->index,
                   to = exray_log_frame(t->log, all->at)->index;
    size_t first = 0, count = 0;
    for (size_t i = 0; to > from + 1 && i < exray_log_frame_count(other); i++) {
        const uint64_t index = exray_log_frame(other, i)->index;
        if (index <= from || index >= to)
            continue;
        first = count ? first : i;
        count++;
    }
    if (count)
        try_deviation(
            t, all,
            (xr_deviation){.kind = XR_DEVIATION_UNLOGGED, .at = all->at, .first = first, .count = count});
}

static void try_beginnings(telling *t, trials *all)
{
    for (size_t zeros = 1; zeros < 3; zeros++)
        try_deviation(t, all, (xr_deviation){.kind = XR_DEVIATION_EMPTY, .first = zeros});
    for (size_t m = 1; m <= t->frames && m <= MOST_WARM && all->far < t->frames && !t->failed && has_quota(t);
         m++)
        if (follow_deviation(t, &(xr_deviation){.kind = XR_DEVIATION_WARM, .count = m}) == t->frames) {
            all->best = (xr_deviation){.kind = XR_DEVIATION_WARM, .count = m};
            all->far = t->frames;
        }
    if (all->far >= LEAST_REACH || t->failed)
        return;
    /* Of a state that is forgotten in time the last frames show nothing; if they say anything at all. */
    size_t last = 0, moves = 0;
    t->failed = t->failed || !reset(t);
    t->late = 0;
    for (size_t f = 0; f < t->frames && !t->failed; f++)
        if (run_frame(t, f) && !is_frame(t, f))
            last = f + 1;
    for (size_t f = last + 1; f < t->frames; f++)
        moves += !is_stale(t, f, f - 1);
    if (!t->failed && moves >= LEAST_REACH && 4 * (t->frames - last) >= t->frames) {
        all->best = (xr_deviation){.kind = XR_DEVIATION_BEGIN, .at = last, .first = last};
        all->far = t->frames;
    }
}

/* The deviation at a frame that the history so far does not explain; false: none does. */
static bool find_deviation(telling *t, size_t at, size_t floor, trials *all)
{
    *all = (trials){.at = at, .floor = floor};
    t->quota = t->history->runs + MOST_RUNS;
    if (at == 0) {
        try_beginnings(t, all);
        return !t->failed && all->far > 0;
    }
    try_back(t, all, XR_DEVIATION_RESET, 0);
    if (all->far < t->frames)
        try_unlogged(t, all);
    if (all->far < t->frames)
        try_back(t, all, XR_DEVIATION_LATE, 0);
    if (all->far < t->frames && floor == 1) /* all of them, though it does not show before */
        try_deviation(t, all, (xr_deviation){.kind = XR_DEVIATION_LATE, .at = 1, .first = 1});
    for (size_t m = 1; m <= 2 && all->far < t->frames; m++)
        try_back(t, all, XR_DEVIATION_TWICE, m);
    for (size_t zeros = 1; zeros < 3 && all->far < t->frames && floor == 1; zeros++)
        try_deviation(t, all, (xr_deviation){.kind = XR_DEVIATION_EMPTY, .first = zeros});
    for (size_t m = 1; m <= MOST_MISSED && all->far < t->frames && has_quota(t); m++)
        try_back(t, all, XR_DEVIATION_MISSED, m);
    return !t->failed && all->far > at;
}

/* ---- Histories --------------------------------------------------------------------------------------- */

/* Reset before every frame. */
static bool is_every(telling *t)
{
    size_t f = 0;
    while (f < t->frames && reset(t) && run_frame(t, f) && is_frame(t, f))
        f++;
    return f == t->frames && t->frames > 1;
}

/* Deviations at every few frames explain noise, not a memory; resets one after another are one matter. */
static bool is_likely(const telling *t)
{
    const xr_history *s = t->history;
    size_t others = 0, resets = 0;
    for (size_t i = 0; i < s->count; i++) {
        const bool is_reset = s->deviation[i].kind == XR_DEVIATION_RESET;
        others += !is_reset;
        resets += is_reset && !(i && s->deviation[i - 1].at + 1 == s->deviation[i].at);
    }
    return others <= 4 && 3 * resets <= t->frames;
}

/* The fewest deviations that explain all outputs, one after the other; false: none do. */
static bool find_deviations(telling *t, size_t far)
{
    xr_history *s = t->history;
    size_t floor = 1;
    while (far < t->frames && !t->failed && s->count < XR_MOST_DEVIATIONS) {
        trials all;
        if (!find_deviation(t, far, floor, &all))
            return false;
        if (all.best.kind == XR_DEVIATION_EMPTY)
            s->count = 0; /* it is from the first frame on */
        s->deviation[s->count++] = all.best;
        floor = all.best.at + 1;
        far = all.far;
    }
    return far == t->frames && !t->failed;
}

/* *far: the first frame that a memory which is never reset does not explain. */
static void tell(telling *t, size_t *far)
{
    xr_history *s = t->history;
    s->count = 0;
    t->late = 0;
    *far = 0;
    if (!reset(t))
        return;
    *far = reach(t, 0);
    s->every = *far < t->frames && !t->failed && is_every(t);
    s->known = find_deviations(t, *far) && is_likely(t);
    /* Outputs that say little may be those of a few resets, too. */
    if (s->every && (!s->known || s->count > FEW || s->deviation[0].kind != XR_DEVIATION_RESET))
        s->count = 0;
    s->known = !t->failed && (s->known || s->every);
}

static void find_outputs(telling *t)
{
    for (size_t o = 0; o < exray_comparison_output_count(t->c) && t->outputs < MOST_OUTPUTS; o++) {
        const exray_io_pair *io = exray_comparison_output(t->c, o);
        const double low = io->metrics.min[t->side], high = io->metrics.max[t->side];
        if (!io->name[t->side] || !*io->name[t->side])
            continue;
        t->range[t->outputs] = isfinite(low) && isfinite(high) ? high - low : 0;
        t->name[t->outputs++] = io->name[t->side];
    }
    for (size_t f = 0; f < t->frames; f++)
        for (size_t o = 0; o < t->outputs; o++)
            if (recorded(t, o, f)) {
                t->history->frames++;
                break;
            }
}

static void open_loops(telling *t, const xr_loops *loops)
{
    for (size_t i = 0; i < loops->count && !t->failed; i++)
        if (loops->loop[i].output != SIZE_MAX)
            t->failed =
                t->calls->loop(t->run, exray_comparison_input(t->c, loops->loop[i].input)->name[t->side],
                               exray_comparison_output(t->c, loops->loop[i].output)->name[t->side],
                               &t->error) != EXRAY_OK;
}

static void tell_side(const exray_comparison *c, exray_side side, const xr_loops *loops,
                      const xr_reruns *calls, xr_history *history)
{
    const exray_log *log = exray_comparison_log(c, side);
    telling t = {.c = c,
                 .side = side,
                 .log = log,
                 .calls = calls,
                 .history = history,
                 .frames = exray_log_frame_count(log),
                 .slot = {exray_slot_new(), exray_slot_new()},
                 .exact = true,
                 .error = {EXRAY_E_MEMORY, "out of memory"}};
    t.run = t.slot[0] && t.slot[1] ? calls->open(calls->user, side, &t.error) : NULL;
    t.failed = !t.run;
    if (t.run) {
        find_outputs(&t);
        open_loops(&t, loops);
        snprintf(history->engine, sizeof history->engine, "%s", calls->engine(t.run));
    }
    /* Another arithmetic shows in the first frame; what differs later only is something else. */
    size_t far = 0;
    for (int round = 0; round < 2 && !t.failed && history->frames > 1 && !history->known && far == 0;
         round++) {
        t.exact = history->exact = round == 0;
        tell(&t, &far);
    }
    if (!history->known)
        snprintf(history->why, sizeof history->why, "none of what was tried explains the outputs");
    if (t.failed)
        snprintf(history->why, sizeof history->why, "%s", t.error.message);
    if (t.failed)
        history->known = false;
    if (t.run)
        calls->close(t.run);
    exray_slot_free(t.slot[0]);
    exray_slot_free(t.slot[1]);
}

const xr_histories *xr_histories_get(const exray_comparison *comparison, const xr_loops *loops,
                                     exray_findings *findings)
{
    xr_histories *histories = xr_findings_attached(findings, key, 0);
    if (histories || !findings->reruns)
        return histories;
    histories = calloc(1, sizeof *histories);
    if (!histories)
        return NULL;
    for (int s = 0; s < 2; s++)
        tell_side(comparison, (exray_side)s, loops, findings->reruns, &histories->side[s]);
    return xr_findings_attach(findings, key, 0, histories, free) ? histories : NULL;
}

uint64_t xr_history_frame(const exray_comparison *c, exray_side side, size_t position)
{
    const exray_log *log = exray_comparison_log(c, side);
    const size_t count = exray_log_frame_count(log);
    return exray_log_frame(log, position < count ? position : count - 1)->index;
}

static bool same_deviation(const exray_comparison *c, const xr_deviation *e, const xr_deviation *r)
{
    return e->kind == r->kind && e->count == r->count &&
           xr_history_frame(c, EXRAY_SIDE_EDGE, e->first) <=
               xr_history_frame(c, EXRAY_SIDE_REFERENCE, r->at) &&
           xr_history_frame(c, EXRAY_SIDE_REFERENCE, r->first) <= xr_history_frame(c, EXRAY_SIDE_EDGE, e->at);
}

bool xr_histories_differ(const exray_comparison *comparison, const xr_histories *histories)
{
    const xr_history *e = &histories->side[0], *r = &histories->side[1];
    if (!e->known || !r->known)
        return false;
    if (e->every != r->every || e->count != r->count)
        return true;
    for (size_t i = 0; i < e->count; i++)
        if (!same_deviation(comparison, &e->deviation[i], &r->deviation[i]))
            return true;
    return false;
}
