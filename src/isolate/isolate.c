#define _POSIX_C_SOURCE 200809L
#include "isolate/isolate.h"

#include "base/error.h"
#include "compare/compare.h"
#include "compare/judge/localize.h"
#include "isolate/trial.h"

#include "models/model_hash.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Layers that are run alone; those behind the first wrong ones only propagate errors. */
enum { MOST_LAYERS = 256 };

typedef struct isolation {
    xr_trial_bench bench;
    const xr_isolate_options *options;
    xr_isolate_report *report;
    bool same_file; /* the model file is the one that the reference ran */
    double until;   /* of the clock below: no further layer is begun then; INFINITY: no limit */
} isolation;

static void keep_why(isolation *w, const exray_layer_pair *layer, const char *why)
{
    if (!w->report->why[0] && why)
        snprintf(w->report->why, sizeof w->report->why, "layer %u (%.40s) was not run alone: %.200s",
                 (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE], why);
}

static void call_failing(isolation *w, size_t layer, const xr_trial *t, double error, double noise)
{
    const xr_engine *engine = w->bench.engine;
    if (!w->options->failing)
        return;
    xr_isolated_tensor inputs[XR_TRIAL_INPUTS];
    for (uint32_t i = 0; i < t->inputs; i++) {
        const exray_tensor_info *info = engine->input(t->session, i);
        inputs[i] = (xr_isolated_tensor){info->name, info, t->value[i], t->count[i]};
    }
    const exray_tensor_info *info = engine->output(t->session, t->output);
    xr_isolated what = {.layer = layer,
                        .format = w->bench.plan.file->format->name,
                        .model = t->bytes,
                        .inputs = inputs,
                        .input_count = t->inputs,
                        .edge = {info->name, info, t->edge, t->output_count},
                        .reference = {info->name, info, t->reference, t->output_count},
                        .error = error,
                        .noise = noise};
    w->report->not_saved = !w->options->failing(w->options->user, &what);
}

static bool is_wrong(const exray_layer_pair *layer)
{
    return layer->role == EXRAY_LAYER_ROLE_ORIGINATES || layer->role == EXRAY_LAYER_ROLE_PROPAGATES;
}

/* Whether both sides have values: a layer cannot be run on statistics. */
static bool has_data(const exray_layer_pair *layer)
{
    return layer->metrics.count && !layer->from_stats && !layer->from_sketch;
}

static bool is_exact(const isolation *w, size_t i)
{
    return w->same_file && xr_comparison_is_exact(w->bench.comparison, i);
}

/* Whether another layer, in which an error begins, lies between the layer and what the block reads. */
static bool holds_another_fault(const isolation *w, size_t i, const xr_trial *t)
{
    uint32_t nodes[XR_BLOCK_MOST];
    uint32_t count = xr_plan_edge_nodes(&w->bench.plan, i, t->source, t->inputs, nodes);
    for (size_t k = 0; k < i; k++) {
        const exray_layer_pair *layer = exray_comparison_layer(w->bench.comparison, k);
        if (layer->role != EXRAY_LAYER_ROLE_ORIGINATES)
            continue;
        for (uint32_t n = 0; n < count; n++)
            if (layer->node[EXRAY_SIDE_EDGE] == nodes[n])
                return true;
    }
    return false;
}

/* Whether the engine makes of the reference's own inputs what the reference made of them.  On another
 * processor or by another version it may not: then it is no judge of the edge. */
static bool reproduces(isolation *w, size_t i, uint32_t least, double noise, double *is)
{
    xr_trial t;
    const char *why;
    double error = xr_trial_run(&w->bench, EXRAY_SIDE_REFERENCE, i, least, &t, &why);
    xr_trial_close(&w->bench, &t);
    *is = error;
    return !(error > noise);
}

