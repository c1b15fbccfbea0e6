/* `exray doctor`: what works here, what does not, and what to do about it. */
#define _POSIX_C_SOURCE 200809L
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "engines/engine.h"

#include <cjson/cJSON.h>
#include <exray/codecs.h>
#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

typedef struct doctor {
    cJSON *list; /* NULL: as text */
    size_t engines;
} doctor;

static void tell(doctor *d, const char *what, bool good, const char *said, const char *advice)
{
    if (!d->list) {
        printf("%s %-14s %s\n", good ? "ok" : "--", what, said);
        if (advice && *advice)
            printf("%18s%s\n", "", advice);
        return;
    }
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "what", what);
    cJSON_AddBoolToObject(item, "good", good);
    cJSON_AddStringToObject(item, "said", said);
    cJSON_AddStringToObject(item, "advice", advice ? advice : "");
    cJSON_AddItemToArray(d->list, item);
}

static void look_at_program(doctor *d)
{
    char text[300];
    struct utsname system;
    snprintf(text, sizeof text, "%s; log format MCAP 0, exray.v1", exray_version());
    tell(d, "exray", true, text, NULL);
    if (uname(&system) == 0) {
        snprintf(text, sizeof text, "%.60s %.60s, %.60s, %ld processors", system.sysname, system.release,
                 system.machine, sysconf(_SC_NPROCESSORS_ONLN));
        tell(d, "machine", true, text, NULL);
    }
}

static void look_at_engines(doctor *d)
{
    for (const xr_engine *const *engine = xr_engines; *engine; engine++) {
        xr_engine_info info = {0};
        (*engine)->probe(NULL, &info);
        char text[sizeof info.version + sizeof info.library + 8];
        if (info.found)
            snprintf(text, sizeof text, "%s, %s", info.version, info.library);
        tell(d, (*engine)->name, info.found, info.found ? text : "not found", info.problem);
        d->engines += info.found;
    }
}

static void look_at_codecs(doctor *d)
{
    const exray_codec *codec = exray_codec_default();
    bool good = codec && codec->crc32;
    tell(d, "compression", good, good ? "lz4, zstd" : "missing",
         good ? NULL : "build with liblz4 and libzstd");
}

static void look_at_temporary(doctor *d)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    char path[512];
    snprintf(path, sizeof path, "%.480s/exray-XXXXXX", folder);
    int file = mkstemp(path);
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    tell(d, "temporary", file >= 0, folder,
         file >= 0 ? NULL : "cannot be written to; set TMPDIR to a folder that can");
}

typedef struct doctor_options {
    const char *json;
} doctor_options;

static const xr_option_group options = {.options = (const xr_option[]){
                                            XR_JSON_OPTION(doctor_options, json),
                                            {0},
                                        }};

static int run(const xr_call *call)
{
    doctor_options o = {0};
    int status = xr_parse_only_options(call, &o);
    if (status != XR_EXIT_OK)
        return status;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-doctor");
    cJSON_AddNumberToObject(root, "version", 1);
    doctor d = {.list = o.json ? cJSON_AddArrayToObject(root, "checks") : NULL};
    look_at_program(&d);
    look_at_engines(&d);
    look_at_codecs(&d);
    look_at_temporary(&d);
    if (o.json)
        status = xr_print_json(root, o.json);
    else
        cJSON_Delete(root);
    if (status == XR_EXIT_OK && d.engines == 0)
        return xr_fail("no engine loads: record and replay need one (see above), validate does not");
    return status;
}

const xr_command xr_command_doctor = {
    .name = "doctor",
    .summary = "check what works on this machine, and how to fix what does not",
    .synopsis = "[--json F]",
    .description =
        "Checks what the program needs and can use: engines (each is loaded), compression, a folder for "
        "temporary files. Exit status 2 if no engine loads: record and replay need one, validate does not.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray doctor",
    .run = run,
};
