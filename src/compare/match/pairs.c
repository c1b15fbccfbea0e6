/* Which tensor of one log is which of the other: inputs and outputs by name, else by position; layers by
 * alignment (align.h). */
#include "compare/match/pairs.h"

#include "compare/match/align.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const exray_record *xr_pair_record(const exray_comparison *c, const xr_pair *pair, exray_side side,
                                   size_t frame)
{
    size_t position = c->frame[frame].frame[side];
    if (pair->kind == EXRAY_KIND_LAYER)
        return exray_log_find(c->log[side], position, EXRAY_KIND_LAYER, pair->index[side], pair->output[side],
                              NULL);
    return exray_log_find(c->log[side], position, pair->kind, EXRAY_NO_INDEX, 0, pair->name[side]);
}

/* ---- Inputs and outputs ------------------------------------------------------ */

typedef struct io_entry {
    const char *name;
    uint32_t tensor;
    bool taken;
} io_entry;

typedef struct io_list {
    io_entry *entry;
    size_t count;
} io_list;

static bool io_push(io_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entry[i].name, name) == 0)
            return true;
    io_entry *grown = realloc(list->entry, (list->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    list->entry = grown;
    list->entry[list->count++] = (io_entry){name, EXRAY_NO_INDEX, false};
    return true;
}

/* The position in the model's list of inputs or outputs of a topic's NAME. */
static uint32_t io_position(const exray_model *model, exray_kind kind, const char *name)
{
    const uint32_t *tensors = kind == EXRAY_KIND_INPUT ? model->inputs : model->outputs;
    uint32_t count = kind == EXRAY_KIND_INPUT ? model->input_count : model->output_count;
    for (uint32_t i = 0; i < count; i++) {
        const char *own = tensors[i] < model->tensor_count ? model->tensors[tensors[i]].name : NULL;
        if (own && *own && strcmp(own, name) == 0)
            return i;
    }
    char *end;
    unsigned long position = strtoul(name, &end, 10);
    return *name && !*end && position < count ? (uint32_t)position : EXRAY_NO_INDEX;
}

/* Names in the order of the model where it is known, else of the records. */
static bool io_collect(const exray_comparison *c, exray_side side, exray_kind kind, io_list *list)
{
    *list = (io_list){0};
    enum { LOOK_AT = 8 }; /* frames: the first may have been filtered */
    for (size_t f = 0; f < c->frame_count && f < LOOK_AT; f++) {
        size_t position = c->frame[f].frame[side];
        const exray_record *record = exray_log_records(c->log[side], position);
        size_t count = exray_log_frame(c->log[side], position)->record_count;
        for (size_t i = 0; i < count; i++)
            if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == kind &&
                !io_push(list, record[i].name))
                return false;
    }
    const exray_model *model = exray_log_model(c->log[side]);
    if (!model)
        return true;
    const uint32_t *tensors = kind == EXRAY_KIND_INPUT ? model->inputs : model->outputs;
    size_t sorted = 0;
    uint32_t total = kind == EXRAY_KIND_INPUT ? model->input_count : model->output_count;
    for (uint32_t want = 0; want < total; want++)
        for (size_t i = sorted; i < list->count; i++) {
            if (io_position(model, kind, list->entry[i].name) != want)
                continue;
            io_entry found = list->entry[i];
            found.tensor = tensors[want];
            memmove(&list->entry[sorted + 1], &list->entry[sorted], (i - sorted) * sizeof found);
            list->entry[sorted++] = found;
            break;
        }
    return true;
}

static void pair_io(xr_pairs *out, exray_kind kind, io_entry *edge, io_entry *reference)
{
    edge->taken = reference->taken = true;
    out->pair[out->count++] = (xr_pair){.kind = kind,
                                        .name = {edge->name, reference->name},
                                        .tensor = {edge->tensor, reference->tensor},
                                        .moments = xr_moments_zero()};
}

static bool match_io(const exray_comparison *c, exray_kind kind, xr_pairs *out)
{
    io_list list[2] = {{0}};
    bool ok =
        io_collect(c, EXRAY_SIDE_EDGE, kind, &list[0]) && io_collect(c, EXRAY_SIDE_REFERENCE, kind, &list[1]);
    size_t most = list[0].count < list[1].count ? list[0].count : list[1].count;
    out->pair = ok ? calloc(most + 1, sizeof *out->pair) : NULL;
    ok = out->pair != NULL;
    for (size_t i = 0; ok && i < list[0].count; i++)
        for (size_t j = 0; j < list[1].count; j++)
            if (!list[1].entry[j].taken && strcmp(list[0].entry[i].name, list[1].entry[j].name) == 0) {
                pair_io(out, kind, &list[0].entry[i], &list[1].entry[j]);
                break;
            }
    /* Those without a match by name: the i-th rest of one side with the i-th of the other. */
    for (size_t i = 0, j = 0; ok && i < list[0].count; i++) {
        if (list[0].entry[i].taken)
            continue;
        while (j < list[1].count && list[1].entry[j].taken)
            j++;
        if (j == list[1].count)
            break;
        pair_io(out, kind, &list[0].entry[i], &list[1].entry[j]);
    }
    free(list[0].entry);
    free(list[1].entry);
    return ok;
}

