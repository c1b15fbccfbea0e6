#include "engines/tflite/tap_prepare.h"

#include "engines/tflite/tap_check.h"
#include "engines/tflite/tap_model.h"
#include "engines/tflite/tap_tensor.h"

#include <stdio.h>
#include <string.h>

static bool same_model(const xr_tap_tables *a, const xr_tap_tables *b)
{
    if (a->subgraph_count != b->subgraph_count || a->model.node_count != b->model.node_count ||
        a->model.tensor_count != b->model.tensor_count)
        return false;
    for (uint32_t i = 0; i < a->model.node_count; i++) {
        const exray_node *x = &a->model.nodes[i], *y = &b->model.nodes[i];
        if (x->subgraph != y->subgraph || x->input_count != y->input_count ||
            x->output_count != y->output_count ||
            memcmp(x->inputs, y->inputs, x->input_count * sizeof *x->inputs) != 0 ||
            memcmp(x->outputs, y->outputs, x->output_count * sizeof *x->outputs) != 0)
            return false;
    }
    return true;
}

static void record_constants(xr_tap *tap)
{
    const xr_tap_tables *tables = tap->tables;
    for (uint32_t s = 0; s < tables->subgraph_count; s++) {
        const xr_tap_subgraph *subgraph = &tables->subgraphs[s];
        for (uint32_t i = 0; i < subgraph->tensor_count; i++) {
            uint32_t position = subgraph->first_tensor + i;
            const exray_tensor_info *info = &tables->model.tensors[position];
            if (!info->constant ||
                !exray_recorder_wants(tap->recorder, EXRAY_KIND_CONSTANT, position, info->name))
                continue;
            exray_tensor record = {.kind = EXRAY_KIND_CONSTANT, .index = position};
            xr_tap_record(tap, &record, position, NULL,
                          tap->api.OpaqueContextGetOpaqueTensor(subgraph->context, (int)i));
        }
    }
}

/* The names of the delegates that took nodes, separated by commas; the first few. */
static void name_delegates(const xr_tap_tables *tables, char *text, size_t size)
{
    enum { MOST = 8 };
    const char *seen[MOST];
    uint32_t count = 0;
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < tables->model.node_count && count < MOST; i++) {
        const char *name = tables->model.nodes[i].op;
        bool is_new = tables->is_partition[i] && used + strlen(name) + 3 < size;
        for (uint32_t k = 0; is_new && k < count; k++)
            is_new = strcmp(seen[k], name) != 0;
        if (!is_new)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", count ? ", " : "", name);
        seen[count++] = name;
    }
}

/* Records that delegates run nodes whose values are not observed. */
static void record_delegation(xr_tap *tap)
{
    const xr_tap_tables *tables = tap->tables;
    if (!tables->partitions)
        return;
    char partitions[16], delegated[16], names[256];
    name_delegates(tables, names, sizeof names);
    snprintf(partitions, sizeof partitions, "%u", (unsigned)tables->partitions);
    snprintf(delegated, sizeof delegated, "%u", (unsigned)tables->delegated);
    const exray_key_value pairs[] = {
        {"delegate", names},
        {"partitions", partitions},
        {"delegated_nodes", delegated},
        {"remark", "each partition is one layer; the tensors inside it were not observed"},
    };
    exray_recorder_log_metadata(tap->recorder, "exray.delegation", pairs, sizeof pairs / sizeof pairs[0]);
}

/* Whether Prepare is called for a further subgraph of the interpreter that is
 * described already: all of them were, at the first call. */
static bool is_further_subgraph(const xr_tap *tap, TfLiteOpaqueContext *context)
{
    TfLiteOpaqueContext *primary;
    if (!tap->tables || tap->api.OpaqueContextAcquireSubgraphContext(context, 0, &primary) != kTfLiteOk)
        return false;
    if (primary == context)
        return false;
    tap->api.OpaqueContextReleaseSubgraphContext(context, 0);
    return primary == tap->tables->subgraphs[0].context;
}

TfLiteStatus xr_tap_prepare(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data)
{
    (void)delegate;
    xr_tap *tap = data;
    if (!atomic_load(&tap->live) || is_further_subgraph(tap, context))
        return kTfLiteOk;
    const char *problem = NULL;
    xr_tap_tables *tables = xr_tap_describe(tap, context, &problem);
    if (tables && !xr_tap_check_file(tap, tables)) {
        xr_tap_free_tables(tables);
        tables = xr_tap_describe(tap, context, &problem); /* without what the file says */
    }
    if (!tables) {
        char message[256];
        snprintf(message, sizeof message, "cannot observe the TensorFlow Lite interpreter: %s", problem);
        xr_tap_fail(tap, EXRAY_E_ENGINE, message);
        return kTfLiteOk;
    }
    xr_tap_tables *before = tap->tables;
    if (before && !same_model(before, tables)) {
        xr_tap_free_tables(tables);
        xr_tap_fail(tap, EXRAY_E_STATE,
                    "the tap was attached for one model and sees another (or other delegates): open a "
                    "recorder and attach it for each interpreter");
        return kTfLiteOk;
    }
    tap->tables = tables;
    tap->depth = 0;
    tap->levels[0].active = false;
    xr_tap_free_tables(before);
    if (!before) {
        exray_recorder_log_model(tap->recorder, &tables->model);
        record_delegation(tap);
        if (!tap->no_constants)
            record_constants(tap);
    }
    return kTfLiteOk;
}
