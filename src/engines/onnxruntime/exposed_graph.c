#define _POSIX_C_SOURCE 200809L
#include "engines/onnxruntime/exposed_graph.h"

#include "models/model_load.h"
#include "models/refuse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The graph that ONNX Runtime makes of the model, through a file: it offers no other way. */
exray_status xr_ort_save_graph(const xr_ort_observation *how, int level, void **bytes, size_t *size,
                               exray_error *error)
{
    const char *root = getenv("TMPDIR");
    char path[2048];
    snprintf(path, sizeof path, "%.2000s/exray-graph-XXXXXX", root && *root ? root : "/tmp");
    int file = mkstemp(path);
    if (file < 0)
        return xr_refuse(error, EXRAY_E_IO, "cannot make the file %.200s: %.100s; set TMPDIR", path,
                         strerror(errno));
    close(file);
    OrtSession *session = NULL;
    xr_ort_making making = how->making;
    making.level = level;
    making.saved = path;
    exray_status status = xr_ort_create(how->api, &making, how->model_data, how->model_size, &session, error);
    if (session)
        how->api->ReleaseSession(session);
    exray_error unread = {EXRAY_OK, ""};
    if (!status && (!(*bytes = xr_model_load(path, size, &unread)) || *size == 0))
        status =
            xr_refuse(error, EXRAY_E_ENGINE, "ONNX Runtime did not write the graph it runs to %.200s", path);
    unlink(path);
    return status;
}

exray_status xr_ort_run_exposed(xr_ort_observer *o, const xr_ort_call *call, exray_error *error)
{
    xr_ort_call exposed = *call;
    exposed.session = o->session;
    exposed.options = NULL;
    exposed.output_name = o->output_name;
    exposed.output_count = o->output_count;
    exposed.output = o->value;
    xr_ort_release_values(o->api, o->value, o->output_count);
    return xr_ort_check(o->api, xr_ort_run(o->api, &exposed), "the run for the layers failed", error);
}