/* ---- Layers ------------------------------------------------------------------ */

static bool layers_of_models(exray_comparison *c, const exray_model *edge, const exray_model *reference)
{
    xr_alignment alignment;
    if (!xr_align(edge, reference, c, &alignment))
        return false;
    c->coverage.layers[0] = xr_layer_count(edge) - alignment.free[0];
    c->coverage.layers[1] = xr_layer_count(reference) - alignment.free[1];
    c->coverage.compared = alignment.count;
    c->layers.pair = calloc(alignment.count + 1, sizeof *c->layers.pair);
    for (size_t i = 0; c->layers.pair && i < alignment.count; i++) {
        const xr_layer_match *m = &alignment.match[i];
        if (m->how == XR_MATCH_INSIDE) {
            c->coverage.fused++;
            continue;
        }
        const uint32_t *tensors = edge->nodes[m->node[0]].outputs;
        c->layers.pair[c->layers.count++] =
            (xr_pair){.kind = EXRAY_KIND_LAYER,
                      .index = {m->node[0], m->node[1]},
                      .output = {m->output[0], m->output[1]},
                      .name = {exray_node_name(edge, m->node[0]), exray_node_name(reference, m->node[1])},
                      .tensor = {tensors[m->output[0]], reference->nodes[m->node[1]].outputs[m->output[1]]},
                      .matched_by = xr_match_name(m->how),
                      .moments = xr_moments_zero()};
    }
    bool ok = c->layers.pair != NULL;
    xr_alignment_free(&alignment);
    return ok;
}

static size_t layer_records(const exray_comparison *c, exray_side side, const exray_record **first)
{
    size_t position = c->frame[0].frame[side];
    const exray_record *record = exray_log_records(c->log[side], position);
    size_t total = exray_log_frame(c->log[side], position)->record_count, count = 0;
    *first = NULL;
    for (size_t i = 0; i < total; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_LAYER) {
            if (!*first)
                *first = &record[i];
            count++;
        }
    return count;
}

/* Where a log has no model: the layers of the first frame, by number. */
static bool layers_of_records(exray_comparison *c)
{
    if (c->frame_count == 0)
        return true;
    const exray_record *record[2];
    size_t count[2];
    for (int s = 0; s < 2; s++)
        count[s] = layer_records(c, (exray_side)s, &record[s]);
    c->layers.pair = calloc(count[0] + 1, sizeof *c->layers.pair);
    c->made_names = calloc(count[0] + 1, sizeof *c->made_names);
    if (!c->layers.pair || !c->made_names)
        return false;
    for (size_t i = 0; i < count[0]; i++) {
        const exray_record *edge = &record[0][i];
        if (edge->occurrence > 0)
            continue;
        c->coverage.layers[0]++;
        if (!exray_log_find(c->log[1], c->frame[0].frame[1], EXRAY_KIND_LAYER, edge->index, edge->output,
                            NULL))
            continue;
        char(*names)[24] = c->made_names[c->layers.count];
        for (int s = 0; s < 2; s++)
            snprintf(names[s], sizeof names[s], "layer %u", (unsigned)edge->index);
        c->layers.pair[c->layers.count++] = (xr_pair){.kind = EXRAY_KIND_LAYER,
                                                      .index = {edge->index, edge->index},
                                                      .output = {edge->output, edge->output},
                                                      .matched_by = "number",
                                                      .name = {names[0], names[1]},
                                                      .tensor = {EXRAY_NO_INDEX, EXRAY_NO_INDEX},
                                                      .moments = xr_moments_zero()};
    }
    for (size_t i = 0; i < count[1]; i++)
        c->coverage.layers[1] += record[1][i].occurrence == 0;
    c->coverage.compared = c->layers.count;
    return true;
}

bool xr_match_tensors(exray_comparison *c)
{
    const exray_model *edge = exray_log_model(c->log[0]), *reference = exray_log_model(c->log[1]);
    if (!match_io(c, EXRAY_KIND_INPUT, &c->inputs) || !match_io(c, EXRAY_KIND_OUTPUT, &c->outputs))
        return false;
    return edge && reference ? layers_of_models(c, edge, reference) : layers_of_records(c);
}
