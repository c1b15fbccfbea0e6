#define _POSIX_C_SOURCE 200809L
#include "cli/progress.h"

#include "cli/command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static xr_verbosity verbosity = XR_NORMAL;

static int set_verbosity(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)command, (void)value;
    *(xr_verbosity *)values = option->letter == 'q' ? XR_QUIET : XR_VERBOSE;
    return XR_EXIT_OK;
}

const xr_option xr_verbosity_options[] = {
    {.name = "quiet", .letter = 'q', .set = set_verbosity, .text = "errors and warnings alone"},
    {.name = "verbose",
     .letter = 'v',
     .set = set_verbosity,
     .text = "what was used, and how long it took, too"},
    {0},
};

int xr_take_verbosity(int argc, char **argv)
{
    int kept = 1;
    bool only_names = false;
    for (int i = 1; i < argc; i++) {
        const xr_option *option = xr_verbosity_options;
        only_names = only_names || strcmp(argv[i], "--") == 0;
        while (option->name && (only_names || !xr_is_option(option, argv[i])))
            option++;
        if (option->name)
            option->set(NULL, option, NULL, &verbosity);
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

bool xr_is_quiet(void)
{
    return verbosity == XR_QUIET;
}

void xr_note(const char *format, ...)
{
    if (verbosity != XR_VERBOSE)
        return;
    va_list arguments;
    va_start(arguments, format);
    fputs("exray: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

uint64_t xr_clock(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

xr_progress xr_progress_begin(const char *doing, const char *things)
{
    return (xr_progress){.doing = doing, .things = things, .began = xr_clock()};
}

static void print_left(double seconds)
{
    if (seconds < 90)
        fprintf(stderr, ", %.0f s left", seconds);
    else if (seconds < 5400)
        fprintf(stderr, ", %.0f min left", seconds / 60);
    else
        fprintf(stderr, ", %.1f h left", seconds / 3600);
}

void xr_progress_tell(void *progress, size_t done, size_t total)
{
    xr_progress *p = progress;
    enum { EVERY = 100000000, SETTLED = 1000000000 };
    uint64_t now = xr_clock();
    if (now - p->told < EVERY || verbosity == XR_QUIET || !isatty(STDERR_FILENO))
        return;
    p->told = now;
    fprintf(stderr, "\r%s: %zu of %zu %s", p->doing, done, total, p->things);
    double seconds = (double)(now - p->began) / 1e9;
    /* The first moments show the start-up only. */
    if (now - p->began >= SETTLED && done > 0) {
        double rate = (double)done / seconds;
        fprintf(stderr, rate >= 10 ? ", %.0f a second" : ", %.2g a second", rate);
        if (done < total)
            print_left((double)(total - done) / rate);
    }
    fputs("\033[K", stderr);
}

void xr_progress_clear(xr_progress *p)
{
    if (p->told)
        fputs("\r\033[K", stderr);
    p->told = 0;
}
