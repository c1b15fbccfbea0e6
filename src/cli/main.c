/* Finds the command and calls it. */
#define _POSIX_C_SOURCE 200809L
#include "base/memory.h"
#include "checks/suggest.h"
#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 || strcmp(argument, "help") == 0;
}

static const char *next_command(void *user)
{
    size_t *i = user;
    return xr_commands[*i] ? xr_commands[(*i)++]->name : NULL;
}

static int no_command(const char *name)
{
    char meant[32];
    size_t i = 0;
    bool near = xr_suggest(name, next_command, &i, meant, sizeof meant);
    return xr_fail("there is no command '%s'%s%s%s; `exray --help` lists them", name,
                   near ? " (did you mean " : "", near ? meant : "", near ? "?)" : "");
}

/* What was printed must have arrived, and must lack nothing: a full disk and a failed allocation are failures
 * of any command. */
static int finish(int status)
{
    if (status != XR_EXIT_FAILED && xr_memory_lacks())
        return xr_fail_for_memory("the result");
    if (status != XR_EXIT_FAILED && (fflush(stdout) != 0 || ferror(stdout)))
        return xr_fail("cannot write to standard output: %s", strerror(errno));
    return status;
}

/* "exray help NAME", or --help anywhere before "--". */
static bool wants_help(int argc, char **argv)
{
    bool help = is_help(argv[1]);
    for (int a = 2; a < argc && strcmp(argv[a], "--") != 0; a++)
        help = help || strcmp(argv[a], "--help") == 0 || strcmp(argv[a], "-h") == 0;
    return help;
}

/* Logs are mapped: reading where a file ended meanwhile raises this. */
static void end_short_file(int number)
{
    static const char line[] = "exray: a log became shorter while it was read; run this again when nobody "
                               "writes to it\n";
    (void)number;
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
        _exit(XR_EXIT_FAILED);
    _exit(XR_EXIT_FAILED);
}

/* Freed memory is kept for what comes next: a search makes pictures all the time, and each new page of memory
 * costs as much as filling it. */
static void keep_freed_memory(void)
{
#ifdef __GLIBC__
    enum { MIB = 1 << 20 };
    mallopt(M_MMAP_THRESHOLD, 32 * MIB);
    mallopt(M_TRIM_THRESHOLD, 256 * MIB);
#endif
}

int main(int argc, char **argv)
{
    keep_freed_memory();
    /* A reader that goes away (`| head`) and a file that grows too large are errors of the write;
     * they do not end the process. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    xr_watch_json_memory();
    signal(SIGBUS, end_short_file);
    argc = xr_take_verbosity(argc, argv);
    if (argc < 2) {
        xr_put_program_help(stderr, xr_commands);
        return XR_EXIT_FAILED;
    }
    if (is_help(argv[1]) && argc == 2) {
        xr_put_program_help(stdout, xr_commands);
        return finish(XR_EXIT_OK);
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0)
        name = "version";
    if (is_help(name))
        name = argv[2];
    for (size_t i = 0; xr_commands[i]; i++) {
        if (strcmp(xr_commands[i]->name, name) != 0)
            continue;
        if (wants_help(argc, argv)) {
            xr_put_command_help(stdout, xr_commands[i]);
            return finish(XR_EXIT_OK);
        }
        return finish(xr_commands[i]->run(&(xr_call){xr_commands[i], xr_commands, argc - 1, argv + 1}));
    }
    return no_command(name);
}
