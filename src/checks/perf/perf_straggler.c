/* perf.straggler: layers that are slow for their work; perf.kernels and perf.threads: models that are slow as
 * a whole. */
#include "checks/ascending.h"
#include "checks/builtin.h"
#include "checks/perf/setup.h"
#include "checks/perf/whole_model.h"
#include "checks/perf/work_cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEWEST_FRAMES = 5 };

/* Latencies of a layer on both sides. */
typedef struct layer_times {
    const char *op;
    const exray_node_latency *edge, *reference;
    uint32_t pair; /* position among the comparison's layers */
    bool slow;
} layer_times;

typedef struct latency_pairs {
    layer_times *item;
    size_t count;
    double edge_total, reference_total; /* ns, of all nodes of the two sides */
} latency_pairs;

static double total_of(const exray_latency_table *table)
{
    double sum = 0;
    for (size_t i = 0; i < table->node_count; i++)
        sum += table->node[i].time.median;
    return sum;
}

static uint32_t inner_count(const exray_comparison *c, exray_side side, uint32_t node)
{
    const exray_model *model = exray_log_model(exray_comparison_log(c, side));
    return model && node < model->node_count ? model->nodes[node].inner_count : 0;
}

static bool collect(const exray_comparison *c, latency_pairs *t)
{
    const exray_latency_table *table[2] = {exray_comparison_latency(c, EXRAY_SIDE_EDGE),
                                           exray_comparison_latency(c, EXRAY_SIDE_REFERENCE)};
    size_t layers = exray_comparison_layer_count(c);
    *t = (latency_pairs){.item = calloc(layers + 1, sizeof *t->item),
                         .edge_total = total_of(table[0]),
                         .reference_total = total_of(table[1])};
    for (size_t i = 0; t->item && i < layers; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(c, i);
        const exray_node_latency *edge = exray_latency_table_node(table[0], layer->node[0]);
        const exray_node_latency *reference = exray_latency_table_node(table[1], layer->node[1]);
        if (layer->output != 0 || !edge || !reference || !(reference->time.median > 0))
            continue;
        /* The time of a partition is that of all its layers: its counterpart must have as many. */
        if (inner_count(c, EXRAY_SIDE_EDGE, layer->node[0]) !=
            inner_count(c, EXRAY_SIDE_REFERENCE, layer->node[1]))
            continue;
        t->item[t->count++] = (layer_times){layer->op[0], edge, reference, (uint32_t)i, false};
    }
    return t->item != NULL;
}

static double lower_median(double *value, size_t count)
{
    qsort(value, count, sizeof *value, xr_ascending_doubles);
    return count ? value[(count - 1) / 2] : NAN;
}

/* edge / reference of all layers of one op. */
static double ratio_of_op(const latency_pairs *t, const char *op, double *reference)
{
    double sum[2] = {0, 0};
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->item[i].op, op) == 0) {
            sum[0] += t->item[i].edge->time.median;
            sum[1] += t->item[i].reference->time.median;
        }
    *reference = sum[1];
    return sum[0] / sum[1];
}

static bool first_of_op(const latency_pairs *t, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(t->item[k].op, t->item[i].op) == 0)
            return false;
    return true;
}

/* How much slower the edge is as a whole: the median over the kinds of ops, or over the layers,
 * whichever is smaller, as slow layers may be the majority of one of the two.  Kinds that take less
 * than half a percent are left out: their times are timer noise. */
static double uniform_factor(const latency_pairs *t, double *scratch)
{
    size_t kinds = 0;
    for (size_t i = 0; i < t->count; i++) {
        double reference, ratio = ratio_of_op(t, t->item[i].op, &reference);
        if (first_of_op(t, i) && reference >= 0.005 * t->reference_total)
            scratch[kinds++] = ratio;
    }
    double by_kind = lower_median(scratch, kinds);
    for (size_t i = 0; i < t->count; i++)
        scratch[i] = t->item[i].edge->time.median / t->item[i].reference->time.median;
    return fmin(by_kind, lower_median(scratch, t->count));
}

/* The edge's ns per multiply-accumulate: of the slow layers of one kind, and of all layers of other
 * kinds.  NAN where no multiply-accumulates are known. */
static void costs_of_work(const latency_pairs *t, const char *op, double *slow, double *others)
{
    double time[2] = {0, 0}, macs[2] = {0, 0};
    for (size_t i = 0; i < t->count; i++) {
        bool same = strcmp(t->item[i].op, op) == 0;
        if (!t->item[i].edge->macs || (same && !t->item[i].slow))
            continue;
        time[same] += t->item[i].edge->time.median;
        macs[same] += (double)t->item[i].edge->macs;
    }
    *slow = macs[1] > 0 ? time[1] / macs[1] : NAN;
    *others = macs[0] > 0 ? time[0] / macs[0] : NAN;
}

