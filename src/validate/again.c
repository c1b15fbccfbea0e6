#define _POSIX_C_SOURCE 200809L
#include "validate/again.h"

#include "base/error.h"
#include "replay/rerun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What all runs together may take, in seconds: where nobody named an engine, and where somebody did. */
static const double unasked = 10, asked = 60;
static const char *const side_name[2] = {"edge", "reference"};

/* One model, open. */
typedef struct again_run {
    xr_again *again;
    xr_rerun *rerun;
    const xr_engine *engine;
} again_run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool same_file(const exray_log *const log[2])
{
    const exray_model *m[2] = {exray_log_model(log[0]), exray_log_model(log[1])};
    return m[0] && m[1] && m[0]->sha256 && m[1]->sha256 && memcmp(m[0]->sha256, m[1]->sha256, 32) == 0;
}

/* The file and the engine of a side; both sides may have run one file. */
static const xr_at_hand *look(xr_again *a, exray_side side)
{
    const exray_validation_options *o = a->options;
    const char *const named[2] = {o->edge_model, o->reference_model};
    for (int k = 0; k < 2; k++) {
        const exray_side s = k ? (side ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE) : side;
        if (k && !same_file(a->log))
            break;
        if (!a->looked[s])
            xr_at_hand_find(a->log[s], side_name[s], named[s], &a->model[s], o->engine_library,
                            &a->at_hand[s]);
        a->looked[s] = true;
        if (a->at_hand[s].is_file)
            return &a->at_hand[s];
    }
    return &a->at_hand[side];
}

/* Kernels that the side's log names, where the engine has such; NULL: the engine's default. */
static const char *kernels_of(const xr_engine *engine, const exray_model *model)
{
    for (const char *const *name = engine->kernels; model && model->kernels && *name; name++)
        if (strcmp(*name, model->kernels) == 0)
            return *name;
    return NULL;
}

static void *open_run(void *user, exray_side side, exray_error *error)
{
    xr_again *a = user;
    const xr_at_hand *hand = look(a, side);
    const exray_model *model = exray_log_model(a->log[side]);
    const xr_engine *engine = a->options->engine ? xr_engine_by_name(a->options->engine) : hand->engine;
    again_run *run = NULL;
    if (!hand->is_file || !engine) {
        xr_error_set(error, EXRAY_E_STATE, "%.300s", *hand->why ? hand->why : "there is no engine for it");
    } else if (!(run = calloc(1, sizeof *run))) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    } else {
        xr_session_config config = {
            .model_path = hand->path,
            .model_data = hand->model,
            .model_size = hand->size,
            .kernels = a->options->kernels ? a->options->kernels : kernels_of(engine, model),
            .threads = model && model->threads ? model->threads : 1,
            .library = a->options->engine ? a->options->engine_library : hand->library};
        *run = (again_run){.again = a, .engine = engine};
        run->rerun = xr_rerun_open(engine, &config, error);
    }
    if (run && run->rerun) {
        a->told.engine = engine->name;
        a->until = a->until > 0 ? a->until : now() + (a->options->engine ? asked : unasked);
        return run;
    }
    free(run);
    snprintf(a->told.why, sizeof a->told.why, "%.300s", error->message);
    return NULL;
}

static void close_run(void *of)
{
    again_run *run = of;
    xr_rerun_close(run->rerun);
    free(run);
}

static exray_status loop(void *of, const char *input, const char *output, exray_error *error)
{
    return xr_rerun_loop(((again_run *)of)->rerun, input, output, error);
}

static exray_status reset(void *of, exray_error *error)
{
    return xr_rerun_reset(((again_run *)of)->rerun, error);
}

static exray_status run_once(void *of, const exray_log *log, size_t frame, int zeros, exray_error *error)
{
    again_run *run = of;
    if (now() > run->again->until) {
        snprintf(run->again->told.why, sizeof run->again->told.why, "it would take too long");
        return xr_error_set(error, EXRAY_E_STATE, "it would take too long");
    }
    run->again->told.runs++;
    return xr_rerun_run(run->rerun, log, frame, zeros, error);
}

static const void *output(void *of, const char *name, exray_tensor_info *info, size_t *size)
{
    return xr_rerun_output(((again_run *)of)->rerun, name, info, size);
}

static const char *engine_name(void *of)
{
    return ((again_run *)of)->engine->name;
}

void xr_again_init(xr_again *a, const exray_validation_options *options, const exray_log *const log[2],
                   const xr_side_model model[2])
{
    *a = (xr_again){.options = options,
                    .log = {log[0], log[1]},
                    .model = model,
                    .calls = {a, open_run, close_run, loop, reset, run_once, output, engine_name}};
}

void xr_again_free(xr_again *a)
{
    for (int s = 0; s < 2; s++)
        xr_at_hand_free(&a->at_hand[s]);
}
