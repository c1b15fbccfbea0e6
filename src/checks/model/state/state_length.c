#include "checks/model/state/state_length.h"

#include <stdint.h>
#include <string.h>

/* Whether a list of names, "past_key, past_value", has one. */
static bool lists(const char *names, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = names; *at;) {
        const size_t n = strcspn(at, ",");
        if (n == length && strncmp(at, name, n) == 0)
            return true;
        at += n + strspn(at + n, ", ");
    }
    return false;
}

static const exray_io_pair *input_of(const exray_comparison *c, const char *name)
{
    for (size_t i = 0; i < exray_comparison_input_count(c); i++)
        if (strcmp(exray_comparison_input(c, i)->name[EXRAY_SIDE_EDGE], name) == 0)
            return exray_comparison_input(c, i);
    return NULL;
}

static bool read(const exray_comparison *c, const exray_io_pair *io, int side, size_t frame, exray_slot *slot,
                 exray_tensor_view *view)
{
    const exray_log *log = exray_comparison_log(c, (exray_side)side);
    const exray_record *record = exray_log_find(log, exray_comparison_frame(c, frame).frame[side],
                                                EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, io->name[side]);
    exray_error ignored;
    return record && exray_log_read_tensor(log, record, slot, view, &ignored) == EXRAY_OK;
}

/* By how much the edge's state is longer, along the one dimension that differs. */
static bool longer(const exray_tensor_view state[2], int64_t *by)
{
    const exray_tensor_info *a = &state[0].info, *b = &state[1].info;
    size_t apart = 0;
    *by = 0;
    for (uint32_t d = 0; a->rank == b->rank && d < a->rank; d++)
        if (a->shape[d] != b->shape[d])
            *by = a->shape[d] - b->shape[d], apart++;
    return a->rank == b->rank && apart <= 1;
}

static bool values_of(const exray_comparison *c, const exray_io_pair *io, int side, size_t frame,
                      exray_slot *slot, float *least, float *most)
{
    const exray_log *log = exray_comparison_log(c, (exray_side)side);
    const exray_record *record = exray_log_find(log, exray_comparison_frame(c, frame).frame[side],
                                                EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, io->name[side]);
    exray_tensor_view view;
    const float *v;
    exray_error ignored;
    if (!record || !record->has_data ||
        exray_log_read_values(log, record, slot, &view, &v, &ignored) != EXRAY_OK || view.count == 0)
        return false;
    *least = *most = v[0];
    for (uint64_t i = 1; i < view.count; i++) {
        *least = v[i] < *least ? v[i] : *least;
        *most = v[i] > *most ? v[i] : *most;
    }
    return true;
}

/* Whether the input differs, in every frame, by as much as the state is longer. */
static bool counts_length(const exray_comparison *c, const exray_io_pair *io, const exray_io_pair *state)
{
    exray_slot *slot[3] = {exray_slot_new(), exray_slot_new(), exray_slot_new()};
    size_t differing = 0;
    bool counts = slot[0] && slot[1] && slot[2];
    for (size_t f = 0; counts && f < exray_comparison_frame_count(c); f++) {
        exray_tensor_view view[2];
        float least[2], most[2];
        int64_t by = 0;
        for (int s = 0; s < 2 && counts; s++)
            counts = read(c, state, s, f, slot[s], &view[s]) &&
                     values_of(c, io, s, f, slot[2], &least[s], &most[s]);
        counts =
            counts && longer(view, &by) && least[0] - least[1] == (float)by && most[0] - most[1] == (float)by;
        differing += by != 0;
    }
    for (int i = 0; i < 3; i++)
        exray_slot_free(slot[i]);
    return counts && differing > 0;
}

bool xr_follows_from_state(const exray_comparison *comparison, const exray_finding *state,
                           const exray_finding *f)
{
    const xr_evidence *names =
        strcmp(state->cause, "model.state") == 0 ? xr_finding_evidence(state, "states") : NULL;
    const xr_evidence *kind = names ? xr_finding_evidence(state, "kind") : NULL;
    if (!names || !names->text || !kind || !kind->text || !comparison || !f->tensor)
        return false;
    /* What is cut or replaced has a shape of its own making. */
    if (strcmp(kind->text, "reset") != 0 && strcmp(kind->text, "begin") != 0)
        return false;
    if (strcmp(f->cause, "input.shape") == 0)
        return lists(names->text, f->tensor);
    if (strcmp(f->cause, "input.tokens") != 0 || xr_finding_evidence(f, "kind"))
        return false;
    const exray_io_pair *io = input_of(comparison, f->tensor);
    for (size_t i = 0; io && i < exray_comparison_input_count(comparison); i++) {
        const exray_io_pair *other = exray_comparison_input(comparison, i);
        if (lists(names->text, other->name[EXRAY_SIDE_EDGE]) && counts_length(comparison, io, other))
            return true;
    }
    return false;
}
