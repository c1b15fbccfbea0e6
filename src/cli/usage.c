#include "cli/usage.h"

#include "checks/suggest.h"
#include "engines/engine.h"

#include <stdio.h>
#include <string.h>

/* ---- Reading usage texts ---------------------------------------------------------- */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static const char *line_end(const char *at)
{
    const char *end = strchr(at, '\n');
    return end ? end : at + strlen(at);
}

/* Where an option's text begins: behind two spaces in its line, else in the next one. */
static void find_text(const char *at, const char *end, xr_usage_option *out)
{
    const char *gap = at;
    while (gap + 1 < end && !(gap[0] == ' ' && gap[1] == ' '))
        gap++;
    if (gap + 1 >= end) {
        if (!*end || strncmp(end + 1, "    ", 4) != 0)
            return;
        gap = end + 1;
        end = line_end(gap);
    }
    while (gap < end && *gap == ' ')
        gap++;
    out->text = gap;
    out->text_size = (size_t)(end - gap);
}

/* The options of one line stand before its text: "  -o, --output LOG   the log". */
static bool in_head(const char *line, const char *at)
{
    for (const char *p = line + 2; p + 1 < at; p++)
        if (p[0] == ' ' && p[1] == ' ')
            return false;
    return true;
}

static const char *line_begin(const char *text, const char *at)
{
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

bool xr_usage_next(xr_usage_place *place, xr_usage_option *out)
{
    for (const char *p = strstr(place->at, "--"); p; p = strstr(p + 2, "--")) {
        const char *line = line_begin(place->text, p), *end = line_end(p);
        if (strncmp(line, "  -", 3) != 0 || !is_name(p[2]) || p[-1] != ' ' || !in_head(line, p))
            continue;
        *out = (xr_usage_option){.name = p + 2, .text = "", .value = ""};
        while (is_name(out->name[out->name_size]))
            out->name_size++;
        if (p - line == 6 && line[2] == '-' && line[4] == ',')
            out->short_name = line[3];
        const char *value = out->name + out->name_size;
        if (*value == ' ' && value[1] != ' ' && value[1] != '-') {
            out->value = value + 1;
            while (out->value + out->value_size < end && !strchr(" ,", out->value[out->value_size]))
                out->value_size++;
        }
        find_text(p, end, out);
        place->at = value;
        return true;
    }
    return false;
}

/* ---- What is no option ---------------------------------------------------------------- */

enum { NAME_MOST = 48 };

typedef struct options {
    xr_usage_place place;
    char name[NAME_MOST];
} options;

static const char *next_option(void *user)
{
    options *o = user;
    xr_usage_option option;
    if (!xr_usage_next(&o->place, &option))
        return NULL;
    snprintf(o->name, sizeof o->name, "--%.*s", (int)(option.name_size < 40 ? option.name_size : 40),
             option.name);
    return o->name;
}

int xr_no_option(const xr_command *command, const char *given)
{
    options o = {.place = {command->usage, command->usage}};
    char name[NAME_MOST], meant[NAME_MOST];
    size_t size = strcspn(given, "=");
    snprintf(name, sizeof name, "%.*s", (int)(size < NAME_MOST ? size : 0), given);
    if (xr_suggest(name, next_option, &o, meant, sizeof meant) && strcmp(name, meant) != 0)
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
    char meant[NAME_MOST];
    const xr_engine *const *at = xr_engines;
    bool near = xr_suggest(given, next_engine, &at, meant, sizeof meant);
    return xr_usage_error(command, "--engine %s: no such engine%s%s%s; `exray engines` lists them", given,
                          near ? " (did you mean " : "", near ? meant : "", near ? "?)" : "");
}
