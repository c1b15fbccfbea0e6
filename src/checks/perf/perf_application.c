/* perf.application: what a frame takes outside of the inference, before and after it.
 *
 * From the frames alone: the inputs are recorded right before the inference (or right after it), the outputs,
 * layers and latencies after it.  What lies between the frame's begin (or its last sensor record: a camera
 * may keep the application waiting) and its first input, and between its last output and its end, is the
 * application's own work; what recording costs lies between those.
 *
 * A reference is a yardstick only where its frames hold the same work: not where exray replayed them, and not
 * where it was done before they begin.  Other programs interrupt some frames but not all: the quickest frames
 * must tell the same as most of them do. */
#include "checks/builtin.h"
#include "checks/perf/setup.h"
#include "checks/perf/times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_FRAMES = 5 };

/* Share of its own time and the inference's from which on the application's is worth a word by itself. */
#define MOST_OF_FRAME 0.8

/* The application's own work in one frame, ns. */
typedef struct own_work {
    double before, after;
} own_work;

/* Of all frames of a side after the warm-up. */
typedef struct side_work {
    size_t count;
    double *before, *after, *sum, *frame; /* ns, by frame */
    double *scratch;
    double inference; /* the median */
} side_work;

/* The times of a frame's records: of its last sensor, its first input, its last output, layer or latency. */
typedef struct marks {
    uint64_t sensor, input, output;
} marks;

static marks marks_of(const exray_log *log, size_t frame, exray_slot *slot)
{
    marks m = {0, UINT64_MAX, 0};
    size_t count;
    const exray_record *record = exray_log_records_in(log, frame, slot, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t at = record[i].log_time;
        bool tensor = record[i].message == EXRAY_MESSAGE_TENSOR;
        if (tensor && record[i].kind == EXRAY_KIND_INPUT && at < m.input)
            m.input = at;
        if (tensor && record[i].kind == EXRAY_KIND_SENSOR && at > m.sensor)
            m.sensor = at;
        bool behind = record[i].message == EXRAY_MESSAGE_LATENCY ||
                      (tensor && (record[i].kind == EXRAY_KIND_OUTPUT || record[i].kind == EXRAY_KIND_LAYER));
        if (behind && at > m.output)
            m.output = at;
    }
    return m;
}

static double since(uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) : 0;
}

/* False: the frame does not tell. */
static bool read_work(const exray_log *log, size_t i, exray_slot *slot, own_work *out)
{
    const exray_frame *frame = exray_log_frame(log, i);
    marks m = marks_of(log, i, slot);
    double inference = (double)frame->inference_ns, rest = since(frame->begin_ns, frame->end_ns) - inference;
    if (!frame->complete || frame->inference_ns == 0 || rest < 0)
        return false;
    if (m.input == UINT64_MAX || m.output < m.input) {
        /* No values are recorded, which costs next to nothing: the rest is the application's. */
        *out = (own_work){rest, 0};
        return m.input == UINT64_MAX && m.output == 0;
    }
    uint64_t begin = m.sensor > frame->begin_ns && m.sensor <= m.input ? m.sensor : frame->begin_ns;
    double before = since(begin, m.input), after = since(m.output, frame->end_ns);
    /* Recorded after the inference: that lies before the input's record, then. */
    if (since(m.input, m.output) < inference)
        before = fmax(before - inference, 0);
    /* Records that do not bear the time at which they were made must not add up to more than there was. */
    double most = fmin(1, rest / fmax(before + after, 1));
    *out = (own_work){before * most, after * most};
    return true;
}

static void free_work(side_work *w)
{
    free(w->before);
    free(w->after);
    free(w->sum);
    free(w->frame);
    free(w->scratch);
    *w = (side_work){0};
}

