#include "cli/export/export.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "compare/compare.h"
#include "report/report.h"

static exray_comparison *compare(const exray_log *log, const exray_log *reference)
{
    xr_progress progress = xr_progress_begin("comparing", "frames");
    xr_compare_options options = {.progress = xr_progress_tell, .user = &progress};
    exray_error error = {EXRAY_OK, ""};
    exray_comparison *comparison = xr_compare(log, reference, &options, &error);
    xr_progress_clear(&progress);
    if (!comparison)
        xr_fail_error(&error);
    return comparison;
}

/* Prints what the overlay lacks; nothing if it is complete. */
static void say_rest(const xr_overlay *o, bool times)
{
    if (o->nodes == 0)
        fprintf(stderr, "exray: note: no node has a %s; %s\n", times ? "time" : "difference to show",
                times ? "record with latencies of layers" : "record both sides with --capture stats or more");
    if (o->bounds)
        fprintf(stderr, "exray: note: the logs have statistics of layers alone; the numbers are least "
                        "errors, not nRMSE (record with --capture sketch or full)\n");
    if (o->nodes && o->unknown)
        fprintf(stderr, "exray: note: %zu nodes have no %s and are not in the overlay\n", o->unknown,
                times ? "time" : "finite difference");
    if (o->unnamed)
        fprintf(stderr, "exray: note: %zu nodes have no name of their own and are not in the overlay\n",
                o->unnamed);
    if (o->inner)
        fprintf(stderr, "exray: note: %zu nodes of other subgraphs are not in the overlay\n", o->inner);
}

bool xr_export_model_explorer(const exray_log *log, const exray_log *reference, const char *path)
{
    if (!exray_log_model(log)) {
        xr_fail("%s does not describe its model, so that no node's name is known; record it with a tap or "
                "exray_recorder_log_model",
                exray_log_path(log));
        return false;
    }
    exray_comparison *comparison = reference ? compare(log, reference) : NULL;
    if (reference && !comparison)
        return false;
    FILE *out = xr_open_output(path);
    xr_overlay overlay;
    bool good = out != NULL;
    if (good) {
        good = comparison ? xr_report_model_explorer(comparison, out, &overlay)
                          : xr_report_model_explorer_times(log, out, &overlay);
        if (!good)
            xr_fail("out of memory while writing '%s'", path);
        good = xr_close_output(out, path) && good;
    }
    if (good)
        say_rest(&overlay, !comparison);
    xr_comparison_free(comparison);
    return good;
}
