#include "engines/tflite/tap_check.h"

#include "core/host/taps.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = 300 };

static uint32_t main_nodes_of_file(const xr_tap *tap)
{
    uint32_t count = 0;
    while (count < tap->file_node_count && tap->file_nodes[count].subgraph == 0)
        count++;
    return count;
}

/* Operators by their indices, which delegates keep. */
static bool same_operators(const xr_tap *tap, const xr_tap_tables *tables, char why[TEXT])
{
    const xr_tap_subgraph *graph = &tables->subgraphs[0];
    uint32_t count = main_nodes_of_file(tap), replaced = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        replaced += graph->position[i] == EXRAY_NO_INDEX;
    if (count > graph->node_count || (count < graph->node_count && !tables->partitions && !replaced)) {
        snprintf(why, TEXT, "it has %u operators, the model that runs has %u", (unsigned)count,
                 (unsigned)graph->node_count);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = graph->position[i];
        if (at == EXRAY_NO_INDEX || tables->is_partition[at] ||
            strcmp(tables->model.nodes[at].op, tap->file_nodes[i].op) == 0)
            continue;
        snprintf(why, TEXT, "its operator %u is %.60s, that of the model that runs %.60s", (unsigned)i,
                 tap->file_nodes[i].op, tables->model.nodes[at].op);
        return false;
    }
    return true;
}

/* Activations may have got other shapes (resized inputs), constants have those of the file. */
static bool same_tensor(const xr_tap_file_tensor *file, const exray_tensor_info *info)
{
    float scale = info->quantization.count ? info->quantization.scale[0] : 0;
    bool both = file->constant && info->constant;
    return strcmp(file->name, info->name ? info->name : "") == 0 && file->dtype == info->dtype &&
           file->scale == scale &&
           (!both || (file->rank == info->rank &&
                      memcmp(file->shape, info->shape, file->rank * sizeof *file->shape) == 0));
}

static bool same_tensors(const xr_tap *tap, const xr_tap_tables *tables, char why[TEXT])
{
    const xr_tap_subgraph *graph = &tables->subgraphs[0];
    for (uint32_t i = 0; i < tap->file_tensor_count && i < graph->tensor_count; i++)
        if (!same_tensor(&tap->file_tensors[i], &tables->model.tensors[graph->first_tensor + i])) {
            snprintf(why, TEXT,
                     "its tensor %u (%.120s) has another name, type, shape or scale in the model that runs",
                     (unsigned)i, tap->file_tensors[i].name);
            return false;
        }
    return true;
}

bool xr_tap_check_file(xr_tap *tap, const xr_tap_tables *tables)
{
    char why[TEXT], text[2 * TEXT];
    if (!tap->file_nodes || (same_operators(tap, tables, why) && same_tensors(tap, tables, why)))
        return true;
    snprintf(text, sizeof text,
             "%.100s is not the model that runs: %s; nothing of it is in the log: give the tap the model's "
             "own file",
             tap->model_name ? tap->model_name : "the model file", why);
    xr_say_event(tap->recorder, EXRAY_EVENT_ERROR, text);
    tap->file_node_count = tap->file_tensor_count = tap->file_subgraphs = 0;
    tap->file_nodes = NULL;
    tap->has_sha256 = false;
    return false;
}
