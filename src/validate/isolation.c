#define _POSIX_C_SOURCE 200809L
#include "validate/isolation.h"

#include "base/error.h"
#include "base/file.h"
#include "checks/scrubbed.h"
#include "compare/judge/localize.h"
#include "engines/engine.h"
#include "isolate/isolate.h"
#include "validate/repro.h"

#include "models/model_hash.h"

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

/* Beside the log, under the base name that it recorded.  The log may be hostile: what it names is a name in
 * its own folder, and counts only as the very file that was run. */
static bool find_beside(const exray_log *log, char path[512])
{
    const exray_model *model = exray_log_model(log);
    const char *name = model && model->name ? model->name : "", *at = exray_log_path(log);
    const char *slash = strrchr(at, '/');
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !model->sha256)
        return false;
    int folder = slash ? (int)(slash - at) + 1 : 0;
    int length = snprintf(path, 512, "%.*s%s", folder, at, name);
    struct stat is;
    return length > 0 && length < 512 && stat(path, &is) == 0 && S_ISREG(is.st_mode) && is.st_size > 0;
}

static bool is_file_of(const exray_log *log, const void *bytes, size_t size)
{
    const exray_model *model = exray_log_model(log);
    uint8_t hash[32];
    xr_model_hash(bytes, size, hash);
    return model && model->sha256 && memcmp(hash, model->sha256, sizeof hash) == 0;
}

/* The engine that is here and takes the file: the reference's own before others. */
static const xr_engine *find_engine(const exray_log *log, const void *bytes, size_t size, const char *library)
{
    xr_model_file file;
    exray_error ignored = {EXRAY_OK, ""};
    if (xr_model_read(bytes, size, &file, &ignored) != EXRAY_OK)
        return NULL;
    bool onnx = strcmp(file.format->name, "onnx") == 0;
    xr_model_release(&file);
    const exray_model *model = exray_log_model(log);
    const char *own = model && model->engine ? model->engine : "";
    const xr_engine *found = NULL;
    for (int round = 0; round < 2 && !found; round++)
        for (const xr_engine *const *e = xr_engines; *e && !found; e++) {
            bool is_own = strcmp((*e)->name, own) == 0;
            xr_engine_info info;
            if (is_own != (round == 0) || (strcmp((*e)->name, "onnxruntime") == 0) != onnx)
                continue;
            (*e)->probe(is_own ? library : NULL, &info);
            found = info.found ? *e : NULL;
        }
    return found;
}

typedef struct chosen {
    const xr_engine *engine;
    const char *library;
    const void *model;
    size_t size;
    void *own; /* the model's bytes, where they were read here */
} chosen;

/* Fills `c` with what is at hand; engine NULL: nothing suitable, and result->why may say what was amiss. */
static void choose(const exray_validation_options *o, const xr_side_model *reference,
                   const exray_comparison *comparison, xr_isolation_result *result, chosen *c)
{
    const exray_log *log = exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE);
    exray_error ignored = {EXRAY_OK, ""};
    *c = (chosen){.model = reference->bytes, .size = reference->size};
    if (o->reference_model)
        snprintf(result->model, sizeof result->model, "%.500s", o->reference_model);
    else if (find_beside(log, result->model))
        c->model = c->own = xr_file_read(result->model, XR_LIMIT_MODEL, &c->size, &ignored);
    if (!c->model) {
        result->model[0] = '\0';
        snprintf(
            result->why, sizeof result->why,
            "the model file that the reference ran is not at hand (--reference-model, or beside its log)");
        return;
    }
    bool same = is_file_of(log, c->model, c->size);
    if (c->own && xr_model_complete(result->model, &c->own, &c->size, &ignored) != EXRAY_OK) {
        snprintf(result->why, sizeof result->why, "%.300s", ignored.message);
        return;
    }
    c->model = c->own ? c->own : c->model;
    if (!same && !is_file_of(log, c->model, c->size)) { /* tensors may lie in files beside it */
        snprintf(result->why, sizeof result->why,
                 "%.200s is not the file that the reference ran, by its SHA-256", result->model);
        return;
    }
    c->engine = find_engine(log, c->model, c->size, o->engine_library);
    const exray_model *model = exray_log_model(log);
    if (!c->engine)
        snprintf(result->why, sizeof result->why,
                 "no engine was found here that runs %.200s (`exray engines`)", result->model);
    else if (model->engine && strcmp(model->engine, c->engine->name) == 0)
        c->library = o->engine_library;
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

static void tell(const chosen *c, const xr_isolate_report *report, xr_isolation_result *result)
{
    result->told.engine = c->engine->name;
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
    const chosen c = {.engine = repro.engine};
    snprintf(result->model, sizeof result->model, "%.500s", o->reference_model);
    name_scrubbed(comparison, &report);
    tell(&c, &report, result);
    remark_on(&report, &repro, result->remark);
    return EXRAY_OK;
}

/* What fails here is no error: nobody asked for it. */
static void run_unasked(const exray_validation_options *o, const xr_side_model *reference,
                        exray_comparison *comparison, xr_isolation_result *result)
{
    chosen c;
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
            tell(&c, &report, result);
        }
    }
    free(c.own);
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