static bool collect(const exray_comparison *c, exray_side side, side_work *w)
{
    const exray_log *log = exray_comparison_log(c, side);
    const exray_latency_table *t = exray_comparison_latency(c, side);
    size_t room = t->frames + 1;
    *w = (side_work){0,
                     calloc(room, sizeof(double)),
                     calloc(room, sizeof(double)),
                     calloc(room, sizeof(double)),
                     calloc(room, sizeof(double)),
                     calloc(room, sizeof(double)),
                     t->settled.median};
    exray_slot *slot = exray_slot_new();
    if (!w->before || !w->after || !w->sum || !w->frame || !w->scratch || !slot) {
        exray_slot_free(slot);
        return false;
    }
    /* The first frame, too, is one in which the application may still build its tables. */
    for (size_t i = t->warmup ? t->warmup : 1; i < t->frames; i++) {
        own_work one;
        if (!read_work(log, t->frame[i], slot, &one))
            continue;
        const exray_frame *frame = exray_log_frame(log, t->frame[i]);
        w->before[w->count] = one.before;
        w->after[w->count] = one.after;
        w->sum[w->count] = one.before + one.after;
        w->frame[w->count++] = since(frame->begin_ns, frame->end_ns);
    }
    exray_slot_free(slot);
    return true;
}

static double median(const double *value, const side_work *w)
{
    return xr_quantile(value, w->count, 0.5, w->scratch);
}

/* ---- Spans -------------------------------------------------------------------------- */

/* The median of a span over the frames that have it; NAN: none has. */
static double span_median(const exray_comparison *c, exray_side side, const char *name)
{
    const exray_log *log = exray_comparison_log(c, side);
    const exray_latency_table *t = exray_comparison_latency(c, side);
    double *value = calloc(2 * t->frames + 1, sizeof *value); /* the second half to sort in */
    size_t found = 0;
    for (size_t i = 0; value && i < t->frames; i++) {
        size_t count;
        const exray_named_span *span = exray_log_frame_spans(log, t->frame[i], &count);
        double sum = 0;
        bool has = false;
        for (size_t k = 0; k < count; k++)
            if (strcmp(span[k].name, name) == 0) {
                sum += (double)span[k].nanoseconds;
                has = true;
            }
        if (has)
            value[found++] = sum;
    }
    double result = value ? xr_quantile(value, found, 0.5, value + t->frames) : NAN;
    free(value);
    return result;
}

/* Names the span that takes most of the application's own time: half of it, at least. */
static void say_span(const exray_comparison *c, exray_finding *f, double own)
{
    const exray_log *log = exray_comparison_log(c, EXRAY_SIDE_EDGE);
    const exray_latency_table *t = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    size_t count;
    const exray_named_span *span = exray_log_frame_spans(log, t->frame[t->frames - 1], &count);
    const char *longest = NULL;
    double most = 0;
    for (size_t k = 0; k < count; k++) {
        double one = span_median(c, EXRAY_SIDE_EDGE, span[k].name);
        char key[120];
        snprintf(key, sizeof key, "span_%.100s_ms", span[k].name);
        exray_finding_number(f, key, one / 1e6);
        if (one > most) {
            most = one;
            longest = span[k].name;
        }
    }
    if (!longest || most < 0.5 * own)
        return;
    double reference = span_median(c, EXRAY_SIDE_REFERENCE, longest);
    if (isnan(reference))
        exray_finding_detail(f, "The span '%.100s' takes %.3g ms (median).", longest, most / 1e6);
    else
        exray_finding_detail(f, "The span '%.100s' takes %.3g ms, in the reference %.3g ms (medians).",
                             longest, most / 1e6, reference / 1e6);
    exray_finding_text(f, "span", longest);
}

/* What the edge's frames are made of. */
static void say_parts(exray_finding *f, const side_work *edge)
{
    exray_finding_number(f, "frame_ms", median(edge->frame, edge) / 1e6);
    exray_finding_number(f, "inference_ms", edge->inference / 1e6);
    exray_finding_number(f, "application_ms", median(edge->sum, edge) / 1e6);
    exray_finding_number(f, "before_ms", median(edge->before, edge) / 1e6);
    exray_finding_number(f, "after_ms", median(edge->after, edge) / 1e6);
}

