#include "checks/perf/whole_model.h"

#include "checks/builtin.h"
#include "checks/perf/setup.h"

#include <math.h>
#include <stdio.h>

enum { SLOWEST = 5 }; /* layers that the evidence lists */

/* The two sides, as far as times depend on them. */
typedef struct sides {
    const exray_model *model[2];
    const exray_durations *time[2];
    uint32_t threads[2];    /* 0: the engine chose */
    uint32_t processors[2]; /* 0: unknown */
    size_t partitions[2];
    double ratio;
    bool same_host, same_engine;
} sides;

static sides sides_of(const exray_comparison *c)
{
    sides s = {.ratio = xr_times_slower(c), .same_host = xr_is_same_host(c)};
    for (int i = 0; i < 2; i++) {
        exray_side side = i ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
        s.model[i] = exray_log_model(exray_comparison_log(c, side));
        s.time[i] = &exray_comparison_latency(c, side)->settled;
        s.threads[i] = s.model[i] ? s.model[i]->threads : 0;
        s.processors[i] = xr_processors(c, side);
        s.partitions[i] = xr_partitions(c, side);
    }
    const char *version[2] = {s.model[0] ? s.model[0]->engine_version : NULL,
                              s.model[1] ? s.model[1]->engine_version : NULL};
    s.same_engine = s.model[0] && s.model[1] && xr_same_text(s.model[0]->engine, s.model[1]->engine) &&
                    strcmp(version[0] ? version[0] : "", version[1] ? version[1] : "") == 0;
    return s;
}

static double ms_lost(const sides *s)
{
    return (s->time[0]->median - s->time[1]->median) / 1e6;
}

static void add_times(exray_finding *f, const sides *s)
{
    exray_finding_number(f, "ratio", s->ratio);
    exray_finding_number(f, "edge_ms", s->time[0]->median / 1e6);
    exray_finding_number(f, "reference_ms", s->time[1]->median / 1e6);
    if (s->threads[0] || s->threads[1]) {
        exray_finding_number(f, "edge_threads", s->threads[0]);
        exray_finding_number(f, "reference_threads", s->threads[1]);
    }
    if (s->processors[0])
        exray_finding_number(f, "edge_processors", s->processors[0]);
    if (s->processors[1])
        exray_finding_number(f, "reference_processors", s->processors[1]);
}

/* ---- Threads ----------------------------------------------------------------------- */

/* The times slower that it takes: the fewer, the more threads there are to a processor.  Other programs that
 * keep a machine busy slow the reference as well. */
static double slower_by_threads(const sides *s, const exray_findings *findings)
{
    double most = exray_findings_option(findings, "threads");
    /* Two runs of one program differ by more than what is left from eight threads a processor on. */
    return 1 + (most - 1) * fmin(1, fmax(2.0 * s->processors[0] / s->threads[0], 0.25));
}

bool xr_judge_threads(const exray_comparison *c, exray_findings *findings)
{
    const sides s = sides_of(c);
    bool crowded = s.processors[0] && s.threads[0] > s.processors[0];
    bool alike = s.threads[1] >= s.threads[0] && s.processors[1] <= s.processors[0];
    if (!crowded || alike || !s.same_host || !(s.ratio >= slower_by_threads(&s, findings)))
        return false;
    exray_finding *f =
        exray_findings_add(findings, "perf.threads", EXRAY_SEVERITY_WARNING,
                           s.ratio >= 2 * exray_findings_option(findings, "threads") ? 0.95 : 0.8);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge runs the model on %u threads with %u %s to run them: %.3g ms a frame, "
                          "%.3g times the reference's %.3g ms.",
                          (unsigned)s.threads[0], (unsigned)s.processors[0],
                          s.processors[0] == 1 ? "processor" : "processors", s.time[0]->median / 1e6, s.ratio,
                          s.time[1]->median / 1e6);
    if (s.threads[1])
        exray_finding_detail(f,
                             "The reference runs it on %u %s. Threads without a processor of their own "
                             "make the others wait.",
                             (unsigned)s.threads[1], s.threads[1] == 1 ? "thread" : "threads");
    exray_finding_fix(f, "Run the model on at most %u %s.", (unsigned)s.processors[0],
                      s.processors[0] == 1 ? "thread" : "threads");
    add_times(f, &s);
    return true;
}

/* ---- Kernels ----------------------------------------------------------------------- */

typedef enum reason {
    NOTHING,
    REFERENCE_KERNELS, /* the edge's log says that it runs them */
    NO_DELEGATE,       /* both asked for it, or only the reference has one */
    OTHER_KERNELS,     /* the logs name different ones */
    FEWER_THREADS,
    UNEXPLAINED, /* both logs say the same */
} reason;

static bool names_kernels(const exray_model *model)
{
    return model->kernels && *model->kernels;
}

static const char *kernels_of(const exray_model *model)
{
    return names_kernels(model) ? model->kernels : "unnamed";
}

static reason reason_of(const exray_comparison *c, const sides *s, bool layers_slow)
{
    if (!s->model[0] || !s->model[1])
        return NOTHING;
    if (xr_runs_reference_kernels(c))
        return REFERENCE_KERNELS;
    if (s->same_engine && s->partitions[0] == 0 && s->partitions[1] > 0)
        return NO_DELEGATE;
    if (!s->same_host || !s->same_engine)
        return NOTHING;
    if (names_kernels(s->model[0]) && names_kernels(s->model[1]) &&
        strcmp(s->model[0]->kernels, s->model[1]->kernels) != 0)
        return OTHER_KERNELS;
    if (s->threads[0] && s->threads[0] < s->threads[1])
        return FEWER_THREADS;
    return layers_slow || xr_is_same_setup(c) || xr_tells_same_setup(c) ? UNEXPLAINED : NOTHING;
}

