/* Parses `--set NAME.OPTION=VALUE`. */
#include "checks/checks.h"
#include "checks/options.h"
#include "checks/suggest.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const exray_assertion *assertion_named(const exray_assertion *const *table, const char *name,
                                              size_t length)
{
    for (; table && *table; table++)
        if (strlen((*table)->name) == length && memcmp((*table)->name, name, length) == 0)
            return *table;
    return NULL;
}

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static exray_status
refuse(exray_error *error, const char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char why[240];
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    error->status = EXRAY_E_ARGUMENT;
    snprintf(error->message, sizeof error->message, "--set '%.160s': %s", text, why);
    return error->status;
}

/* NAME may have dots of its own: the option follows the last one before '='. */
static exray_status parse_one(const xr_check_options *options, const char *text, xr_setting *out,
                              exray_error *error)
{
    const char *equals = strchr(text, '='), *dot = equals;
    while (dot && dot > text && *dot != '.')
        dot--;
    if (!equals || dot == text)
        return refuse(error, text, "write NAME.OPTION=VALUE; `exray assertions` lists the options");
    size_t length = (size_t)(dot - text);
    const exray_assertion *a = assertion_named(xr_assertions, text, length);
    if (!a)
        a = assertion_named(options->extra, text, length);
    if (!a)
        a = assertion_named(options->own, text, length);
    char meant[XR_SUGGESTION];
    if (!a)
        return refuse(error, text, "there is no assertion '%.*s'%s; `exray assertions` lists them",
                      (int)(length < 80 ? length : 80), text,
                      xr_suggest_assertion(xr_assertions, options->extra, text, length, meant));
    const exray_option *o = xr_option_named(a, dot + 1, (size_t)(equals - dot - 1));
    if (!o)
        return refuse(error, text, "%.80s has no such option; `exray assertions` lists them", a->name);
    char *end;
    errno = 0;
    double value = strtod(equals + 1, &end);
    if (errno || end == equals + 1 || *end || !isfinite(value))
        return refuse(error, text, "'%.40s' is not a number", equals + 1);
    if ((o->min != 0 || o->max != 0) && !(value >= o->min && value <= o->max))
        return refuse(error, text, "the value must be from %g to %g", o->min, o->max);
    *out = (xr_setting){a, o->name, value};
    return EXRAY_OK;
}

exray_status xr_settings_parse(const xr_check_options *options, xr_setting **out, size_t *count,
                               exray_error *error)
{
    *count = 0;
    *out = calloc(options->set_count + 1, sizeof **out);
    if (!*out) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory"};
        return EXRAY_E_MEMORY;
    }
    for (; *count < options->set_count; ++*count) {
        exray_status status = parse_one(options, options->set[*count], &(*out)[*count], error);
        if (status != EXRAY_OK) {
            free(*out);
            *out = NULL;
            return status;
        }
    }
    return EXRAY_OK;
}
