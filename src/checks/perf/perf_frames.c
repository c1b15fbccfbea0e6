/* perf.warmup and perf.throttle: from the times of the edge's frames, in order. */
#include "checks/ascending.h"
#include "checks/builtin.h"
#include "checks/perf/system_series.h"
#include "checks/perf/times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEWEST_FRAMES = 8, SEGMENT = 10, EIGHTHS = 8, FEWEST_IN_EIGHTH = 5 };

/* ---- Sizes of the inputs ----------------------------------------------------------- */

/* Elements of a frame's inputs; 0: not recorded. */
static double input_elements(const exray_log *log, size_t frame, exray_slot *slot)
{
    size_t records;
    const exray_record *record = exray_log_records_in(log, frame, slot, &records);
    double sum = 0;
    for (size_t i = 0; i < records; i++) {
        exray_tensor_view view;
        exray_error error;
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_INPUT &&
            exray_log_read_tensor(log, &record[i], slot, &view, &error) == EXRAY_OK)
            sum += (double)view.count;
    }
    return sum;
}

/* The median of the inputs' elements over frames [from, to) of the table. */
static double median_elements(const exray_log *log, const exray_latency_table *t, size_t from, size_t to,
                              double *scratch)
{
    enum { MOST = 200 }; /* frames, evenly taken */
    exray_slot *slot = exray_slot_new();
    size_t step = (to - from) / MOST + 1, count = 0;
    for (size_t i = from; slot && i < to; i += step)
        scratch[count++] = input_elements(log, t->frame[i], slot);
    exray_slot_free(slot);
    qsort(scratch, count, sizeof *scratch, xr_ascending_doubles);
    return count ? scratch[count / 2] : 0;
}

/* Whether the model was given more in frames [from, to) of the table than in [other, until): it may take
 * longer. */
static bool has_larger_inputs(const exray_comparison *c, size_t from, size_t to, size_t other, size_t until,
                              double *scratch)
{
    const exray_log *log = exray_comparison_log(c, EXRAY_SIDE_EDGE);
    const exray_latency_table *t = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    return median_elements(log, t, from, to, scratch) > 1.02 * median_elements(log, t, other, until, scratch);
}

/* ---- Warm-up ------------------------------------------------------------------- */

/* The first frame's time over the median. */
static double first_ratio(const exray_latency_table *t)
{
    return t->settled.count >= FEWEST_FRAMES ? t->inference[0] / t->settled.median : NAN;
}

static void judge_warmup(const exray_comparison *c, exray_findings *findings, double *scratch)
{
    const exray_latency_table *t = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    double ratio = first_ratio(t), usual = first_ratio(exray_comparison_latency(c, EXRAY_SIDE_REFERENCE));
    /* A scheduler may interrupt any frame, also the first.  So the first must lose far more time than
     * any other (without the slowest hundredth); and where others lose time as well, a single slow
     * frame must show a larger ratio. */
    double slowest = xr_quantile(t->inference + t->warmup, t->frames - t->warmup, 0.99, scratch);
    double rest = fmax(slowest - t->settled.median, 0);
    bool two = t->warmup > 1 && t->inference[1] - t->settled.median > 3 * rest;
    bool quiet = two || rest < 0.25 * t->settled.median;
    double needed = exray_findings_option(findings, quiet ? "warmup_ratio" : "warmup_among_hiccups");
    /* A slow first frame on both sides is normal for the engine. */
    if (t->warmup == 0 || !(ratio >= needed) || t->inference[0] - t->settled.median < 3 * rest ||
        (usual > 1 && ratio < needed * usual) ||
        has_larger_inputs(c, 0, t->warmup, t->warmup, t->frames, scratch))
        return;
    exray_finding *f = exray_findings_add(findings, "perf.warmup", EXRAY_SEVERITY_WARNING, 0.9);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The first %s slow: %.3g ms, %.3g times the usual %.3g ms.",
                          t->warmup == 1 ? "frame is" : "frames are", t->inference[0] / 1e6, ratio,
                          t->settled.median / 1e6);
    exray_finding_fix(f, "Run the model once on any input before the first frame that counts, and build "
                         "delegates and caches at start.");
    exray_finding_number(f, "first_ms", t->inference[0] / 1e6);
    exray_finding_number(f, "median_ms", t->settled.median / 1e6);
    exray_finding_number(f, "ratio", ratio);
    exray_finding_number(f, "frames", (double)t->warmup);
    exray_finding_number(f, "reference_ratio", usual);
}

/* ---- Throttling ------------------------------------------------------------------ */