/* Whether layers only seem slow because the reference is slow in all others: on the edge they take
 * less time for their work than the others. */
static bool reference_is_slow(const latency_pairs *t, const char *op)
{
    double slow, others;
    costs_of_work(t, op, &slow, &others);
    return slow < others;
}

static double excess(const layer_times *item, double factor)
{
    return item->edge->time.median - factor * item->reference->time.median;
}

/* Reports the slow layers of one kind of op in one finding. */
static bool report(const exray_comparison *c, exray_findings *findings, latency_pairs *t, const char *op,
                   double factor, double share_needed)
{
    double edge = 0, reference = 0, lost = 0;
    size_t slow = 0, all = 0, worst = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->item[i].op, op) != 0)
            continue;
        all++;
        if (!t->item[i].slow)
            continue;
        if (slow++ == 0 || excess(&t->item[i], factor) > excess(&t->item[worst], factor))
            worst = i;
        edge += t->item[i].edge->time.median;
        reference += t->item[i].reference->time.median;
        lost += excess(&t->item[i], factor);
    }
    if (slow == 0 || lost < share_needed * t->edge_total || reference_is_slow(t, op))
        return false;
    double ratio = edge / reference;
    exray_finding *f = exray_findings_add(findings, "perf.straggler", EXRAY_SEVERITY_WARNING,
                                          ratio / factor >= 10 ? 0.97 : 0.85);
    const exray_layer_pair *layer = exray_comparison_layer(c, t->item[worst].pair);
    exray_finding_where(f, "layer", layer->name[0], t->item[worst].pair);
    if (slow == 1)
        exray_finding_summary(
            f, "Layer %u, %.*s (%s), is slow: %.3g times the reference's time, the others %.3g times.",
            (unsigned)layer->node[0], XR_SHORT_NAME(layer->name[0]), op, ratio, factor);
    else
        exray_finding_summary(
            f, "%s %zu %s layers are slow: %.3g times the reference's time, the others %.3g times.",
            slow == all ? "All" : "Of all layers,", slow, op, ratio, factor);
    exray_finding_detail(f, "%s %.3g ms of %.3g ms (%.0f %%); in the reference %.3g ms of %.3g ms (%.0f %%).",
                         slow == 1 ? "It takes" : "They take", edge / 1e6, t->edge_total / 1e6,
                         100 * edge / t->edge_total, reference / 1e6, t->reference_total / 1e6,
                         100 * reference / t->reference_total);
    exray_finding_fix(f,
                      "Run %s with other kernels (another resolver, delegate or build of the engine), or "
                      "replace the op.",
                      op);
    exray_finding_text(f, "op", op);
    exray_finding_number(f, "ratio", ratio);
    exray_finding_number(f, "uniform_ratio", factor);
    exray_finding_number(f, "slow_layers", (double)slow);
    exray_finding_number(f, "layers_of_kind", (double)all);
    exray_finding_number(f, "edge_share", edge / t->edge_total);
    exray_finding_number(f, "reference_share", reference / t->reference_total);
    for (size_t i = 0; i < t->count; i++)
        if (t->item[i].slow && strcmp(t->item[i].op, op) == 0) {
            char key[40];
            snprintf(key, sizeof key, "layer_%u", (unsigned)t->item[i].edge->node);
            exray_finding_number(f, key, t->item[i].edge->time.median / t->item[i].reference->time.median);
        }
    return true;
}

static exray_status unjudged(exray_error *error, const char *why)
{
    error->status = EXRAY_E_STATE;
    snprintf(error->message, sizeof error->message, "%s", why);
    return EXRAY_E_STATE;
}

/* By the edge's shortest time, as a slow kernel is slow in every frame.  Threads may also wait for
 * each other because another program uses a processor, but then the times vary. */
static bool is_slow(const layer_times *item, double needed, bool threads)
{
    enum { STEADY = 3 };
    const exray_durations *edge = &item->edge->time;
    return edge->least >= needed * item->reference->time.high &&
           (!threads || edge->p90 <= STEADY * edge->least);
}

/* Whether the slow layers are the model: those of one kind take four fifths of the reference's time or more,
 * or those of several kinds do.  Then no layer is slower than the rest explains. */
static bool is_most_slow(const latency_pairs *t)
{
    double slow = 0, all = 0;
    for (size_t i = 0; i < t->count; i++) {
        all += t->item[i].reference->time.median;
        slow += t->item[i].slow ? t->item[i].reference->time.median : 0;
    }
    return slow >= 0.8 * all && slow > 0;
}

