#include "cli/cli.h"

#include "checks/checks.h"
#include "checks/options.h"
#include "cli/usage.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

extern const xr_command xr_command_assertions;

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
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return xr_fail("out of memory");
    FILE *out = xr_open_output(path);
    if (out) {
        fputs(text, out);
        fputc('\n', out);
    }
    cJSON_free(text);
    return out && xr_close_output(out, path) ? XR_EXIT_OK : XR_EXIT_FAILED;
}

enum { MAX_PLUGINS = 16 };

static int run(int argc, char **argv)
{
    const char *json = NULL, *path[MAX_PLUGINS] = {NULL};
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        bool last = i + 1 == argc;
        if (strcmp(argv[i], "--json") != 0 && strcmp(argv[i], "--plugin") != 0)
            return xr_no_option(&xr_command_assertions, argv[i]);
        if (last)
            return xr_usage_error(&xr_command_assertions, "%s needs a value", argv[i]);
        if (strcmp(argv[i++], "--json") == 0)
            json = argv[i];
        else if (count == MAX_PLUGINS)
            return xr_usage_error(&xr_command_assertions, "at most %d plug-ins", MAX_PLUGINS);
        else
            path[count++] = argv[i];
    }
    exray_error error = {EXRAY_OK, ""};
    const exray_assertion **plugin = xr_plugins_load(path, count, &error);
    if (!plugin)
        return xr_fail_error(&error);
    int status = XR_EXIT_OK;
    if (json)
        status = print_json(plugin, json);
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
    .usage = "usage: exray assertions [--plugin FILE.so] [--json FILE]\n\n"
             "Lists every assertion: its name (for validate --assert), what it checks, the causes it\n"
             "can name, which records it needs, and its options (for validate --set).\n"
             "--plugin adds those of a library; repeatable.\n\n"
             "example: exray assertions --json -\n",
    .run = run,
};
