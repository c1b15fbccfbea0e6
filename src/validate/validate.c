/* Comparing, judging and reporting in one call. */
#define _POSIX_C_SOURCE 200809L
#include "validate/validate.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "checks/compatible.h"
#include "checks/layer/blame.h"
#include "checks/log/unknown_task.h"
#include "core/sized.h"
#include "log/wire.h"
#include "validate/again.h"
#include "validate/isolation.h"
#include "validate/known_file.h"
#include "validate/pipeline_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const double usual_coverage = 0.8;

struct exray_validation {
    xr_side_model model[2];
    xr_isolation_result isolation;
    xr_again again;
    char unchecked[128];       /* a remark on records without a checksum */
    char unknown_task[200];    /* likewise on a task that is not known */
    const char **remarks;      /* all of them, then NULL */
    char (*known_remark)[400]; /* [known.count] */
    xr_known_list known;
    xr_requirement *require;
    size_t require_count;
    exray_comparison *comparison;
    const exray_assertion **plugins;
    xr_outcome outcome;
    xr_report report;
    char *json, *text; /* NULL: not requested yet */
};

static exray_status refuse(exray_error *error, const char *what, const char *why)
{
    return xr_error_set(error, EXRAY_E_ARGUMENT, "%.120s: %.300s", what, why);
}

/* What the caller was compiled with may be older or newer than this library. */
static exray_status take_options(const exray_validation_options *from, exray_validation_options *to,
                                 exray_error *error)
{
    static const exray_validation_options defaults = EXRAY_VALIDATION_OPTIONS_INIT;
    const char *why = xr_sized_read(to, sizeof *to, from ? from : &defaults);
    if (why)
        return refuse(error, "exray_validation_options (EXRAY_VALIDATION_OPTIONS_INIT)", why);
    char text[160];
    for (const exray_assertion *const *own = to->own; own && *own; own++)
        if ((why = xr_assertion_problem(*own, text)))
            return refuse(error, "exray_validation_options.own: an assertion", why);
    return EXRAY_OK;
}

/* A typing error must not overwrite a log, nor end this process, which has it mapped. */
static bool is_log(const char *path)
{
    char begin[XR_MCAP_MAGIC_SIZE];
    return xr_file_begin(path, begin, sizeof begin) == sizeof begin &&
           memcmp(begin, XR_MCAP_MAGIC, sizeof begin) == 0;
}

/* Whether an allocation has failed since there were `before`: what was found may lack something. */
static bool lacks_memory(unsigned long before, exray_error *error)
{
    if (xr_memory_lacks() == before)
        return false;
    xr_error_set(
        error, EXRAY_E_MEMORY,
        "out of memory while comparing: a result that may lack something is not given; end other programs, "
        "or compare fewer frames at once");
    return true;
}

static bool write_html(const exray_validation *v, const char *path, exray_error *error)
{
    if (is_log(path)) {
        xr_error_set(error, EXRAY_E_ARGUMENT,
                     "'%.300s' is a log, not a place for a report; give another name", path);
        return false;
    }
    const unsigned long before = xr_memory_lacks();
    FILE *out = fopen(path, "w");
    bool written = out && xr_report_html(&v->report, out) && !ferror(out);
    if (out && fclose(out) != 0)
        written = false;
    if (written && xr_memory_lacks() != before) {
        written = false;
        errno = ENOMEM;
    }
    if (written)
        return true;
    xr_error_set(error, EXRAY_E_IO, "cannot write the report to '%.300s': %s", path, strerror(errno));
    return false;
}

static bool judge(exray_validation *v, const exray_validation_options *o, exray_error *error)
{
    double share = o->min_coverage;
    xr_check_options check = {.extra = v->plugins,
                              .own = o->own,
                              .select = o->assertions,
                              .set = o->set,
                              .set_count = o->set_count,
                              .plugin_seconds = o->plugin_seconds,
                              .min_coverage = share > 0   ? share
                                              : share < 0 ? 0
                                                          : usual_coverage,
                              .fail_on_perf = o->fail_on_perf,
                              .fail_on_log = o->fail_on_log,
                              .known = v->known.item,
                              .known_count = v->known.count,
                              .require = v->require,
                              .require_count = v->require_count,
                              .reruns = o->no_isolate ? NULL : &v->again.calls};
    if (xr_run_assertions(v->comparison, &check, &v->outcome, error) != EXRAY_OK)
        return false;
    xr_say_pipeline_keys(v->comparison, &v->outcome.findings);
    return true;
}

