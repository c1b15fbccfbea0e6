/* The time of each node.  ONNX Runtime writes the profile of a run as a file of JSON; a separate run is
 * profiled, as writing takes longer than the model does. */
#define _POSIX_C_SOURCE 200809L
#include "engines/onnxruntime/profile.h"

#include "engines/onnxruntime/ports.h"
#include "models/refuse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static exray_status fail(exray_error *error, const char *what, const char *path)
{
    return xr_refuse(error, EXRAY_E_IO, "ONNX Runtime's profile: %s %.200s: %.100s", what, path,
                     strerror(errno));
}

/* Reads the profiles in the folder, and removes them. */
static exray_status read_folder(const char *folder, void (*seen)(void *user, const xr_ort_event *event),
                                void *user, exray_error *error)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return fail(error, "cannot read", folder);
    exray_status status = EXRAY_OK;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%.3000s/%.255s", folder, entry->d_name);
        int file = seen ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            xr_ort_read_profile(file, seen, user);
            close(file);
        } else if (seen)
            status = fail(error, "cannot read", path);
        unlink(path);
    }
    closedir(dir);
    return status;
}

static exray_status run(const xr_ort_api *api, const xr_ort_call *call, OrtValue **values, const char *prefix,
                        exray_error *error)
{
    OrtRunOptions *options = NULL;
    xr_ort_call profiled = *call;
    exray_status status = xr_ort_check(api, api->CreateRunOptions(&options), "options", error);
    if (!status)
        status = xr_ort_check(api, api->RunOptionsEnableProfiling(options, prefix), "profile", error);
    profiled.options = options;
    profiled.output = values;
    if (!status)
        status = xr_ort_check(api, xr_ort_run(api, &profiled), "the profiled run failed", error);
    xr_ort_release_values(api, values, call->output_count);
    if (options)
        api->ReleaseRunOptions(options);
    return status;
}

exray_status xr_ort_profile(const xr_ort_api *api, const xr_ort_call *call, OrtValue **values,
                            void (*seen)(void *user, const xr_ort_event *event), void *user,
                            exray_error *error)
{
    const char *root = getenv("TMPDIR");
    char folder[2048], prefix[2100];
    snprintf(folder, sizeof folder, "%.2000s/exray-profile-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(folder))
        return fail(error, "cannot make the folder", folder);
    snprintf(prefix, sizeof prefix, "%s/run", folder);
    exray_status status = run(api, call, values, prefix, error);
    exray_error ignored = {EXRAY_OK, ""};
    exray_status listed = read_folder(folder, status ? NULL : seen, user, status ? &ignored : error);
    rmdir(folder);
    return status ? status : listed;
}
