/* `exray assertions`: what validate can check. */
#include "checks/checks.h"
#include "checks/options.h"
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static void print_text(const exray_assertion *const *table)
{
    for (; table && *table; table++) {
        const exray_assertion *a = *table;
        printf("%s\n  %s\n  causes:", a->name, a->summary ? a->summary : "");
        for (const char *const *cause = a->causes; cause && *cause; cause++)
            printf(" %s", *cause);
        printf("\n  needs:  %s\n", a->needs ? a->needs : "");
        for (const exray_option *o = xr_options_of(a); o && o->name; o++)
            printf("  option: %s = %g: %s\n", o->name, o->value, o->meaning ? o->meaning : "");
    }
}

static cJSON *as_json(const exray_assertion *a)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", a->name);
    cJSON_AddStringToObject(o, "summary", a->summary ? a->summary : "");
    cJSON *causes = cJSON_AddArrayToObject(o, "causes");
    for (const char *const *cause = a->causes; cause && *cause; cause++)
        cJSON_AddItemToArray(causes, cJSON_CreateString(*cause));
    cJSON_AddStringToObject(o, "needs", a->needs ? a->needs : "");
    cJSON *options = cJSON_AddArrayToObject(o, "options");
    for (const exray_option *option = xr_options_of(a); option && option->name; option++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", option->name);
        cJSON_AddStringToObject(item, "meaning", option->meaning ? option->meaning : "");
        cJSON_AddNumberToObject(item, "default", option->value);
        cJSON_AddItemToArray(options, item);
    }
    return o;
}

static int print_json(const exray_assertion *const *plugin, const char *path)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-assertions");
    cJSON_AddNumberToObject(root, "version", 1);
    cJSON *list = cJSON_AddArrayToObject(root, "assertions");
    for (const exray_assertion *const *a = xr_assertions; *a; a++)
        cJSON_AddItemToArray(list, as_json(*a));
    for (const exray_assertion *const *a = plugin; a && *a; a++)
        cJSON_AddItemToArray(list, as_json(*a));
    return xr_print_json(root, path);
}

typedef struct assertions_options {
    const char *json;
    xr_value_list plugins;
} assertions_options;

static const xr_option_group options = {.options = (const xr_option[]){
                                            {.name = "plugin",
                                             .value = "FILE.so",
                                             XR_INTO(plugin, assertions_options, plugins),
                                             .text = "also the assertions of this library; repeatable"},
                                            {.name = "json",
                                             .value = "FILE",
                                             XR_INTO(text, assertions_options, json),
                                             .text = "as JSON; - is standard output"},
                                            {0},
                                        }};

static int run(const xr_call *call)
{
    assertions_options o = {0};
    int status = xr_parse_only_options(call, &o);
    if (status != XR_EXIT_OK)
        return status;
    exray_error error = {EXRAY_OK, ""};
    const exray_assertion **plugin = xr_plugins_load(o.plugins.value, o.plugins.count, &error);
    if (!plugin)
        return xr_fail_error(&error);
    if (o.json)
        status = print_json(plugin, o.json);
    else {
        print_text(xr_assertions);
        print_text(plugin);
    }
    free(plugin);
    return status;
}

const xr_command xr_command_assertions = {
    .name = "assertions",
    .summary = "list what validate can check",
    .synopsis = "[--plugin FILE.so] [--json FILE]",
    .description =
        "Lists every assertion: its name (for validate --assert), what it checks, the causes it can name, "
        "which records it needs, and its options (for validate --set).",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray assertions --json -",
    .run = run,
};