/* Why the result of a trial proves nothing; NULL: it does. */
static const char *why_not_proven(isolation *w, size_t i, uint32_t least, double error, double noise,
                                  const xr_trial *t)
{
    bool originates = exray_comparison_layer(w->bench.comparison, i)->role == EXRAY_LAYER_ROLE_ORIGINATES;
    double own;
    /* Run alone it begins with an empty state: that it agrees would tell, that it does not need not. */
    if (error > noise && t->keeps_state)
        return "it keeps a state from frame to frame, which the log does not hold";
    if (error > noise && least == 1 && holds_another_fault(w, i, t))
        return "what the edge recorded before it lies behind another wrong layer";
    if ((error > noise || originates) && !reproduces(w, i, least, noise, &own)) {
        if (!(error > noise) && least == 1) /* the engine here agrees with the edge */
            xr_comparison_reference_fails(w->bench.comparison, i, own);
        return "the engine here makes of the reference's inputs something else than the reference did";
    }
    return NULL;
}

/* What layers of the edge add that lie between the layer and what the block reads: the reference computes in
 * one what the edge computes in several, maybe in 8 bits. */
static double others_noise(const isolation *w, size_t i, const xr_trial *t)
{
    uint32_t nodes[XR_BLOCK_MOST];
    uint32_t count = xr_plan_edge_nodes(&w->bench.plan, i, t->source, t->inputs, nodes);
    double square = 0;
    for (uint32_t n = 0; n < count; n++) {
        double own = xr_node_own_noise(w->bench.comparison, nodes[n]);
        square += own * own;
    }
    return sqrt(square);
}

/* Whether a layer that shows no error in the first frames may show one in those in which it differs most. */
static bool may_show_elsewhere(const isolation *w, size_t i, double error, double noise)
{
    return !w->bench.worst && error <= noise &&
           exray_comparison_frame_count(w->bench.comparison) > XR_TRIAL_FRAMES &&
           exray_comparison_layer(w->bench.comparison, i)->role == EXRAY_LAYER_ROLE_ORIGINATES;
}

static void run_alone(isolation *w, size_t i)
{
    const exray_layer_pair *layer = exray_comparison_layer(w->bench.comparison, i);
    xr_trial t;
    const char *why;
    double error = xr_trial_run(&w->bench, EXRAY_SIDE_EDGE, i, 1, &t, &why), noise = NAN;
    xr_isolated_errors errors = {error, t.within, t.deviation, 0, false};
    if (!isnan(error)) {
        errors.others = others_noise(w, i, &t);
        errors.exact = errors.others == 0 && is_exact(w, i);
        if (may_show_elsewhere(w, i, error, xr_isolated_noise(w->bench.comparison, i, &errors))) {
            xr_trial_close(&w->bench, &t);
            w->bench.worst = true;
            error = xr_trial_run(&w->bench, EXRAY_SIDE_EDGE, i, 1, &t, &why);
            errors = (xr_isolated_errors){error, t.within, t.deviation, 0, false};
        }
    }
    if (!isnan(error)) {
        errors.others = others_noise(w, i, &t);
        errors.exact = errors.others == 0 && is_exact(w, i);
        noise = xr_isolated_noise(w->bench.comparison, i, &errors);
        if ((why = why_not_proven(w, i, 1, error, noise, &t)))
            error = NAN;
    }
    if (!isnan(error)) {
        w->report->run += is_wrong(layer);
        bool failed = xr_comparison_isolated(w->bench.comparison, i, &errors);
        if (failed && w->report->failed == 0)
            call_failing(w, i, &t, error, layer->own_noise);
        w->report->failed += failed;
    } else if (is_wrong(layer))
        keep_why(w, layer, why);
    xr_trial_close(&w->bench, &t);
    w->bench.worst = false;
}

