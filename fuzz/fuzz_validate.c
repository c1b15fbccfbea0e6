/* Any log on the edge's or on the reference's side, or on both, where its graph meets itself: compared,
 * judged, reported in every format, and exported. */
#define _POSIX_C_SOURCE 200809L
#include "cli/export/export.h"
#include "log/log_file.h"
#include "validate/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static exray_log *healthy;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    /* For the notes of the exports; libFuzzer and the sanitizers have their own. */
    exray_error error;
    stderr = fopen("/dev/null", "w");
    healthy = exray_log_open(XR_FUZZ_CORPUS "/validate/reference.mcap", &error);
    if (!healthy || !stderr)
        abort();
    return 0;
}

static FILE *in_memory(char **text, size_t *size)
{
    FILE *out = open_memstream(text, size);
    if (!out)
        abort();
    return out;
}

static void report(const xr_report *r)
{
    char *text = NULL;
    size_t size = 0;
    xr_overlay overlay;
    FILE *out = in_memory(&text, &size);
    xr_report_text(r, out, true);
    xr_report_json(r, out);
    xr_report_junit(r, out);
    xr_report_html(r, out);
    xr_report_model_explorer(r->comparison, out, &overlay);
    fclose(out);
    free(text);
}

static void validate(const exray_log *edge, const exray_log *reference)
{
    exray_error error = {0};
    exray_validation *v = exray_validation_run(edge, reference, NULL, &error);
    if (v)
        report(xr_validation_report(v));
    else if (error.status == EXRAY_OK || !error.message[0])
        abort();
    exray_validation_free(v);
}

static void export_log(const exray_log *log)
{
    char *text = NULL;
    size_t size = 0;
    uint64_t skipped = 0;
    xr_overlay overlay;
    FILE *out = in_memory(&text, &size);
    xr_export_csv(log, out, &skipped);
    xr_export_trace(log, out, &skipped);
    xr_export_foxglove(log, out, "fuzz", &skipped);
    xr_report_model_explorer_times(log, out, &overlay);
    fclose(out);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exray_error error = {0};
    exray_log *log = xr_log_open_bytes(data, size, "fuzz", &error);
    if (!log)
        return 0;
    switch (data[size / 2] % 3) { /* one of the three: an input costs a tenth of a second */
    case 0:
        validate(healthy, log);
        break;
    case 1:
        validate(log, healthy);
        break;
    default:
        validate(log, log);
    }
    export_log(log);
    exray_log_close(log);
    return 0;
}