/* How many of `count` ascending values are less than x; or, if `equal`, no more than x. */
static size_t count_below(const double *ascending, size_t count, double x, bool equal)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ascending[middle] < x || (equal && ascending[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The change point by ranks (Pettitt, 1979): the first index of the later part.  Equal times, as a clock of
 * whole milliseconds gives them, share the middle of their ranks. */
static size_t change_point(const double *value, size_t count, double *scratch)
{
    memcpy(scratch, value, count * sizeof *value);
    qsort(scratch, count, sizeof *scratch, xr_ascending_doubles);
    double sum = 0, most = 0;
    size_t at = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t less = count_below(scratch, count, value[i], false);
        size_t no_more = count_below(scratch, count, value[i], true);
        sum += ((double)less + (double)no_more - (double)count) / 2;
        if (-sum > most) {
            most = -sum;
            at = i + 1;
        }
    }
    return at;
}

static bool take_mhz(const exray_system *s, double *value)
{
    *value = s->cpu_mhz;
    return s->has_mhz;
}

static bool take_celsius(const exray_system *s, double *value)
{
    *value = s->cpu_celsius;
    return s->has_celsius;
}

/* The median of such a value over frames [from, to) of the table. */
static double system_median(const exray_log *log, const exray_latency_table *t, size_t from, size_t to,
                            xr_system_value *take, double *scratch)
{
    size_t count = xr_system_series_of(log, t->frame + from, to > from ? to - from : 0, take, scratch);
    qsort(scratch, count, sizeof *scratch, xr_ascending_doubles);
    return count ? scratch[count / 2] : NAN;
}

/* The reference's ratio for the same frames: where its times change, too, the data are the reason. */
static double reference_change(const exray_comparison *c, size_t edge_frame, double *scratch, size_t room)
{
    const exray_log *log = exray_comparison_log(c, EXRAY_SIDE_REFERENCE);
    double median[2];
    for (int later = 0; later < 2; later++) {
        size_t count = 0;
        for (size_t i = 0; i < exray_comparison_frame_count(c) && count < room; i++) {
            exray_frame_pair pair = exray_comparison_frame(c, i);
            uint64_t ns = exray_log_frame(log, pair.frame[EXRAY_SIDE_REFERENCE])->inference_ns;
            if (ns && (pair.frame[EXRAY_SIDE_EDGE] >= edge_frame) == (later == 1))
                scratch[count++] = (double)ns;
        }
        qsort(scratch, count, sizeof *scratch, xr_ascending_doubles);
        median[later] = count >= 3 ? scratch[count / 2] : NAN;
    }
    return median[1] / median[0];
}

/* A slowdown: the frames after the warm-up, before and from `at`. */
typedef struct slowdown {
    size_t at;            /* the first frame of the later part */
    double before, after; /* ns, medians of the parts that are compared */
    bool drift;           /* gradual: the first eighth is compared with the last */
    bool clock_fell;
    double mhz[2], celsius[2];
} slowdown;

/* A step: nine of ten later frames are slower than nine of ten earlier ones. */
static bool find_step(const double *value, size_t count, double *scratch, slowdown *s)
{
    if (count < 2 * SEGMENT)
        return false;
    s->at = change_point(value, count, scratch);
    if (s->at < SEGMENT || count - s->at < SEGMENT)
        return false;
    const double *later = value + s->at;
    size_t rest = count - s->at;
    s->before = xr_quantile(value, s->at, 0.5, scratch);
    s->after = xr_quantile(later, rest, 0.5, scratch);
    return xr_quantile(later, rest, 0.1, scratch) > xr_quantile(value, s->at, 0.9, scratch);
}

/* A drift: the medians of the eighths rise, with at most one pair out of order.  Of 8! = 40,320 random
 * orders only 8 do. */
static bool find_drift(const double *value, size_t count, double *scratch, slowdown *s)
{
    if (count < EIGHTHS * FEWEST_IN_EIGHTH)
        return false;
    double median[EIGHTHS];
    size_t inverted = 0;
    for (size_t i = 0; i < EIGHTHS; i++) {
        size_t from = i * count / EIGHTHS, to = (i + 1) * count / EIGHTHS;
        median[i] = xr_quantile(value + from, to - from, 0.5, scratch);
        for (size_t k = 0; k < i; k++)
            inverted += median[k] >= median[i];
    }
    s->before = median[0];
    s->after = median[EIGHTHS - 1];
    s->at = count / 2;
    s->drift = true;
    return inverted <= 1;
}

static void read_system(const exray_log *log, const exray_latency_table *t, slowdown *s, double *scratch)
{
    for (size_t part = 0; part < 2; part++) {
        size_t from = t->warmup + (part ? s->at : 0), to = part ? t->frames : t->warmup + s->at;
        s->mhz[part] = system_median(log, t, from, to, take_mhz, scratch);
        s->celsius[part] = system_median(log, t, from, to, take_celsius, scratch);
    }
    s->clock_fell = s->mhz[1] < 0.9 * s->mhz[0];
}

/* Whether it lasts: shares of processor time change within milliseconds, heat within seconds. */
static bool lasts(const exray_log *log, const exray_latency_table *t, const slowdown *s, double seconds)
{
    size_t from = t->warmup + (s->drift ? 0 : s->at);
    const exray_frame *first = exray_log_frame(log, t->frame[from]);
    const exray_frame *last = exray_log_frame(log, t->frame[t->frames - 1]);
    return ((double)last->end_ns - (double)first->begin_ns) / 1e9 >= seconds;
}

static void report_throttle(exray_findings *findings, const slowdown *s, uint64_t from_frame)
{
    double ratio = s->after / s->before;
    exray_finding *f =
        exray_findings_add(findings, "perf.throttle", EXRAY_SEVERITY_WARNING, s->clock_fell ? 0.95 : 0.7);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    if (s->drift)
        exray_finding_summary(
            f,
            "The edge gets slower and slower: %.3g ms in the first eighth of the frames, %.3g ms in the last "
            "(%.3g times).",
            s->before / 1e6, s->after / 1e6, ratio);
    else
        exray_finding_summary(
            f, "The edge gets slower while it runs: from frame %llu on %.3g ms, before %.3g ms (%.3g times).",
            (unsigned long long)from_frame, s->after / 1e6, s->before / 1e6, ratio);
    if (s->clock_fell)
        exray_finding_detail(f, "The processor's clock fell from %.0f to %.0f MHz.", s->mhz[0], s->mhz[1]);
    else
        exray_finding_detail(f, "The processor's clock %s: another program may have taken its time as well.",
                             isnan(s->mhz[0]) ? "was not recorded" : "did not fall");
    exray_finding_fix(
        f, "Cool the device, run fewer frames a second or fewer threads, and keep other work off it.");
    exray_finding_number(f, "ratio", ratio);
    exray_finding_number(f, "before_ms", s->before / 1e6);
    exray_finding_number(f, "after_ms", s->after / 1e6);
    if (!s->drift)
        exray_finding_number(f, "from_frame", (double)from_frame);
    exray_finding_number(f, "mhz_before", s->mhz[0]);
    exray_finding_number(f, "mhz_after", s->mhz[1]);
    exray_finding_number(f, "celsius_before", s->celsius[0]);
    exray_finding_number(f, "celsius_after", s->celsius[1]);
}

static bool judge_slowdown(const exray_comparison *c, exray_findings *findings, slowdown *s, double *scratch,
                           size_t room)
{
    const exray_latency_table *t = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    const exray_log *log = exray_comparison_log(c, EXRAY_SIDE_EDGE);
    read_system(log, t, s, scratch);
    const char *limit = s->clock_fell ? "throttle_ratio"
                        : s->drift    ? "throttle_drift"
                                      : "throttle_unexplained";
    double ratio = s->after / s->before;
    if (!(ratio >= exray_findings_option(findings, limit)) ||
        (!s->clock_fell && !lasts(log, t, s, exray_findings_option(findings, "throttle_seconds"))))
        return false;
    size_t at = t->frame[t->warmup + s->at];
    if (log10(reference_change(c, at, scratch, room)) > 0.5 * log10(s->drift ? sqrt(ratio) : ratio))
        return false;
    size_t middle = t->warmup + s->at;
    if (has_larger_inputs(c, middle, t->frames, t->warmup, middle, scratch))
        return false;
    report_throttle(findings, s, exray_log_frame(log, at)->index);
    return true;
}

static void judge_throttle(const exray_comparison *c, exray_findings *findings, double *scratch, size_t room)
{
    const exray_latency_table *t = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    const double *value = t->inference + t->warmup;
    size_t count = t->frames - t->warmup;
    slowdown step = {0}, drift = {0};
    if (find_drift(value, count, scratch, &drift) && judge_slowdown(c, findings, &drift, scratch, room))
        return;
    if (find_step(value, count, scratch, &step))
        judge_slowdown(c, findings, &step, scratch, room);
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    const exray_latency_table *t = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    if (t->settled.count < FEWEST_FRAMES) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message,
                 "the edge log has inference times of %zu frames after the warm-up; 8 are needed",
                 t->settled.count);
        return EXRAY_E_STATE;
    }
    size_t room = t->frames + exray_comparison_frame_count(c) + 1;
    double *scratch = calloc(room, sizeof *scratch);
    if (!scratch) {
        error->status = EXRAY_E_MEMORY;
        return EXRAY_E_MEMORY;
    }
    judge_warmup(c, findings, scratch);
    judge_throttle(c, findings, scratch, room);
    free(scratch);
    return EXRAY_OK;
}

static const char *const causes[] = {"perf.warmup", "perf.throttle", NULL};

static const exray_option options[] = {
    {"warmup_ratio", "ratio of the first frame's time to the median, and of that to the reference's", 3, 1,
     1e6},
    {"warmup_among_hiccups",
     "the same if later frames are delayed by more than a quarter and only the first is slow", 5, 1, 1e6},
    {"throttle_ratio", "times slower in the later part, if the recorded clock fell by a tenth", 1.25, 1, 1e6},
    {"throttle_unexplained", "the same without a recorded fall of the clock: other programs cause up to 2",
     2.5, 1, 1e6},
    {"throttle_drift", "the same if the time rises in every eighth of the frames", 1.5, 1, 1e6},
    {"throttle_seconds",
     "seconds that the slower part (all of a drift) must last without a recorded fall of the clock: "
     "schedulers act faster, heat does not",
     2, 0, 1e6},
    {NULL, NULL, 0, 0, 0},
};

const exray_assertion xr_assertion_perf_frames = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "perf.frames",
    .summary = "the first frames are as fast as the rest, and the last as the first",
    .causes = causes,
    .needs = "/frame of the edge with inference_ns, 8 frames",
    .run = run,
    .options = options,
};