/* What reports show of each layer. */
static void settle_roles(exray_validation *v)
{
    for (size_t i = 0; i < exray_comparison_layer_count(v->comparison); i++)
        xr_comparison_settle(v->comparison, i, xr_judged_role(v->comparison, &v->outcome.findings, i));
}

static exray_status open_models(exray_validation *v, const exray_validation_options *o,
                                const exray_log *log[2], exray_error *error)
{
    const char *const path[2] = {o->edge_model, o->reference_model};
    exray_status status = xr_isolation_check(o, error);
    for (int s = 0; s < 2 && status == EXRAY_OK; s++)
        status = xr_side_model_open(&v->model[s], (exray_side)s, path[s], &log[s], error);
    return status;
}

/* Mistakes in the order of the logs, which make the verdict meaningless; "" where there is none. */
static const char *remark_on_roles(const exray_comparison *comparison)
{
    const char *id[2], *role[2];
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        id[s] = exray_log_metadata(log, "log_id");
        role[s] = exray_log_metadata(log, "role");
    }
    if (id[0] && id[1] && *id[0] && strcmp(id[0], id[1]) == 0)
        return "both logs are the same recording, which was compared with itself";
    if (role[0] && role[1] && strcmp(role[0], "reference") == 0 && strcmp(role[1], "edge") == 0)
        return "the first log says that it is the reference's, the second the edge's: are they swapped?";
    return "";
}

/* A difference between logs without checksums may be the file's, not the device's. */
static void remark_on_checksums(exray_validation *v)
{
    bool unchecked[2];
    for (int s = 0; s < 2; s++)
        unchecked[s] = exray_log_unchecked(exray_comparison_log(v->comparison, (exray_side)s)) > 0;
    if (unchecked[0] || unchecked[1])
        snprintf(v->unchecked, sizeof v->unchecked,
                 "records of %s have no checksum: a bit that flipped in them is not told from data",
                 unchecked[0] && unchecked[1] ? "both logs"
                 : unchecked[0]               ? "the edge log"
                                              : "the reference log");
}

/* Entries of --known that should not be there.  Where only some assertions ran, others accept nothing. */
static size_t remark_on_known(exray_validation *v, const exray_validation_options *o, const char **out)
{
    size_t count = 0;
    for (size_t i = 0; i < v->known.count; i++) {
        xr_known_remark(o->known, &v->known.item[i], v->known_remark[i], sizeof v->known_remark[i]);
        if (*v->known_remark[i] && (!o->assertions || v->known.item[i].used))
            out[count++] = v->known_remark[i];
    }
    return count;
}

static bool gather_remarks(exray_validation *v, const exray_validation_options *o)
{
    enum { OTHERS = 6 };
    v->remarks = calloc(OTHERS + v->known.count + 1, sizeof *v->remarks);
    v->known_remark = calloc(v->known.count + 1, sizeof *v->known_remark);
    if (!v->remarks || !v->known_remark)
        return false;
    remark_on_checksums(v);
    xr_unknown_task(v->comparison, v->unknown_task, sizeof v->unknown_task);
    const char *const said[] = {remark_on_roles(v->comparison),
                                v->model[0].remark,
                                v->model[1].remark,
                                v->isolation.remark,
                                v->unchecked,
                                v->unknown_task};
    _Static_assert(sizeof said / sizeof *said == OTHERS, "room for each remark");
    size_t count = remark_on_known(v, o, v->remarks);
    for (size_t i = 0; i < OTHERS; i++)
        if (*said[i])
            v->remarks[count++] = said[i];
    return true;
}

