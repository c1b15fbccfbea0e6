/* perf.fallback: compute layers that a delegate left to the engine's own kernels. */
#include "builtin.h"

#include <stdio.h>

/* A side's nodes that a delegate runs, and those with multiply-accumulates that it does not. */
typedef struct split {
    size_t partitions, inside, left;
    double left_share; /* of the sum of all nodes' times */
} split;

static bool delegates(const exray_node *node)
{
    return node->inner_count > 0 || (node->op && strstr(node->op, "DELEGATE"));
}

static split split_of(const exray_comparison *c, exray_side side)
{
    split s = {0};
    const exray_model *model = exray_log_model(exray_comparison_log(c, side));
    const exray_latency_table *table = exray_comparison_latency(c, side);
    for (uint32_t n = 0; model && n < model->node_count; n++) {
        const exray_node_latency *latency = exray_latency_of_node(table, n);
        if (delegates(&model->nodes[n])) {
            s.partitions++;
            s.inside += model->nodes[n].inner_count;
        } else if (latency && latency->macs) {
            s.left++;
            s.left_share += latency->share;
        }
    }
    return s;
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    const exray_latency_table *table = exray_comparison_latency(c, EXRAY_EDGE);
    if (table->node_frames == 0) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message, "the edge log has no latencies of layers (/latency)");
        return EXRAY_E_STATE;
    }
    split edge = split_of(c, EXRAY_EDGE), reference = split_of(c, EXRAY_REFERENCE);
    /* A reference that is divided the same way shows what the delegate can do. */
    if (edge.partitions == 0 || edge.left == 0 || edge.left_share < exray_option_value(findings, "share") ||
        (reference.partitions > 0 && reference.left >= edge.left))
        return EXRAY_OK;
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_EDGE));
    exray_finding *f = exray_find(findings, "perf.fallback", EXRAY_WARNING, 0.9);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The delegate left %zu compute layers to the engine's own kernels, which take %.0f %% of "
        "the time; the model is cut into %zu partitions.",
        edge.left, 100 * edge.left_share, edge.partitions);
    exray_finding_fix(
        f, "Replace the ops it does not take (or their types and shapes), or use another delegate.");
    exray_finding_number(f, "left_layers", (double)edge.left);
    exray_finding_number(f, "left_share", edge.left_share);
    exray_finding_number(f, "partitions", (double)edge.partitions);
    exray_finding_number(f, "delegated_nodes", (double)edge.inside);
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node_latency *latency = exray_latency_of_node(table, n);
        char key[40];
        snprintf(key, sizeof key, "layer_%u", (unsigned)n);
        if (latency && latency->macs && !delegates(&model->nodes[n]))
            exray_finding_number(f, key, latency->share);
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"perf.fallback", NULL};

static const exray_option options[] = {
    {"share", "part of the edge's time that layers outside of the delegate must take (0..1)", 0.2, 0, 1},
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