/* Finds a block that ends with layer i and is wrong as a whole: doubles its length until it is. */
static void find_block(isolation *w, size_t i)
{
    for (uint32_t length = 2; length <= XR_BLOCK_MOST / 2 && length <= i + 1; length *= 2) {
        xr_trial t;
        const char *why;
        double error = xr_trial_run(&w->bench, EXRAY_SIDE_EDGE, i, length, &t, &why);
        double noise = xr_block_noise(w->bench.comparison, i, length);
        bool failed = error > noise && !why_not_proven(w, i, length, error, noise, &t);
        if (failed) {
            size_t first = i + 1 - length;
            xr_comparison_block(w->bench.comparison, i,
                                exray_comparison_layer(w->bench.comparison, first)->node[EXRAY_SIDE_EDGE],
                                error);
            call_failing(w, i, &t, error, noise);
        }
        xr_trial_close(&w->bench, &t);
        if (failed || isnan(error))
            return;
    }
}

/* A layer within the noise of its network may be wrong by itself, if its result is known to one step;
 * `differs`: it or a layer before it is not equal on both sides. */
static bool is_worth_running(const isolation *w, size_t i, bool differs)
{
    const exray_layer_pair *layer = exray_comparison_layer(w->bench.comparison, i);
    return (is_wrong(layer) && has_data(layer)) ||
           (differs && layer->role == EXRAY_LAYER_ROLE_CLEAN && layer->metrics.count && is_exact(w, i));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Whether a further layer may be run; says why not. */
static bool has_time(isolation *w, const exray_layer_pair *layer)
{
    if (now() < w->until)
        return true;
    keep_why(w, layer, "the time for it was over; --engine runs them all");
    return false;
}

static void run_all(isolation *w)
{
    size_t first_wrong = SIZE_MAX, tried = 0;
    bool differs = false, any = false;
    for (size_t i = 0; i < exray_comparison_layer_count(w->bench.comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(w->bench.comparison, i);
        differs = differs || !(layer->error == 0);
        any = any || has_data(layer);
        if (is_wrong(layer)) {
            w->report->wrong++;
            if (has_data(layer))
                first_wrong = first_wrong == SIZE_MAX ? i : first_wrong;
            else
                keep_why(w, layer, "its values are not in both logs (--capture full)");
        }
        if (is_worth_running(w, i, differs) && tried++ < MOST_LAYERS && has_time(w, layer))
            run_alone(w, i);
    }
    if (w->report->run && w->report->failed == 0 && now() < w->until)
        find_block(w, first_wrong);
    if (!any)
        snprintf(w->report->why, sizeof w->report->why,
                 "no layer's values are in both logs; record both with --capture full");
}

static bool is_that_file(const xr_isolate_options *options, const exray_model *logged)
{
    uint8_t hash[32];
    xr_model_hash(options->model, options->model_size, hash);
    return logged->sha256 && memcmp(hash, logged->sha256, sizeof hash) == 0;
}

exray_status xr_isolate(exray_comparison *comparison, const xr_isolate_options *options,
                        xr_isolate_report *report, exray_error *error)
{
    *report = (xr_isolate_report){0};
    const exray_model *logged = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    if (!logged) {
        snprintf(report->why, sizeof report->why, "the reference's log has no /model");
        return EXRAY_OK;
    }
    xr_model_file file;
    exray_status status = xr_model_read(options->model, options->model_size, &file, error);
    if (status != EXRAY_OK)
        return status;
    isolation w = {.bench = {.comparison = comparison,
                             .engine = options->engine,
                             .kernels = options->kernels,
                             .library = options->library},
                   .options = options,
                   .report = report,
                   .same_file = is_that_file(options, logged),
                   .until = options->seconds > 0 ? now() + options->seconds : INFINITY};
    bool ok = xr_plan_init(&w.bench.plan, comparison, &file);
    for (int i = 0; i <= XR_TRIAL_INPUTS; i++)
        ok = (w.bench.slot[i] = exray_slot_new()) && ok;
    if (ok)
        run_all(&w);
    else
        status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory while isolating layers");
    for (int i = 0; i <= XR_TRIAL_INPUTS; i++)
        exray_slot_free(w.bench.slot[i]);
    xr_plan_free(&w.bench.plan);
    xr_model_release(&file);
    return status;
}