/* ---- Judging ------------------------------------------------------------------------- */

static void report(const exray_comparison *c, exray_findings *findings, const side_work *edge,
                   const side_work *reference)
{
    double own = median(edge->sum, edge), usual = median(reference->sum, reference);
    double before = median(edge->before, edge), after = median(edge->after, edge),
           frame = median(edge->frame, edge);
    exray_finding *f = exray_findings_add(findings, "perf.application", EXRAY_SEVERITY_WARNING,
                                          own >= 10 * usual ? 0.95 : 0.85);
    exray_finding_where(f, "application", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The application itself takes %.3g ms of the %.3g ms of a frame, %s the inference, which "
        "takes %.3g ms; in the reference it takes %.3g ms.",
        own / 1e6, frame / 1e6, before >= after ? "most of it before" : "most of it after",
        edge->inference / 1e6, usual / 1e6);
    say_span(c, f, own);
    exray_finding_fix(
        f,
        "Look at what runs %s the inference, and measure its steps as spans: loops over single values are "
        "the usual reason; convert whole arrays with a library, or let the camera or the GPU do it.",
        before >= after ? "before" : "after");
    say_parts(f, edge);
    exray_finding_number(f, "reference_frame_ms", median(reference->frame, reference) / 1e6);
    exray_finding_number(f, "reference_inference_ms", reference->inference / 1e6);
    exray_finding_number(f, "reference_application_ms", usual / 1e6);
    exray_finding_number(f, "ratio", own / usual);
}

/* A replay's frames are another program's. */
static bool is_replay(const exray_comparison *c)
{
    const char *of = exray_log_metadata(exray_comparison_log(c, EXRAY_SIDE_REFERENCE), "replay_of");
    return of && of[0];
}

/* Without a yardstick: what is known is the share of the edge's own frames. */
static void report_share(const exray_comparison *c, exray_findings *findings, const side_work *edge,
                         const char *why)
{
    double own = xr_quantile(edge->sum, edge->count, 0.25, edge->scratch);
    bool most = own >= MOST_OF_FRAME * (own + edge->inference);
    if (!most || own / 1e6 < exray_findings_option(findings, "least_ms"))
        return;
    own = median(edge->sum, edge);
    double before = median(edge->before, edge), after = median(edge->after, edge),
           frame = median(edge->frame, edge);
    exray_finding *f = exray_findings_add(findings, "perf.application", EXRAY_SEVERITY_INFO, 0.5);
    exray_finding_where(f, "application", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The application itself takes %.3g ms of the %.3g ms of a frame, %s the inference, "
                          "which takes %.3g ms.",
                          own / 1e6, frame / 1e6, before >= after ? "most of it before" : "most of it after",
                          edge->inference / 1e6);
    exray_finding_detail(f, "Whether that is too long is not known: %s.", why);
    say_span(c, f, own);
    exray_finding_fix(
        f,
        "To make frames quicker, look at what runs %s the inference first, and measure its steps "
        "as spans.",
        before >= after ? "before" : "after");
    say_parts(f, edge);
    exray_finding_number(f, "share", own / (own + edge->inference));
}

/* How many times longer the edge's application must take. */
static double least_ratio(const exray_comparison *c, const exray_findings *findings)
{
    const char *edge = exray_log_metadata(exray_comparison_log(c, EXRAY_SIDE_EDGE), "app");
    const char *reference = exray_log_metadata(exray_comparison_log(c, EXRAY_SIDE_REFERENCE), "app");
    bool same = strcmp(edge ? edge : "", reference ? reference : "") == 0;
    /* A slower or busier machine slows the application as it does the inference. */
    double machine = xr_times_slower(c);
    return exray_findings_option(findings, same ? "ratio" : "other_ratio") *
           (isnan(machine) ? 1 : fmax(1, machine));
}

