/* Which tensor of one log is which of the other: inputs and outputs by ports.h, layers by alignment
 * (align.h). */
#include "compare/match/pairs.h"

#include "compare/match/align.h"
#include "compare/match/match_ports.h"
#include "log/find_in.h"

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

const exray_record *xr_pair_record_in(const exray_comparison *c, const xr_pair *pair, exray_side side,
                                      size_t frame, exray_slot *slot)
{
    size_t position = c->frame[frame].frame[side];
    if (pair->kind == EXRAY_KIND_LAYER)
        return xr_log_find_in(c->log[side], position, EXRAY_KIND_LAYER, pair->index[side], pair->output[side],
                              NULL, slot);
    return xr_log_find_in(c->log[side], position, pair->kind, EXRAY_NO_INDEX, 0, pair->name[side], slot);
}

/* ---- Layers ------------------------------------------------------------------ */

static bool layers_of_models(exray_comparison *c, const exray_model *edge, const exray_model *reference)
{
    xr_alignment alignment;
    if (!xr_align(edge, reference, c, &alignment))
        return false;
    c->layers.pair = calloc(alignment.count + 1, sizeof *c->layers.pair);
    c->inside = calloc(alignment.count + 1, sizeof *c->inside);
    c->parted = calloc(alignment.count + 1, sizeof *c->parted);
    for (size_t i = 0; c->layers.pair && c->inside && i < alignment.count; i++) {
        const xr_layer_match *m = &alignment.match[i];
        if (m->how == XR_MATCH_INSIDE) {
            c->inside[c->inside_count++] = (xr_layer_place){m->node[0], m->output[0]};
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
                      .proven = m->proven,
                      .moments = xr_moments_zero()};
    }
    bool ok = c->layers.pair && c->inside && c->parted;
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

/* What the application called the tensor; its number where that only counts, or says nothing. */
static void name_record(const exray_log *log, const exray_record *record, exray_slot *slot, char *name,
                        size_t size)
{
    exray_tensor_view view;
    exray_error ignored;
    const bool read =
        record && exray_log_read_tensor(log, record, slot, &view, &ignored) == EXRAY_OK && view.info.name;
    const bool counts = !read || view.info.name[strspn(view.info.name, "0123456789")] == '\0';
    if (!counts)
        snprintf(name, size, "%s", view.info.name);
    else
        snprintf(name, size, "layer %u", record ? (unsigned)record->index : 0);
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
    exray_slot *slot = exray_slot_new();
    if (!c->layers.pair || !c->made_names || !slot) {
        exray_slot_free(slot);
        return false;
    }
    for (size_t i = 0; i < count[0]; i++) {
        const exray_record *edge = &record[0][i];
        if (edge->occurrence > 0)
            continue;
        c->coverage.layers[0]++;
        const exray_record *reference = exray_log_find(c->log[1], c->frame[0].frame[1], EXRAY_KIND_LAYER,
                                                       edge->index, edge->output, NULL);
        if (!reference)
            continue;
        char(*names)[sizeof **c->made_names] = c->made_names[c->layers.count];
        name_record(c->log[0], edge, slot, names[0], sizeof names[0]);
        name_record(c->log[1], reference, slot, names[1], sizeof names[1]);
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
    exray_slot_free(slot);
    c->coverage.compared = c->layers.count;
    return true;
}

bool xr_match_tensors(exray_comparison *c)
{
    const exray_model *edge = exray_log_model(c->log[0]), *reference = exray_log_model(c->log[1]);
    if (!xr_match_ports(c))
        return false;
    return edge && reference ? layers_of_models(c, edge, reference) : layers_of_records(c);
}
