/* `exray version`. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <exray/exray.h>
#include <getopt.h>
#include <stdlib.h>

static int run(int argc, char **argv);

const xr_command xr_command_version = {
    .name = "version",
    .summary = "print the version of the program and of the log format",
    .usage = "usage: exray version [--json F]\n\n"
             "Prints the version.  F may be - for standard output.\n\n"
             "example: exray version --json -\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", required_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    const char *json = NULL;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'j')
            return xr_usage_error(&xr_command_version, "there is no option %s, or its value is missing",
                                  argv[optind - 1]);
        json = optarg;
    }
    if (optind < argc)
        return xr_usage_error(&xr_command_version, "too many arguments: %s", argv[optind]);
    if (!json) {
        printf("exray %s\nlog format: MCAP 0, profile exray, exray.v1\n", exray_version());
        return XR_EXIT_OK;
    }
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-version");
    cJSON_AddNumberToObject(root, "version", 1);
    cJSON_AddStringToObject(root, "exray", exray_version());
    cJSON_AddStringToObject(root, "log_schema", "exray.v1");
    return xr_print_json(root, json);
}