/* By the frames at two quantiles. */
static bool is_longer(const exray_comparison *c, const exray_findings *findings, const side_work *edge,
                      const side_work *reference, double edge_q, double reference_q)
{
    double own = xr_quantile(edge->sum, edge->count, edge_q, edge->scratch);
    double usual = xr_quantile(reference->sum, reference->count, reference_q, reference->scratch);
    double inference = edge->inference, share = exray_findings_option(findings, "share");
    return (own - usual) / 1e6 >= exray_findings_option(findings, "least_ms") &&
           own >= share * (own + inference) && own >= least_ratio(c, findings) * usual;
}

/* Three of four of the edge's frames against three of four of the reference's, and the quickest of both. */
static bool is_slow(const exray_comparison *c, const exray_findings *findings, const side_work *edge,
                    const side_work *reference)
{
    return is_longer(c, findings, edge, reference, 0.25, 0.75) &&
           is_longer(c, findings, edge, reference, 0, 0);
}

/* Why the reference's frames do not tell what the application's work should take; NULL: they do. */
static const char *no_yardstick(const exray_comparison *c, const exray_findings *findings,
                                const side_work *reference)
{
    double usual = median(reference->sum, reference);
    if (is_replay(c))
        return "the reference is a replay: it runs the model on the edge's data, but not the application";
    if (usual / 1e6 < exray_findings_option(findings, "reference_ms"))
        return "the reference's frames hold no work of the application: begin them where the edge's begin";
    /* As `exray record` does: a picture that cannot be used must leave no frame behind. */
    if (span_median(c, EXRAY_SIDE_REFERENCE, "preprocess") > usual)
        return "the reference prepares its inputs before its frames begin: begin them where the edge's begin";
    return NULL;
}

static exray_status unjudged(exray_error *error, const char *why)
{
    error->status = EXRAY_E_STATE;
    snprintf(error->message, sizeof error->message, "%s", why);
    return EXRAY_E_STATE;
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    side_work edge, reference = {0};
    exray_status status = EXRAY_OK;
    const char *why;
    if (!collect(c, EXRAY_SIDE_EDGE, &edge) || !collect(c, EXRAY_SIDE_REFERENCE, &reference)) {
        error->status = status = EXRAY_E_MEMORY;
    } else if (edge.count < FEWEST_FRAMES || reference.count < FEWEST_FRAMES) {
        status = unjudged(error, "times of 5 frames after the warm-up are needed, on both sides");
    } else if ((why = no_yardstick(c, findings, &reference)) != NULL) {
        if (is_replay(c))
            report_share(c, findings, &edge, why);
        status = unjudged(error, why);
    } else if (is_slow(c, findings, &edge, &reference)) {
        report(c, findings, &edge, &reference);
    }
    free_work(&edge);
    free_work(&reference);
    return status;
}

static const char *const causes[] = {"perf.application", NULL};

static const exray_option options[] = {
    {"ratio",
     "times longer than the reference's application, and than the edge's inference is slower than the "
     "reference's",
     4, 1, 1e6},
    {"other_ratio", "the same where the logs' `app` differs: another program that is right may take far less",
     30, 1, 1e6},
    {"share", "share that the application itself must take of its own time and the inference's (0..1)", 0.5,
     0, 1},
    {"least_ms", "milliseconds a frame that it must take longer than the reference's", 2, 0, 1e9},
    {"reference_ms",
     "milliseconds that the reference's application must take: below, its frames hold no work to compare "
     "with",
     0.05, 0, 1e9},
    {NULL, NULL, 0, 0, 0},
};

const exray_assertion xr_assertion_perf_application = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "perf.application",
    .summary = "the application itself takes no longer than the reference's",
    .causes = causes,
    .needs = "/frame of both logs with inference_ns, 5 frames",
    .run = run,
    .options = options,
};
