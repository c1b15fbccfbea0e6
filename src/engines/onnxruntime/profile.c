/* The time of each node.  ONNX Runtime writes the profile of a run as a file of JSON; the
 * run that is profiled is one of its own, as writing takes longer than the model does. */
#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 64 << 20 };

static exray_status fail(exray_error *error, const char *what, const char *path)
{
    error->status = EXRAY_E_IO;
    snprintf(error->message, sizeof error->message, "ONNX Runtime's profile: %s %.200s: %.100s", what, path,
             strerror(errno));
    return error->status;
}

static char *read_text(const char *path, exray_error *error)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(MOST_BYTES) : NULL;
    size_t size = text ? fread(text, 1, MOST_BYTES - 1, file) : 0;
    if (file)
        fclose(file);
    if (!text) {
        fail(error, "cannot read", path);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

/* What ONNX Runtime adds to the name of a node that it has fused or blocked. */
static size_t without_ending(const char *name, size_t n)
{
    static const char blocked[] = "_nchwc", fused[] = "_token_";
    if (n > sizeof blocked - 1 && memcmp(name + n - (sizeof blocked - 1), blocked, sizeof blocked - 1) == 0)
        return n - (sizeof blocked - 1);
    size_t digits = n;
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
        digits--;
    if (digits < n && digits > sizeof fused - 1 &&
        memcmp(name + digits - (sizeof fused - 1), fused, sizeof fused - 1) == 0)
        return digits - (sizeof fused - 1);
    return n;
}

/* "NAME_kernel_time" is the node NAME. */
static bool node_name(const char *event, char name[1000])
{
    static const char end[] = "_kernel_time";
    size_t n = strlen(event);
    if (n <= sizeof end - 1 || strcmp(event + n - (sizeof end - 1), end) != 0)
        return false;
    n = without_ending(event, n - (sizeof end - 1));
    snprintf(name, 1000, "%.*s", (int)(n < 999 ? n : 999), event);
    return true;
}

static void read_events(const cJSON *list, void (*seen)(void *user, const xr_ort_event *event), void *user)
{
    double first = -1;
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *category = cJSON_GetObjectItemCaseSensitive(item, "cat");
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name");
        const cJSON *begin = cJSON_GetObjectItemCaseSensitive(item, "ts");
        const cJSON *duration = cJSON_GetObjectItemCaseSensitive(item, "dur");
        xr_ort_event event;
        if (!cJSON_IsString(category) || strcmp(category->valuestring, "Node") != 0 ||
            !cJSON_IsString(name) || !cJSON_IsNumber(begin) || !cJSON_IsNumber(duration) ||
            !(begin->valuedouble >= 0) || !(duration->valuedouble >= 0) || duration->valuedouble > 1e12 ||
            !node_name(name->valuestring, event.name))
            continue;
        if (first < 0)
            first = begin->valuedouble;
        double since = begin->valuedouble > first ? begin->valuedouble - first : 0;
        event.start_ns = (uint64_t)(since < 1e12 ? since * 1000 : 0);
        event.duration_ns = (uint64_t)(duration->valuedouble * 1000);
        seen(user, &event);
    }
}

/* Reads the profiles that lie in the folder, and takes them away. */
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
        char *text = seen ? read_text(path, error) : NULL;
        cJSON *list = text ? cJSON_Parse(text) : NULL;
        if (list && seen)
            read_events(list, seen, user);
        cJSON_Delete(list);
        free(text);
        unlink(path);
    }
    closedir(dir);
    return status;
}

static exray_status run(xr_session *s, const char *prefix, exray_error *error)
{
    const xr_ort_api *api = &s->api;
    OrtRunOptions *options = NULL;
    enum { MOST = 256 };
    const char *in[MOST], *out[MOST];
    OrtValue *made[MOST] = {NULL};
    for (size_t i = 0; i < s->input_count; i++)
        in[i] = s->input[i].name;
    for (size_t i = 0; i < s->output_count; i++)
        out[i] = s->output[i].name;
    exray_status status = xr_ort_check(api, api->CreateRunOptions(&options), "options", error);
    if (!status)
        status = xr_ort_check(api, api->RunOptionsEnableProfiling(options, prefix), "profile", error);
    if (!status)
        status = xr_ort_check(api,
                              api->Run(s->deployed, options, in, (const OrtValue *const *)s->input_value,
                                       s->input_count, out, s->output_count, made),
                              "the profiled run failed", error);
    for (size_t i = 0; i < s->output_count; i++)
        if (made[i])
            api->ReleaseValue(made[i]);
    if (options)
        api->ReleaseRunOptions(options);
    return status;
}

exray_status xr_ort_profile(xr_session *s, void (*seen)(void *user, const xr_ort_event *event), void *user,
                            exray_error *error)
{
    const char *root = getenv("TMPDIR");
    char folder[2048], prefix[2100];
    snprintf(folder, sizeof folder, "%.2000s/exray-profile-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(folder))
        return fail(error, "cannot make the folder", folder);
    snprintf(prefix, sizeof prefix, "%s/run", folder);
    exray_status status = run(s, prefix, error);
    exray_error ignored = {EXRAY_OK, ""};
    exray_status listed = read_folder(folder, status ? NULL : seen, user, status ? &ignored : error);
    rmdir(folder);
    return status ? status : listed;
}
