#include "checks/model/state/unseen.h"

#include <math.h>
#include <stdlib.h>

/* Of the state's rms, what other kernels make of it over many frames at most. */
#define MOST_NOISE 0.02

typedef struct state_frame {
    bool known, differs, zeros[2];
} state_frame;

static state_frame compare(const exray_comparison *c, const xr_loop *loop, size_t frame,
                           exray_slot *const slot[2])
{
    state_frame r = {.known = true, .zeros = {true, true}};
    exray_tensor_view view[2];
    const float *v[2];
    exray_error ignored;
    for (int s = 0; s < 2 && r.known; s++)
        r.known = exray_comparison_values(c, (exray_side)s, frame, EXRAY_KIND_INPUT, loop->input, slot[s],
                                          &view[s], &v[s], &ignored) == EXRAY_OK;
    /* An output that comes back is the state as a whole, and may grow. */
    const uint64_t count = r.known && loop->output != SIZE_MAX ? view[EXRAY_SIDE_EDGE].count : loop->overlap;
    if (!r.known || view[0].count != view[1].count || view[0].count < count)
        return (state_frame){.known = false};
    double difference = 0, square = 0;
    for (uint64_t i = 0; i < count; i++) {
        const float x[2] = {v[0][i], v[1][i]};
        for (int s = 0; s < 2; s++)
            r.zeros[s] = r.zeros[s] && x[s] == 0;
        difference += ((double)x[0] - x[1]) * ((double)x[0] - x[1]);
        square += fmax((double)x[0] * x[0], (double)x[1] * x[1]);
    }
    r.differs = !(sqrt(difference) <= MOST_NOISE * sqrt(square));
    return r;
}

/* Whether both logs tell how the state of a matched frame came about. */
static bool is_seen(const exray_comparison *c, const xr_loop *loop, size_t frame)
{
    const exray_frame_pair m = exray_comparison_frame(c, frame);
    return loop->link[0][m.frame[0]] != XR_LINK_UNKNOWN && loop->link[1][m.frame[1]] != XR_LINK_UNKNOWN;
}

bool xr_unseen_find(const exray_comparison *comparison, const xr_loop *loop, xr_unseen *out)
{
    size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    *out = (xr_unseen){.in = calloc(frames + 1, sizeof *out->in),
                       .reset = calloc(frames + 1, sizeof *out->reset),
                       .zeros = 2};
    bool ok = slot[0] && slot[1] && out->in && out->reset;
    for (size_t f = 0; ok && f < frames; f++) {
        const state_frame r = compare(comparison, loop, f, slot);
        if (!r.known || !r.differs)
            continue;
        if (out->count == 0) {
            if (f == 0 || is_seen(comparison, loop, f))
                break; /* the links tell it */
            out->first = f;
            out->zeros = r.zeros[0] ? 0 : r.zeros[1] ? 1 : 2;
        }
        out->in[f] = true;
        out->reset[f] = out->zeros < 2 && r.zeros[out->zeros];
        out->count++;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok;
}

void xr_unseen_free(xr_unseen *unseen)
{
    free(unseen->in);
    free(unseen->reset);
    *unseen = (xr_unseen){0};
}
