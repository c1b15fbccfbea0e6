#include "cli/command_line.h"

#include "checks/suggest.h"
#include "cli/fail.h"
#include "engines/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table ------------------------------------------------------------------ */

const xr_option *xr_next_option(xr_option_place *place)
{
    while (place->group && *place->group) {
        const xr_option *option = &(*place->group)->options[place->index++];
        if (option->name)
            return option;
        place->group++;
        place->index = 0;
    }
    return NULL;
}

/* The option of that name, or the only one whose name begins so; NULL: none. */
static const xr_option *find_name(const xr_command *command, const char *name, size_t length)
{
    xr_option_place place = {command->groups, 0};
    const xr_option *found = NULL;
    size_t beginning = 0;
    for (const xr_option *option; (option = xr_next_option(&place));) {
        if (strncmp(option->name, name, length) != 0)
            continue;
        if (!option->name[length])
            return option;
        found = option;
        beginning++;
    }
    return beginning == 1 ? found : NULL;
}

static const xr_option *find_letter(const xr_command *command, char letter)
{
    xr_option_place place = {command->groups, 0};
    const xr_option *option;
    while ((option = xr_next_option(&place)) && option->letter != letter)
        continue;
    return option;
}

bool xr_is_option(const xr_option *option, const char *argument)
{
    if (argument[0] != '-')
        return false;
    if (argument[1] == '-')
        return strcmp(argument + 2, option->name) == 0;
    return option->letter && argument[1] == option->letter && !argument[2];
}

static size_t engine_count(void)
{
    size_t count = 0;
    while (xr_engines[count])
        count++;
    return count;
}

/* Whether the kernels of engine `e` before `k`, or those of an engine before it, have that name. */
static bool is_named_before(const char *name, size_t e, const char *const *k)
{
    for (size_t i = 0; i <= e; i++)
        for (const char *const *other = xr_engines[i]->kernels; *other && (i < e || other < k); other++)
            if (strcmp(*other, name) == 0)
                return true;
    return false;
}

/* Of all engines, each name once. */
static const char *kernels_name(size_t i)
{
    for (size_t e = 0; xr_engines[e]; e++)
        for (const char *const *k = xr_engines[e]->kernels; *k; k++)
            if (!is_named_before(*k, e, k) && i-- == 0)
                return *k;
    return NULL;
}

const char *xr_value_choice(const xr_option *option, size_t i)
{
    if (option->kind == XR_VALUE_ENGINE)
        return i < engine_count() ? xr_engines[i]->name : NULL;
    if (option->kind == XR_VALUE_KERNELS)
        return kernels_name(i);
    return option->kind == XR_VALUE_CHOICES ? option->choices[i] : NULL;
}

/* ---- What is no option ------------------------------------------------------------- */

typedef struct name_list {
    xr_option_place place;
    char name[48]; /* "--name" */
} name_list;

static const char *next_name(void *user)
{
    name_list *list = user;
    const xr_option *option = xr_next_option(&list->place);
    while (option && !option->text)
        option = xr_next_option(&list->place);
    if (!option)
        return NULL;
    snprintf(list->name, sizeof list->name, "--%.40s", option->name);
    return list->name;
}

static int no_option(const xr_command *command, const char *given)
{
    name_list list = {.place = {command->groups, 0}};
    char name[sizeof list.name], meant[sizeof list.name];
    size_t size = strcspn(given, "=");
    snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : 0), given);
    if (xr_suggest(name, next_name, &list, meant, sizeof meant) && strcmp(name, meant) != 0)
        return xr_usage_error(command, "there is no option %s (did you mean %s?)", given, meant);
    return xr_usage_error(command, "there is no option %s", given);
}

static const char *next_engine(void *user)
{
    const xr_engine *const **at = user;
    return **at ? (*(*at)++)->name : NULL;
}

int xr_no_engine(const xr_command *command, const char *given)
{
    char meant[48];
    const xr_engine *const *at = xr_engines;
    bool near = xr_suggest(given, next_engine, &at, meant, sizeof meant);
    return xr_usage_error(command, "--engine %s: no such engine%s%s%s; `exray engines` lists them", given,
                          near ? " (did you mean " : "", near ? meant : "", near ? "?)" : "");
}

/* ---- Parsing -------------------------------------------------------------------------- */

