#include "cli/fail.h"

#include <stdarg.h>
#include <stdio.h>

int xr_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("exray: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return XR_EXIT_FAILED;
}

int xr_fail_error(const exray_error *error)
{
    return xr_fail("%s", error->message);
}

int xr_usage_error(const xr_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "exray %s: ", command->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "; see `exray %s --help`\n", command->name);
    va_end(arguments);
    return XR_EXIT_FAILED;
}
