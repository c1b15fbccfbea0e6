/* `exray engines`: what can run a model here, and what is missing. */
#include "cli/command_line.h"
#include "cli/output.h"
#include "engines/engine.h"

#include <cjson/cJSON.h>
#include <stdio.h>

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

typedef struct engines_options {
    const char *library, *json;
} engines_options;

static const xr_option_group options = {.options = (const xr_option[]){
                                            {.name = "engine-lib",
                                             .value = "FILE",
                                             XR_INTO(text, engines_options, library),
                                             .text = "look at this library instead"},
                                            XR_JSON_OPTION(engines_options, json),
                                            {0},
                                        }};

static int run(const xr_call *call)
{
    engines_options o = {0};
    int status = xr_parse_only_options(call, &o);
    if (status != XR_EXIT_OK)
        return status;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-engines");
    cJSON_AddNumberToObject(root, "version", 1);
    cJSON *list = cJSON_AddArrayToObject(root, "engines");
    for (const xr_engine *const *engine = xr_engines; *engine; engine++) {
        xr_engine_info info = {0};
        (*engine)->probe(o.library, &info);
        cJSON_AddItemToArray(list, to_json(*engine, &info));
        if (!o.json)
            print_engine(*engine, &info);
    }
    if (o.json)
        return xr_print_json(root, o.json);
    cJSON_Delete(root);
    return XR_EXIT_OK;
}

const xr_command xr_command_engines = {
    .name = "engines",
    .summary = "list the engines, where they were found, and how to get what is missing",
    .synopsis = "[--engine-lib FILE] [--json F]",
    .description = "Looks for every engine's library and says which version was found where.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray engines",
    .run = run,
};
