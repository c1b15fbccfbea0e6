#define _POSIX_C_SOURCE 200809L
#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static xr_verbosity verbosity = XR_NORMAL;

int xr_take_verbosity(int argc, char **argv)
{
    int kept = 1;
    bool only_names = false;
    for (int i = 1; i < argc; i++) {
        only_names = only_names || strcmp(argv[i], "--") == 0;
        if (!only_names && (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "-q") == 0))
            verbosity = XR_QUIET;
        else if (!only_names && (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "-v") == 0))
            verbosity = XR_VERBOSE;
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

void xr_progress_tell(xr_progress *p, size_t done, size_t total)
{
    enum { EVERY = 100000000, SETTLED = 1000000000 };
    uint64_t now = xr_clock();
    if (now - p->told < EVERY || verbosity == XR_QUIET || !isatty(STDERR_FILENO))
        return;
    p->told = now;
    fprintf(stderr, "\r%s: %zu of %zu %s", p->doing, done, total, p->things);
    double seconds = (double)(now - p->began) / 1e9;
    /* The first moments tell of the start alone. */
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