/* Plug-ins first: a file that is no plug-in should not be discovered after minutes of comparing. */
static bool run(exray_validation *v, const exray_log *edge, const exray_log *reference,
                const exray_validation_options *o, exray_error *error)
{
    const unsigned long before = xr_memory_lacks();
    xr_compare_options compare = {o->progress, o->user, o->jobs};
    const exray_log *log[2] = {edge, reference};
    if (xr_requirements_parse(o->require, &v->require, &v->require_count, error) != EXRAY_OK ||
        xr_known_read(o->known, &v->known, error) != EXRAY_OK)
        return false;
    v->plugins = xr_plugins_load(o->plugin, o->plugin_count, error);
    if (!v->plugins || open_models(v, o, log, error) != EXRAY_OK)
        return false;
    v->comparison = xr_compare(log[0], log[1], &compare, error);
    xr_again_init(&v->again, o, log, v->model);
    if (!v->comparison ||
        xr_isolation_run(o, &v->model[1], v->comparison, &v->isolation, error) != EXRAY_OK ||
        !judge(v, o, error))
        return false;
    settle_roles(v);
    if (!gather_remarks(v, o)) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
        return false;
    }
    v->report = (xr_report){.comparison = v->comparison,
                            .outcome = &v->outcome,
                            .not_used = v->remarks,
                            .known = v->known.item,
                            .known_count = v->known.count,
                            .require = v->require,
                            .require_count = v->require_count,
                            .isolation = &v->isolation.told,
                            .reruns = &v->again.told};
    if (lacks_memory(before, error))
        return false;
    if (o->write_known &&
        (is_log(o->write_known) ? refuse(error, o->write_known, "is a log, not a place for known findings")
                                : xr_known_write(o->write_known, &v->known, &v->outcome, error)) != EXRAY_OK)
        return false;
    return !o->html || write_html(v, o->html, error);
}

exray_validation *exray_validation_run(const exray_log *edge, const exray_log *reference,
                                       const exray_validation_options *options, exray_error *error)
{
    exray_error here = {EXRAY_OK, ""};
    exray_validation_options o;
    if (!error)
        error = &here;
    if (take_options(options, &o, error) != EXRAY_OK)
        return NULL;
    exray_validation *v = calloc(1, sizeof *v);
    if (!v) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
        return NULL;
    }
    const unsigned long before = xr_memory_lacks();
    if (!run(v, edge, reference, &o, error) || lacks_memory(before, error)) {
        exray_validation_free(v);
        return NULL;
    }
    return v;
}

void exray_validation_free(exray_validation *validation)
{
    if (!validation)
        return;
    xr_outcome_free(&validation->outcome);
    xr_comparison_free(validation->comparison);
    xr_again_free(&validation->again);
    for (int s = 0; s < 2; s++)
        xr_side_model_close(&validation->model[s]);
    free(validation->plugins);
    free(validation->remarks);
    free(validation->known_remark);
    xr_known_free(&validation->known);
    free(validation->require);
    free(validation->json);
    free(validation->text);
    free(validation);
}

exray_verdict exray_validation_verdict(const exray_validation *validation)
{
    switch (validation->outcome.verdict) {
    case XR_PASS:
        return EXRAY_VERDICT_PASS;
    case XR_FAIL:
        return EXRAY_VERDICT_FAIL;
    default:
        return EXRAY_VERDICT_INCONCLUSIVE;
    }
}

const exray_comparison *exray_validation_comparison(const exray_validation *validation)
{
    return validation->comparison;
}

const xr_report *xr_validation_report(const exray_validation *validation)
{
    return &validation->report;
}

/* ---- Reports as strings ---------------------------------------------------------------- */

static bool write_text(const xr_report *report, FILE *out)
{
    xr_report_text(report, out, false);
    return true;
}

static const char *in_memory(const exray_validation *v, char **kept, bool (*write)(const xr_report *, FILE *),
                             exray_error *error)
{
    if (*kept)
        return *kept;
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    const unsigned long before = xr_memory_lacks();
    bool written = out && write(&v->report, out) && !ferror(out);
    if (out && fclose(out) != 0)
        written = false;
    if (!written || xr_memory_lacks() != before) {
        free(bytes);
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while writing the report");
        return NULL;
    }
    return *kept = bytes;
}

const char *exray_validation_json(exray_validation *validation, exray_error *error)
{
    return in_memory(validation, &validation->json, xr_report_json, error);
}

const char *exray_validation_text(exray_validation *validation, exray_error *error)
{
    return in_memory(validation, &validation->text, write_text, error);
}
