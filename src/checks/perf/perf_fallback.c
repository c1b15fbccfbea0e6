/* perf.fallback: layers that a delegate left to the engine's own kernels, and the cost of its
 * boundaries. */
#include "checks/builtin.h"
#include "checks/perf/setup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A side's nodes that a delegate runs, and those of the main graph that it leaves to the engine. */
typedef struct delegation {
    size_t partitions, inside, left;
    double left_share;    /* of the sum of all nodes' times */
    uint32_t dearest;     /* of those left, the one that takes the most time */
    double dearest_share; /* 0: none has a time */
    double bytes;         /* of the tensors that are passed between partitions and nodes that are left */
} delegation;

static bool delegates(const exray_node *node)
{
    return node->inner_count > 0 || (node->op && strstr(node->op, "DELEGATE"));
}

static const exray_model *model_of(const exray_comparison *c, exray_side side)
{
    return exray_log_model(exray_comparison_log(c, side));
}

/* Bytes of the tensors that are written by one kind of node and read by the other. */
static double crossing_bytes(const exray_model *model)
{
    enum { LEFT = 1, DELEGATED = 2, COUNTED = 4 };
    uint8_t *writer = calloc(model->tensor_count + (size_t)1, 1);
    double bytes = 0;
    for (uint32_t n = 0; writer && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        uint8_t own = delegates(node) ? DELEGATED : LEFT;
        for (uint32_t i = 0; i < node->input_count; i++) {
            uint32_t t = node->inputs[i];
            if (t >= model->tensor_count || !writer[t] || writer[t] & (own | COUNTED))
                continue;
            const exray_tensor_info *info = &model->tensors[t];
            double size = (double)exray_dtype_bits(info->dtype) / 8;
            for (uint32_t d = 0; d < info->rank; d++)
                size *= info->shape[d] > 0 ? (double)info->shape[d] : 0;
            bytes += size;
            writer[t] |= COUNTED;
        }
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] < model->tensor_count)
                writer[node->outputs[i]] = own;
    }
    free(writer);
    return bytes;
}

/* Frames whose times show a layer's share: fewer are too uneven. */
enum { LEAST_FRAMES = 5 };

static delegation delegation_of(const exray_comparison *c, exray_side side)
{
    delegation s = {0};
    const exray_model *model = model_of(c, side);
    const exray_latency_table *table = exray_comparison_latency(c, side);
    for (uint32_t n = 0; model && n < model->node_count; n++) {
        const exray_node_latency *latency = exray_latency_table_node(table, n);
        if (delegates(&model->nodes[n])) {
            s.partitions++;
            s.inside += model->nodes[n].inner_count;
            continue;
        }
        if (!latency || model->nodes[n].subgraph != 0)
            continue;
        s.left++;
        s.left_share += latency->share;
        if (latency->share > s.dearest_share) {
            s.dearest_share = latency->share;
            s.dearest = n;
        }
    }
    if (model && s.partitions)
        s.bytes = crossing_bytes(model);
    return s;
}

/* How many times slower than a reference on the same machine whose delegate has fewer partitions; 0:
 * there is no such reference.  A lower bound, from the bounds of both medians. */
static double cost_of_division(const exray_comparison *c, const delegation *edge, const delegation *reference)
{
    const exray_model *a = model_of(c, EXRAY_SIDE_EDGE), *b = model_of(c, EXRAY_SIDE_REFERENCE);
    if (!a || !b || reference->partitions == 0 || edge->partitions <= reference->partitions ||
        a->threads != b->threads || !xr_same_text(a->engine, b->engine) || !xr_is_same_host(c))
        return 0;
    const exray_durations *e = &exray_comparison_latency(c, EXRAY_SIDE_EDGE)->settled;
    const exray_durations *r = &exray_comparison_latency(c, EXRAY_SIDE_REFERENCE)->settled;
    return e->count >= 8 && r->count >= 8 && r->high > 0 ? e->low / r->high : 0;
}

/* Whether the edge is surely faster than the reference on the same machine: then what the delegate leaves
 * makes nothing slower than the reference is. */
static bool is_faster(const exray_comparison *c)
{
    const exray_durations *e = &exray_comparison_latency(c, EXRAY_SIDE_EDGE)->settled;
    const exray_durations *r = &exray_comparison_latency(c, EXRAY_SIDE_REFERENCE)->settled;
    return xr_is_same_host(c) && e->count > 0 && r->count > 0 && e->high < r->low;
}