/* *found: layers are reported.  *most: too many are slow to be. */
static exray_status judge_layers(const exray_comparison *c, exray_findings *findings, exray_error *error,
                                 bool *found, bool *most)
{
    latency_pairs t;
    double *scratch = calloc(exray_comparison_layer_count(c) + 1, sizeof *scratch);
    if (!collect(c, &t) || !scratch) {
        free(t.item);
        free(scratch);
        error->status = EXRAY_E_MEMORY;
        return EXRAY_E_MEMORY;
    }
    bool alike = xr_is_same_setup(c) || xr_tells_same_setup(c);
    double factor = uniform_factor(&t, scratch);
    if (xr_is_same_host(c)) /* below 1 the reference is the slow side */
        factor = fmax(factor, 1);
    if (alike)
        factor = fmin(factor, 2);
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    bool threads = model && model->threads > 1;
    const char *limit = !alike ? "ratio_between" : threads ? "ratio_threads" : "ratio";
    double needed = exray_findings_option(findings, limit);
    for (size_t i = 0; i < t.count && factor > 0; i++)
        t.item[i].slow = is_slow(&t.item[i], needed * factor, threads);
    *most = is_most_slow(&t);
    for (size_t i = 0; i < t.count && factor > 0 && !*most; i++)
        if (first_of_op(&t, i))
            *found |= report(c, findings, &t, t.item[i].op, factor, exray_findings_option(findings, "share"));
    size_t count = t.count;
    free(t.item);
    free(scratch);
    return count ? EXRAY_OK : unjudged(error, "no layer has a latency in both logs");
}

/* Compares with the reference's latencies. */
static exray_status judge_against_reference(const exray_comparison *c, exray_findings *findings,
                                            exray_error *error)
{
    const exray_latency_table *e = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    const exray_latency_table *r = exray_comparison_latency(c, EXRAY_SIDE_REFERENCE);
    if (r->frames == 0)
        return unjudged(error, "the reference log has no latencies");
    if (r->settled.count < FEWEST_FRAMES)
        return unjudged(error, "latencies need 5 frames after the warm-up, on both sides");
    if (e->node_frames < FEWEST_FRAMES || r->node_frames < FEWEST_FRAMES) {
        xr_judge_whole(c, findings, false);
        return unjudged(error,
                        "latencies of layers (/latency) are not in both logs, or of less than 5 frames");
    }
    bool found = false, most = false;
    exray_status status = judge_layers(c, findings, error, &found, &most);
    if (!found)
        xr_judge_whole(c, findings, most);
    return status;
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    const exray_latency_table *e = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    if (e->frames == 0)
        return unjudged(error, "the edge log has no latencies");
    if (e->settled.count < FEWEST_FRAMES)
        return unjudged(error, "latencies need 5 frames after the warm-up, on both sides");
    if (xr_judge_threads(c, findings))
        return EXRAY_OK;
    bool found = e->node_frames >= FEWEST_FRAMES && xr_stragglers_by_work(c, findings);
    exray_status status = judge_against_reference(c, findings, error);
    if (!found || status != EXRAY_E_STATE)
        return status;
    *error = (exray_error){.status = EXRAY_OK};
    return EXRAY_OK;
}

static const char *const causes[] = {"perf.straggler", "perf.kernels", "perf.threads", NULL};

static const exray_option options[] = {
    {"ratio",
     "times slower than the uniform factor, with the same engine, kernels, model and processor; repeated "
     "runs stay within 2",
     3, 1, 1e6},
    {"ratio_threads",
     "the same with more than one thread: threads wait for each other when other programs take a "
     "processor",
     6, 1, 1e6},
    {"ratio_between",
     "the same between different engines, kernels, types or processors, whose healthy spread is wider", 8, 1,
     1e6},
    {"work_ratio",
     "for layers without a time in the reference: times the time per multiply-accumulate of the edge's "
     "layers of the same kind and kernel and of about the same size",
     10, 1, 1e6},
    {"share", "share of the edge's time that the slow layers of a kind must take (0..1)", 0.2, 0, 1},
    {"kernels",
     "perf.kernels: times slower as a whole, on one machine, with other kernels, fewer threads or no "
     "delegate",
     1.75, 1, 1e6},
    {"whole",
     "perf.kernels: the same with the same settings and processor, or with reference kernels on another "
     "machine",
     4, 1, 1e6},
    {"least_ms", "perf.kernels: milliseconds a frame that the edge must lose", 0.5, 0, 1e9},
    {"threads", "perf.threads: times slower than a reference on the same machine with fewer threads", 1.5, 1,
     1e6},
    {NULL, NULL, 0, 0, 0},
};

const exray_assertion xr_assertion_perf_straggler = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "perf.straggler",
    .summary = "no layer, and no whole model, is slow for its work",
    .causes = causes,
    .needs = "/latency of both logs, 5 frames",
    .run = run,
    .options = options,
};
