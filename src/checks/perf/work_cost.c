#include "checks/perf/work_cost.h"

#include "checks/ascending.h"
#include "checks/builtin.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST_PEERS = 4, SIZES_APART = 4 };

/* A layer of the edge with multiply-accumulates. */
typedef struct layer_cost {
    const exray_node *node;
    const exray_node_latency *latency;
    uint64_t window; /* elements of the kernel's window; 1: none */
    bool once;       /* every weight is used once: memory limits the speed, not arithmetic */
    exray_dtype dtype;
    double cost;       /* ns per multiply-accumulate, from the upper bound of the median */
    bool in_reference; /* the reference has a latency of it */
} layer_cost;

static const exray_tensor_info *weights_of(const exray_model *model, const exray_node *node)
{
    bool quantized_onnx = strncmp(node->op, "QLinear", 7) == 0 || strcmp(node->op, "QGemm") == 0;
    uint32_t at = quantized_onnx ? 3 : 1;
    uint32_t tensor = at < node->input_count ? node->inputs[at] : EXRAY_NO_INDEX;
    return tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
}

/* Height times width of a convolution's kernel.  TensorFlow Lite, whose operators are in capitals,
 * has [., h, w, .]; ONNX [., ., h, w]. */
static uint64_t window_of(const exray_node *node, const exray_tensor_info *weights)
{
    bool capitals =
        node->op[0] && node->op[1] >= 'A' && node->op[1] <= 'Z' && strncmp(node->op, "QL", 2) != 0;
    if (!weights || weights->rank != 4)
        return 1;
    const int64_t *side = weights->shape + (capitals ? 1 : 2);
    bool sane = side[0] > 0 && side[1] > 0 && side[0] < 1 << 16 && side[1] < 1 << 16;
    return sane ? (uint64_t)(side[0] * side[1]) : 1;
}

static uint64_t elements_of(const exray_tensor_info *info)
{
    uint64_t elements = info ? 1 : 0;
    for (uint32_t i = 0; info && i < info->rank; i++) {
        uint64_t side = info->shape[i] > 0 ? (uint64_t)info->shape[i] : 0;
        elements = side && elements > UINT64_MAX / side ? 0 : elements * side;
    }
    return elements;
}

static bool has_reference_latency(const exray_comparison *c, uint32_t node)
{
    const exray_model *reference = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_REFERENCE));
    const exray_latency_table *table = exray_comparison_latency(c, EXRAY_SIDE_REFERENCE);
    for (size_t i = 0; i < exray_comparison_layer_count(c); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(c, i);
        bool whole = reference && layer->node[1] < reference->node_count &&
                     reference->nodes[layer->node[1]].inner_count > 0; /* a partition's time */
        if (layer->node[0] == node && !whole && exray_latency_table_node(table, layer->node[1]))
            return true;
    }
    return false;
}

static size_t collect(const exray_comparison *c, layer_cost *out)
{
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    const exray_latency_table *table = exray_comparison_latency(c, EXRAY_SIDE_EDGE);
    size_t count = 0;
    for (size_t i = 0; i < table->node_count; i++) {
        const exray_node_latency *l = &table->node[i];
        const exray_node *node = l->node < model->node_count ? &model->nodes[l->node] : NULL;
        if (!node || !node->op || !l->macs || !node->output_count || node->outputs[0] >= model->tensor_count)
            continue;
        const exray_tensor_info *weights = weights_of(model, node);
        out[count++] = (layer_cost){.node = node,
                                    .latency = l,
                                    .window = window_of(node, weights),
                                    .once = l->macs <= elements_of(weights),
                                    .dtype = model->tensors[node->outputs[0]].dtype,
                                    .cost = l->time.high / (double)l->macs,
                                    .in_reference = has_reference_latency(c, l->node)};
    }
    return count;
}

static bool are_similar(const layer_cost *a, const layer_cost *b)
{
    uint64_t x = a->latency->macs, y = b->latency->macs;
    return strcmp(a->node->op, b->node->op) == 0 && a->window == b->window && a->once == b->once &&
           a->dtype == b->dtype && x / SIZES_APART <= y && y / SIZES_APART <= x;
}

/* The median cost of similar layers; NAN: too few.  The median, since some of them may be slow
 * themselves. */
static double usual_cost(const layer_cost *all, size_t count, const layer_cost *one, double *scratch)
{
    size_t peers = 0;
    for (size_t i = 0; i < count; i++)
        if (&all[i] != one && are_similar(&all[i], one))
            scratch[peers++] = all[i].cost;
    qsort(scratch, peers, sizeof *scratch, xr_ascending_doubles);
    return peers >= FEWEST_PEERS ? scratch[peers / 2] : NAN;
}

static void report(const exray_comparison *c, exray_findings *findings, const layer_cost *one, double usual)
{
    const exray_model *model = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    double cost = one->latency->time.median / (double)one->latency->macs;
    const char *name = model->tensors[one->node->outputs[0]].name;
    exray_finding *f = exray_findings_add(findings, "perf.straggler", EXRAY_SEVERITY_WARNING, 0.8);
    exray_finding_where(f, "layer", name ? name : "", EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "Layer %u, %.*s (%s), is slow for its work: %.3g times the time per "
                          "multiply-accumulate of the layers like it.",
                          (unsigned)one->latency->node, XR_SHORT_NAME(name ? name : ""), one->node->op,
                          cost / usual);
    exray_finding_detail(
        f, "It takes %.3g ms, %.0f %% of all layers' time; the reference has no latency of this layer.",
        one->latency->time.median / 1e6, 100 * one->latency->share);
    exray_finding_fix(f,
                      "Compare its stride, dilation, groups and channels with the other %s layers': kernels "
                      "are fast for some of them only.",
                      one->node->op);
    exray_finding_text(f, "op", one->node->op);
    exray_finding_number(f, "node", one->latency->node);
    exray_finding_number(f, "work_ratio", cost / usual);
    exray_finding_number(f, "ns_per_mac", cost);
    exray_finding_number(f, "usual_ns_per_mac", usual);
    exray_finding_number(f, "edge_share", one->latency->share);
}

bool xr_stragglers_by_work(const exray_comparison *c, exray_findings *findings)
{
    size_t room = exray_comparison_latency(c, EXRAY_SIDE_EDGE)->node_count + 1;
    layer_cost *all =
        exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE)) ? calloc(room, sizeof *all) : NULL;
    double *scratch = calloc(room, sizeof *scratch);
    size_t count = all && scratch ? collect(c, all) : 0;
    double needed = exray_findings_option(findings, "work_ratio");
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const exray_node_latency *l = all[i].latency;
        double usual = usual_cost(all, count, &all[i], scratch);
        /* False also where the usual cost is NAN. */
        if (all[i].in_reference || l->share < exray_findings_option(findings, "share") ||
            !(l->time.low / (double)l->macs >= needed * usual))
            continue;
        report(c, findings, &all[i], usual);
        found = true;
    }
    free(all);
    free(scratch);
    return found;
}
