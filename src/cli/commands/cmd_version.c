/* `exray version`. */
#include "cli/command_line.h"
#include "cli/output.h"

#include <cjson/cJSON.h>
#include <exray/exray.h>

typedef struct version_options {
    const char *json;
} version_options;

static const xr_option_group options = {.options = (const xr_option[]){
                                            XR_JSON_OPTION(version_options, json),
                                            {0},
                                        }};

static int run(const xr_call *call)
{
    version_options o = {0};
    int status = xr_parse_only_options(call, &o);
    if (status != XR_EXIT_OK)
        return status;
    if (!o.json) {
        printf("exray %s\nlog format: MCAP 0, profile exray, exray.v1\n", exray_version());
        return XR_EXIT_OK;
    }
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-version");
    cJSON_AddNumberToObject(root, "version", 1);
    cJSON_AddStringToObject(root, "exray", exray_version());
    cJSON_AddStringToObject(root, "log_schema", "exray.v1");
    return xr_print_json(root, o.json);
}

const xr_command xr_command_version = {
    .name = "version",
    .summary = "print the version of the program and of the log format",
    .synopsis = "[--json F]",
    .description = "Prints the version.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray version --json -",
    .run = run,
};
