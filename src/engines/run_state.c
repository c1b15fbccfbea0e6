#include "engines/run_state.h"

#include "core/host/taps.h"
#include "models/model_file.h"
#include "models/model_load.h"
#include "models/refuse.h"

#include <stdio.h>
#include <stdlib.h>

exray_status xr_run_state_read_model(xr_run_state *state, const char *path, const void *data, size_t size,
                                     exray_error *error)
{
    state->model_path = path;
    state->model_data = data;
    state->model_size = size;
    if (data)
        return EXRAY_OK;
    if (!path) {
        return xr_refuse(
            error, EXRAY_E_ARGUMENT,
            "attaching needs the model: name its file (model_file) or give its bytes (model_data)");
    }
    exray_error why = {EXRAY_OK, ""};
    state->model_data = state->own_data = xr_model_load(path, &state->model_size, &why);
    if (state->own_data && xr_model_complete(path, &state->own_data, &state->model_size, &why) == EXRAY_OK) {
        state->model_data = state->own_data;
        return EXRAY_OK;
    }
    return xr_refuse(error, why.status, "cannot read %.300s: %.150s", path, why.message);
}

exray_status xr_run_state_attach(xr_run_state *state, exray_status status, const exray_error *error,
                                 void (*on_close)(void *tap), void *tap)
{
    if (status)
        exray_recorder_fail(state->recorder, status, error->message);
    else
        status = exray_recorder_on_close(state->recorder, on_close, tap);
    state->live = !status;
    return status;
}

void xr_run_state_begin(xr_run_state *state)
{
    if (state->has_run && exray_recorder_frame_index(state->recorder) == state->last_frame)
        exray_recorder_frame_begin(state->recorder, NULL);
    exray_recorder_frame_elapsed(state->recorder); /* begins one where none is open */
}

void xr_run_state_end(xr_run_state *state, bool ok)
{
    state->has_run = true;
    state->last_frame = exray_recorder_frame_index(state->recorder);
    state->failed_runs += !ok;
}

void xr_run_state_fail(xr_run_state *state, const exray_error *error)
{
    state->live = false;
    exray_recorder_fail(state->recorder, error->status, error->message);
}

void xr_run_state_close(xr_run_state *state)
{
    if (state->foreign_runs && !state->has_run && state->live) {
        char text[400];
        snprintf(
            text, sizeof text,
            "nothing was observed: all %llu runs were of another model than %.200s, which the tap was given",
            (unsigned long long)state->foreign_runs, state->model_path ? state->model_path : "the one");
        xr_say_event(state->recorder, EXRAY_EVENT_ERROR, text);
    }
    const xr_unobserved losses[] = {{"runs_that_failed", state->failed_runs},
                                    {"runs_of_another_model", state->foreign_runs}};
    xr_record_unobserved(state->recorder, losses, sizeof losses / sizeof losses[0]);
    free(state->own_data);
    state->own_data = NULL;
    state->live = false;
}
