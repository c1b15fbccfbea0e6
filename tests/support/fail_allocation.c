/* Preloaded (LD_PRELOAD): lets one allocation of a program fail.  EXRAY_FAIL_AT: which one, from 1 on;
 * EXRAY_FAIL_COUNT: a file that gets the number of all of them; EXRAY_FAIL_TRACE: where it was, on standard
 * error. glibc alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static atomic_ulong calls;
static unsigned long fail_at;
static int trace, counts;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("EXRAY_FAIL_AT");
    void *nobody[4];
    if (getenv("EXRAY_FAIL_TRACE")) {
        backtrace(nobody, 4); /* what it loads, it loads now */
        trace = 1;
    }
    fail_at = at ? strtoul(at, NULL, 10) : 0;
    counts = 1;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("EXRAY_FAIL_COUNT");
    const unsigned long count = atomic_load(&calls);
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%lu\n", count);
        fclose(file);
    }
}

static int fails(void)
{
    if (!counts || atomic_fetch_add(&calls, 1) + 1 != fail_at)
        return 0;
    if (trace) {
        void *frames[40];
        counts = 0;
        backtrace_symbols_fd(frames, backtrace(frames, 40), STDERR_FILENO);
        counts = 1;
    }
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}
