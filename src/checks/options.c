#include "checks/options.h"

#include <stddef.h>
#include <string.h>

const exray_option *xr_options_of(const exray_assertion *a)
{
    return a->size >= offsetof(exray_assertion, options) + sizeof a->options ? a->options : NULL;
}

const exray_option *xr_option_named(const exray_assertion *a, const char *name, size_t length)
{
    for (const exray_option *o = xr_options_of(a); o && o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}