/* The option in an argument; `*attached`: its value in the same argument, or NULL. */
static const xr_option *find_option(const xr_command *command, const char *argument, const char **attached)
{
    *attached = NULL;
    if (argument[1] != '-') {
        *attached = argument[2] ? argument + 2 : NULL;
        return find_letter(command, argument[1]);
    }
    const char *name = argument + 2;
    size_t length = strcspn(name, "=");
    if (name[length])
        *attached = name + length + 1;
    return find_name(command, name, length);
}

/* Takes the option at argv[*i], and its value, which may be the next argument. */
static int take_option(const xr_call *call, int *i, void *values)
{
    const char *given = call->argv[*i], *value;
    const xr_option *option = find_option(call->command, given, &value);
    if (!option || (value && !option->value))
        return no_option(call->command, given);
    if (option->value && !value) {
        if (*i + 1 == call->argc)
            return xr_usage_error(call->command, "%s needs a value", given);
        value = call->argv[++*i];
    }
    if (option->refused)
        return xr_usage_error(call->command, "--%s %s", option->name, option->refused);
    return option->set(call->command, option, value, values);
}

int xr_parse_options(const xr_call *call, void *values, xr_operands *operands)
{
    bool only_operands = false;
    *operands = (xr_operands){.at = call->argv + 1};
    for (int i = 1; i < call->argc; i++) {
        char *argument = call->argv[i];
        if (only_operands || argument[0] != '-' || !argument[1]) {
            operands->at[operands->count++] = argument; /* never ahead of the next argument */
        } else if (strcmp(argument, "--") == 0) {
            only_operands = true;
        } else {
            int status = take_option(call, &i, values);
            if (status != XR_EXIT_OK)
                return status;
        }
    }
    return XR_EXIT_OK;
}

int xr_parse_only_options(const xr_call *call, void *values)
{
    xr_operands operands;
    int status = xr_parse_options(call, values, &operands);
    if (status == XR_EXIT_OK && operands.count > 0)
        return xr_usage_error(call->command, "too many arguments: %s", operands.at[0]);
    return status;
}

int xr_parse_one_operand(const xr_call *call, void *values, const char *what, const char **operand)
{
    xr_operands operands;
    int status = xr_parse_options(call, values, &operands);
    if (status == XR_EXIT_OK && operands.count != 1)
        return xr_usage_error(call->command, "name one %s", what);
    *operand = operands.at[0];
    return status;
}

/* ---- What options set ----------------------------------------------------------------- */

static void *member(const xr_option *option, void *values)
{
    return (char *)values + option->offset;
}

int xr_set_text(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)command;
    *(const char **)member(option, values) = value;
    return XR_EXIT_OK;
}

int xr_set_flag(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)command, (void)value;
    *(bool *)member(option, values) = true;
    return XR_EXIT_OK;
}

bool xr_parse_count(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value == 0 || value > most)
        return false;
    *out = value;
    return true;
}

int xr_set_count(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    if (xr_parse_count(value, UINT64_MAX, member(option, values)))
        return XR_EXIT_OK;
    return xr_usage_error(command, "--%s %s: not a whole number of at least 1", option->name, value);
}

/* "sensor or input"; "one of none, lz4, zstd". */
static void list_choices(const char *const *choices, char *text, size_t size)
{
    size_t count = 0, used = 0;
    while (choices[count])
        count++;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i > 0       ? count == 2 ? " or " : ", "
                                 : count > 2 ? "one of "
                                             : "",
                                 choices[i]);
}

int xr_choice(const xr_command *command, const xr_option *option, const char *value)
{
    for (int i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], value) == 0)
            return i;
    char choices[160];
    list_choices(option->choices, choices, sizeof choices);
    xr_usage_error(command, "--%s %s: not %s", option->name, value, choices);
    return -1;
}

int xr_add_value(const xr_command *command, xr_value_list *list, size_t most, const char *things,
                 const char *value)
{
    if (list->count == most)
        return xr_usage_error(command, "at most %zu %s", most, things);
    list->value[list->count++] = value;
    return XR_EXIT_OK;
}

int xr_set_plugin(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    enum { MOST_PLUGINS = 16 };
    return xr_add_value(command, member(option, values), MOST_PLUGINS, "plug-ins", value);
}
