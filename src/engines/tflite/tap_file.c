/* What the interpreter does not know, read from the model file. */
#include "engines/tflite/tap_file.h"

#include "core/host/taps.h"
#include "models/model_file.h"
#include "models/model_hash.h"
#include "models/model_load.h"
#include "models/refuse.h"
#include "models/tflite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Attributes ------------------------------------------------------------- */

/* Copies a string into `*at`, which moves on. */
static const char *put(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    const char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

/* Counts all attributes of all nodes, and the bytes of their texts. */
static void measure(const exray_model *model, size_t *pairs, size_t *bytes)
{
    *pairs = *bytes = 0;
    for (uint32_t i = 0; i < model->node_count; i++) {
        const exray_node *node = &model->nodes[i];
        *pairs += node->attribute_count;
        *bytes += strlen(node->op) + 1;
        for (uint32_t k = 0; k < node->attribute_count; k++)
            *bytes += strlen(node->attributes[k].key) + strlen(node->attributes[k].value) + 2;
    }
}

/* Keeps what the tensors of the main graph are known by. */
static void read_tensors(xr_tap *tap, const xr_model_file *file)
{
    const xr_tflite_file *details = file->memory;
    uint32_t count = details->main_tensors;
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += strlen(file->model.tensors[i].name) + 1;
    xr_tap_file_tensor *tensors = xr_tap_alloc(&tap->blocks, count, sizeof *tensors);
    char *text = xr_tap_alloc(&tap->blocks, bytes, 1);
    if (!tensors || !text)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const exray_tensor_info *from = &file->model.tensors[i];
        tensors[i] =
            (xr_tap_file_tensor){.name = put(&text, from->name),
                                 .dtype = from->dtype,
                                 .constant = from->constant,
                                 .rank = from->rank,
                                 .scale = from->quantization.count ? from->quantization.scale[0] : 0};
        for (uint32_t k = 0; k < from->rank && k < EXRAY_MAX_RANK; k++)
            tensors[i].shape[k] = from->shape[k];
    }
    tap->file_tensors = tensors;
    tap->file_tensor_count = count;
}

/* Keeps the attributes of the file's nodes.  Without memory, or if the file is damaged, the tap runs
 * without them: whether the file is good is the interpreter's decision. */
static void read_graph(xr_tap *tap, const void *data, size_t size)
{
    xr_model_file file;
    exray_error error = {EXRAY_OK, ""};
    if (!xr_model_format_tflite.recognize(data, size) || xr_model_read(data, size, &file, &error) != EXRAY_OK)
        return;
    size_t pair_count, bytes;
    measure(&file.model, &pair_count, &bytes);
    exray_node *nodes = xr_tap_alloc(&tap->blocks, file.model.node_count, sizeof *nodes);
    exray_key_value *pairs = xr_tap_alloc(&tap->blocks, pair_count, sizeof *pairs);
    char *text = xr_tap_alloc(&tap->blocks, bytes, 1);
    if (nodes && pairs && text) {
        for (uint32_t i = 0; i < file.model.node_count; i++) {
            const exray_node *from = &file.model.nodes[i];
            nodes[i] = (exray_node){.op = put(&text, from->op),
                                    .subgraph = from->subgraph,
                                    .attributes = pairs,
                                    .attribute_count = from->attribute_count};
            for (uint32_t k = 0; k < from->attribute_count; k++, pairs++) {
                pairs->key = put(&text, from->attributes[k].key);
                pairs->value = put(&text, from->attributes[k].value);
            }
        }
        tap->file_nodes = nodes;
        tap->file_node_count = file.model.node_count;
        read_tensors(tap, &file);
    }
    xr_model_release(&file);
}

void xr_tap_add_attributes(const xr_tap *tap, uint32_t subgraph, uint32_t index, exray_node *node)
{
    /* The file's nodes are in the order of its subgraphs. */
    uint32_t low = 0, high = tap->file_node_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tap->file_nodes[middle].subgraph < subgraph)
            low = middle + 1;
        else
            high = middle;
    }
    if (index >= tap->file_node_count - low)
        return;
    const exray_node *from = &tap->file_nodes[low + index];
    /* Beyond the file's own nodes are those that delegates added. */
    if (from->subgraph != subgraph || strcmp(from->op, node->op) != 0)
        return;
    node->attributes = from->attributes;
    node->attribute_count = from->attribute_count;
}

/* ---- The file -------------------------------------------------------------------- */

/* It costs the hash and the attributes, not the recording. */
static void say_unread(xr_tap *tap, const char *path, const exray_error *why)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "cannot read the model %.200s: %.150s; the log has neither its hash nor its operators' attributes",
        path, why->message);
    xr_say_event(tap->recorder, EXRAY_EVENT_ERROR, text);
}

exray_status xr_tap_read_model(xr_tap *tap, const exray_tflite_config *config, exray_error *error)
{
    if (config->model_file) {
        const char *name = xr_model_base_name(config->model_file);
        tap->model_name = xr_tap_alloc(&tap->blocks, strlen(name) + 1, 1);
        if (!tap->model_name) {
            return xr_refuse(error, EXRAY_E_MEMORY, "out of memory");
        }
        strcpy(tap->model_name, name);
    }
    const uint8_t *data = config->model_data;
    size_t size = config->model_size;
    void *own = NULL;
    if (!data && config->model_file) {
        exray_error why = {EXRAY_OK, ""};
        own = xr_model_load(config->model_file, &size, &why);
        if (!own)
            say_unread(tap, config->model_file, &why);
        data = own;
    }
    if (data) {
        xr_model_hash(data, size, tap->sha256);
        tap->has_sha256 = true;
        tap->file_subgraphs = xr_tflite_subgraph_count(data, size);
        read_graph(tap, data, size);
    }
    free(own);
    return EXRAY_OK;
}