static void add_layers(const exray_comparison *c, exray_finding *f)
{
    const exray_model *model = model_of(c, EXRAY_SIDE_EDGE);
    const exray_latency_table *table = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    for (size_t i = 0; i < table->node_count; i++) {
        const exray_node_latency *latency = &table->node[i];
        char key[40];
        snprintf(key, sizeof key, "layer_%u", (unsigned)latency->node);
        if (latency->node < model->node_count && !delegates(&model->nodes[latency->node]) &&
            latency->share >= 0.01)
            exray_finding_number(f, key, latency->share);
    }
}

static void report(const exray_comparison *c, exray_findings *findings, const delegation *edge,
                   const delegation *reference, double cost)
{
    const exray_model *model = model_of(c, EXRAY_SIDE_EDGE);
    const char *op = model->nodes[edge->dearest].op;
    exray_finding *f = exray_findings_add(findings, "perf.fallback",
                                          is_faster(c) ? EXRAY_SEVERITY_INFO : EXRAY_SEVERITY_WARNING, 0.9);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The delegate left %zu layer%s to the engine's own kernels, which take%s %.0f %% of the "
        "time (most: %s, layer %u); the model is cut into %zu partition%s.",
        edge->left, edge->left == 1 ? "" : "s", edge->left == 1 ? "s" : "", 100 * edge->left_share,
        op ? op : "?", (unsigned)edge->dearest, edge->partitions, edge->partitions == 1 ? "" : "s");
    if (edge->bytes > 0)
        exray_finding_detail(f, "Tensors of %.4g KiB a frame pass between the delegate and other layers.",
                             edge->bytes / 1024);
    if (cost > 1)
        exray_finding_detail(f,
                             "The same delegate in %zu partition%s takes %.3g times less in the reference.",
                             reference->partitions, reference->partitions == 1 ? "" : "s", cost);
    if (is_faster(c))
        exray_finding_detail(f, "The edge is nevertheless faster than the reference on this machine.");
    exray_finding_fix(
        f, "Replace the ops it does not take (or their types and shapes), or use another delegate.");
    exray_finding_number(f, "left_layers", (double)edge->left);
    exray_finding_number(f, "left_share", edge->left_share);
    exray_finding_number(f, "partitions", (double)edge->partitions);
    exray_finding_number(f, "delegated_nodes", (double)edge->inside);
    exray_finding_number(f, "boundary_bytes", edge->bytes);
    exray_finding_number(f, "reference_partitions", (double)reference->partitions);
    exray_finding_number(f, "times_slower", cost > 0 ? cost : NAN);
    add_layers(c, f);
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    const exray_latency_table *table = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    if (table->node_frames == 0 || !model_of(c, EXRAY_SIDE_EDGE)) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message, "the edge log has no latencies of layers (/latency)");
        return EXRAY_E_STATE;
    }
    if (table->node_frames < LEAST_FRAMES) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message,
                 "times of layers of %d frames after the warm-up are needed", LEAST_FRAMES);
        return EXRAY_E_STATE;
    }
    delegation edge = delegation_of(c, EXRAY_SIDE_EDGE), reference = delegation_of(c, EXRAY_SIDE_REFERENCE);
    double cost = cost_of_division(c, &edge, &reference);
    bool dear = edge.partitions > 0 && (edge.left_share >= exray_findings_option(findings, "share") ||
                                        cost >= exray_findings_option(findings, "cost"));
    /* Where the reference leaves as many nodes, the delegate cannot take more. */
    bool alike = reference.partitions > 0 && reference.left >= edge.left;
    if (edge.left == 0 || alike || !dear)
        return EXRAY_OK;
    report(c, findings, &edge, &reference, cost);
    return EXRAY_OK;
}

static const char *const causes[] = {"perf.fallback", NULL};

static const exray_option options[] = {
    {"share", "share of the edge's time that layers outside of the delegate must take (0..1)", 0.2, 0, 1},
    {"cost", "alternatively: times slower than a reference on the same machine with fewer partitions", 1.5, 1,
     1e6},
    {NULL, NULL, 0, 0, 0},
};

const exray_assertion xr_assertion_perf_fallback = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "perf.fallback",
    .summary = "the delegate runs what the model spends its time in",
    .causes = causes,
    .needs = "/model and /latency of the edge",
    .run = run,
    .options = options,
};
