/* `exray engines`: what can run a model here, and what is missing. */
#include "cli/cli.h"
#include "engines/engine.h"

#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>

static int run(int argc, char **argv);

const xr_command xr_command_engines = {
    .name = "engines",
    .summary = "list the engines, where they were found, and how to get what is missing",
    .usage = "usage: exray engines [--engine-lib FILE] [--json F]\n\n"
             "Looks for every engine's library and says which version was found where.\n\n"
             "  --engine-lib FILE  look at this library instead\n"
             "  --json F           as JSON; - is standard output\n\n"
             "example: exray engines\n",
    .run = run,
};

static cJSON *to_json(const xr_engine *engine, const xr_engine_info *info)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", engine->name);
    cJSON_AddBoolToObject(item, "found", info->found);
    if (info->found) {
        cJSON_AddStringToObject(item, "version", info->version);
        cJSON_AddStringToObject(item, "library", info->library);
    } else {
        cJSON_AddStringToObject(item, "problem", info->problem);
    }
    cJSON *kernels = cJSON_AddArrayToObject(item, "kernels");
    for (const char *const *k = engine->kernels; *k; k++)
        cJSON_AddItemToArray(kernels, cJSON_CreateString(*k));
    return item;
}

static void print_engine(const xr_engine *engine, const xr_engine_info *info)
{
    if (!info->found) {
        printf("%-12s not found: %s\n", engine->name, info->problem);
        return;
    }
    printf("%-12s %s   %s\n%-12s kernels:", engine->name, info->version, info->library, "");
    for (const char *const *k = engine->kernels; *k; k++)
        printf(" %s", *k);
    putchar('\n');
    if (*info->problem)
        printf("%-12s %s\n", "", info->problem);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"json", required_argument, NULL, 'j'},
                                            {"engine-lib", required_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    const char *json = NULL, *library = NULL;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'j' && option != 'l')
            return xr_usage_error(&xr_command_engines, "there is no option %s, or its value is missing",
                                  argv[optind - 1]);
        *(option == 'j' ? &json : &library) = optarg;
    }
    if (optind < argc)
        return xr_usage_error(&xr_command_engines, "too many arguments: %s", argv[optind]);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-engines");
    cJSON_AddNumberToObject(root, "version", 1);
    cJSON *list = cJSON_AddArrayToObject(root, "engines");
    for (const xr_engine *const *engine = xr_engines; *engine; engine++) {
        xr_engine_info info = {0};
        (*engine)->probe(library, &info);
        cJSON_AddItemToArray(list, to_json(*engine, &info));
        if (!json)
            print_engine(*engine, &info);
    }
    if (json)
        return xr_print_json(root, json);
    cJSON_Delete(root);
    return XR_EXIT_OK;
}
