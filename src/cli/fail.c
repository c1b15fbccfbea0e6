#include "cli/fail.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool memory_told;

int xr_fail(const char *format, ...)
{
    static const char memory[] = "out of memory";
    memory_told = memory_told || strncmp(format, memory, sizeof memory - 1) == 0;
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
    memory_told = memory_told || error->status == EXRAY_E_MEMORY;
    return xr_fail("%s", error->message);
}

int xr_fail_for_memory(const char *what)
{
    return memory_told
               ? XR_EXIT_FAILED
               : xr_fail(
                     "out of memory: %s would lack something; end other programs, or give the command less "
                     "at once",
                     what);
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
