#define _POSIX_C_SOURCE 200809L
#include "validate/isolation.h"

#include "base/error.h"
#include "base/file.h"
#include "checks/scrubbed.h"
#include "compare/judge/localize.h"
#include "engines/engine.h"
#include "isolate/isolate.h"
#include "validate/at_hand.h"
#include "validate/repro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What it may take where nobody asked for it. */
#define UNASKED_SECONDS 10.0

exray_status xr_isolation_check(const exray_validation_options *o, exray_error *error)
{
    bool wanted = o->engine || o->repro || o->kernels;
    if (wanted && (!o->engine || !o->reference_model))
        return xr_error_set(error, EXRAY_E_ARGUMENT,
                            "to run layers alone it takes both the engine and the reference's model file");
    if (wanted && o->no_isolate)
        return xr_error_set(error, EXRAY_E_ARGUMENT,
                            "an engine to run layers alone, and no_isolate: give one of them");
    if (o->engine && !xr_engine_by_name(o->engine))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "there is no engine '%.60s'; `exray engines` lists them",
                            o->engine);
    return EXRAY_OK;
}

/* ---- Unasked: the model file and the engine ---------------------------------------------------- */

/* Whether a layer is wrong; or is of integers of one file, and differs: then it may be wrong within the noise
 * of its network. */
static bool is_worth_it(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->role == EXRAY_LAYER_ROLE_ORIGINATES || layer->role == EXRAY_LAYER_ROLE_PROPAGATES ||
            (layer->error > 0 && xr_comparison_is_exact(comparison, i)))
            return true;
    }
    return false;
}

/* What is at hand of the reference; engine NULL: nothing suitable, and result->why may say what was amiss. */
static void choose(const exray_validation_options *o, const xr_side_model *reference,
                   const exray_comparison *comparison, xr_isolation_result *result, xr_at_hand *at_hand)
{
    xr_at_hand_find(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE), "reference", o->reference_model,
                    reference, o->engine_library, at_hand);
    snprintf(result->model, sizeof result->model, "%s", at_hand->path);
    snprintf(result->why, sizeof result->why, "%s", at_hand->why);
}

/* ---- Running ------------------------------------------------------------------------------------- */

static void remark_on(const xr_isolate_report *report, const xr_repro *repro, char remark[480])
{
    const char *unwritten = repro->folder && !repro->written ? "; --repro: nothing was written" : "";
    if (report->why[0] && report->run == 0)
        snprintf(remark, 480, "isolation: no layer was run alone: %s%s", report->why, unwritten);
    else if (report->why[0])
        snprintf(remark, 480, "isolation: %zu of %zu wrong layers were run alone; %s%s", report->run,
                 report->wrong, report->why, unwritten);
    else if (*unwritten)
        snprintf(remark, 480, "--repro: no layer is wrong by itself; nothing was written");
}

/* What was scrubbed is not to be recorded again. */
static void name_scrubbed(const exray_comparison *comparison, xr_isolate_report *report)
{
    char words[640];
    xr_scrubbed_words(comparison, words, sizeof words);
    xr_scrubbed_instead(report->why, sizeof report->why, words);
}

static void tell(const xr_engine *engine, const xr_isolate_report *report, xr_isolation_result *result)
{
    result->told.engine = engine->name;
    result->told.wrong = report->wrong;
    result->told.run = report->run;
    result->told.failed = report->failed;
    snprintf(result->why, sizeof result->why, "%s", report->why);
}

static exray_status run_asked(const exray_validation_options *o, const xr_side_model *reference,
                              exray_comparison *comparison, xr_isolation_result *result, exray_error *error)
{
    exray_error inner = {EXRAY_OK, ""};
    xr_repro repro = {
        .folder = o->repro, .comparison = comparison, .engine = xr_engine_by_name(o->engine), .error = error};
    xr_isolate_options isolation = {.engine = repro.engine,
                                    .kernels = o->kernels,
                                    .library = o->engine_library,
                                    .model = reference->bytes,
                                    .model_size = reference->size,
                                    .failing = o->repro ? xr_repro_write : NULL,
                                    .user = &repro};
    xr_isolate_report report;
    exray_status status = xr_isolate(comparison, &isolation, &report, &inner);
    if (status != EXRAY_OK)
        return xr_error_set(error, status, "%.250s: %.240s", o->reference_model, inner.message);
    if (report.not_saved)
        return error->status;
    snprintf(result->model, sizeof result->model, "%.500s", o->reference_model);
    name_scrubbed(comparison, &report);
    tell(repro.engine, &report, result);
    remark_on(&report, &repro, result->remark);
    return EXRAY_OK;
}

/* What fails here is no error: nobody asked for it. */
static void run_unasked(const exray_validation_options *o, const xr_side_model *reference,
                        exray_comparison *comparison, xr_isolation_result *result)
{
    xr_at_hand c;
    choose(o, reference, comparison, result, &c);
    if (c.engine) {
        exray_error inner = {EXRAY_OK, ""};
        const xr_isolate_options isolation = {.engine = c.engine,
                                              .library = c.library,
                                              .model = c.model,
                                              .model_size = c.size,
                                              .seconds = UNASKED_SECONDS};
        xr_isolate_report report;
        if (xr_isolate(comparison, &isolation, &report, &inner) != EXRAY_OK) {
            snprintf(result->why, sizeof result->why, "%.300s", inner.message);
        } else {
            name_scrubbed(comparison, &report);
            tell(c.engine, &report, result);
        }
    }
    xr_at_hand_free(&c);
}

exray_status xr_isolation_run(const exray_validation_options *o, const xr_side_model *reference,
                              exray_comparison *comparison, xr_isolation_result *result, exray_error *error)
{
    exray_status status = EXRAY_OK;
    result->told = (xr_isolation){.asked = o->engine != NULL};
    if (o->engine)
        status = run_asked(o, reference, comparison, result, error);
    else if (o->no_isolate)
        snprintf(result->why, sizeof result->why, "it was switched off (--no-isolate)");
    else if (is_worth_it(comparison))
        run_unasked(o, reference, comparison, result);
    else
        snprintf(result->why, sizeof result->why, "no layer is wrong");
    result->told.model = *result->model ? result->model : NULL;
    result->told.why = *result->why ? result->why : NULL;
    return status;
}