/* The times slower that a reason needs.  Where both sides say the same, another program may have had the
 * processor; on another machine, the machine may be the reason. */
static double needed(const sides *s, reason why, const exray_findings *findings)
{
    bool named = s->same_host && why != UNEXPLAINED;
    return exray_findings_option(findings, named ? "kernels" : "whole");
}

static void say_why(exray_finding *f, const sides *s, reason why)
{
    const char *edge = kernels_of(s->model[0]), *reference = kernels_of(s->model[1]);
    double ms[2] = {s->time[0]->median / 1e6, s->time[1]->median / 1e6};
    switch (why) {
    case REFERENCE_KERNELS:
        exray_finding_summary(
            f,
            "The edge runs the engine's reference kernels, which are not made for speed: the model "
            "takes %.3g ms, %.3g times the reference log's %.3g ms (kernels: %s).",
            ms[0], s->ratio, ms[1], reference);
        exray_finding_fix(f, "Use the engine's optimized kernels (the builtin resolver) or a delegate.");
        break;
    case NO_DELEGATE:
        exray_finding_summary(
            f,
            "No delegate runs the model on the edge (kernels: %s), one does in the reference "
            "(kernels: %s): %.3g ms a frame, %.3g times the reference's %.3g ms.",
            edge, reference, ms[0], s->ratio, ms[1]);
        exray_finding_fix(
            f, "Run the model with the reference's delegate, and look at what the engine says when it "
               "is applied.");
        break;
    case OTHER_KERNELS:
        exray_finding_summary(
            f,
            "The edge runs the model with other kernels (%s) than the reference (%s): %.3g ms a "
            "frame, %.3g times the reference's %.3g ms.",
            edge, reference, ms[0], s->ratio, ms[1]);
        exray_finding_fix(f, "Run the model with the reference's kernels (%s).", reference);
        break;
    case FEWER_THREADS:
        exray_finding_summary(
            f,
            "The edge runs the model on fewer threads (%u) than the reference (%u): %.3g ms a "
            "frame, %.3g times the reference's %.3g ms.",
            (unsigned)s->threads[0], (unsigned)s->threads[1], ms[0], s->ratio, ms[1]);
        exray_finding_fix(f, "Run the model on as many threads as the device has fast processors.");
        break;
    default:
        exray_finding_summary(
            f,
            "The edge takes %.3g ms a frame, %.3g times the reference's %.3g ms, though both logs "
            "name the same engine, %sthreads on the same processor.",
            ms[0], s->ratio, ms[1], names_kernels(s->model[0]) ? "kernels and " : "graph and ");
        exray_finding_fix(
            f, "Look for kernels registered in place of the engine's (such as its reference kernels), "
               "a debug build, or emulation.");
    }
}

/* The edge's slowest layers, the slowest first. */
static void list_slowest(const exray_comparison *c, exray_finding *f)
{
    const exray_latency_table *table = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    const exray_node_latency *last = NULL;
    char line[400] = "";
    size_t used = 0;
    for (size_t k = 0; k < SLOWEST; k++) {
        const exray_node_latency *next = NULL;
        for (size_t i = 0; i < table->node_count; i++) {
            const exray_node_latency *n = &table->node[i];
            bool later = !last || n->share < last->share || (n->share == last->share && n->node > last->node);
            if (later && n->node < model->node_count && n->share > 0 && (!next || n->share > next->share))
                next = n;
        }
        if (!next)
            break;
        const char *op = model->nodes[next->node].op;
        char key[40];
        snprintf(key, sizeof key, "share_of_layer_%u", (unsigned)next->node);
        exray_finding_number(f, key, next->share);
        used += (size_t)snprintf(line + used, sizeof line - used, "%slayer %u (%.40s) %.3g ms", k ? ", " : "",
                                 (unsigned)next->node, op ? op : "?", next->time.median / 1e6);
        last = next;
    }
    if (used)
        exray_finding_detail(f, "Its slowest layers: %s.", line);
}

void xr_judge_whole(const exray_comparison *c, exray_findings *findings, bool layers_slow)
{
    const sides s = sides_of(c);
    reason why = reason_of(c, &s, layers_slow);
    /* Both asked for a delegate: that it runs nothing is a fact, whatever it costs. */
    bool refused = why == NO_DELEGATE && xr_same_text(s.model[0]->kernels, s.model[1]->kernels);
    bool slow =
        s.ratio >= needed(&s, why, findings) && ms_lost(&s) >= exray_findings_option(findings, "least_ms");
    if (why == NOTHING || !(slow || refused))
        return;
    exray_finding *f = exray_findings_add(findings, "perf.kernels", EXRAY_SEVERITY_WARNING,
                                          why == REFERENCE_KERNELS ? 0.95
                                          : why == UNEXPLAINED     ? 0.7
                                                                   : 0.9);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    say_why(f, &s, why);
    if (why != UNEXPLAINED && s.threads[0] && s.threads[1] && s.threads[0] != s.threads[1])
        exray_finding_detail(f, "The edge runs it on %u threads, the reference on %u.",
                             (unsigned)s.threads[0], (unsigned)s.threads[1]);
    if (!s.same_host)
        exray_finding_detail(f, "The logs come from different machines, which may be a part of it.");
    add_times(f, &s);
    exray_finding_text(f, "edge_kernels", kernels_of(s.model[0]));
    exray_finding_text(f, "reference_kernels", kernels_of(s.model[1]));
    exray_finding_number(f, "edge_partitions", (double)s.partitions[0]);
    exray_finding_number(f, "reference_partitions", (double)s.partitions[1]);
    list_slowest(c, f);
}
