/* The command table. */
#define _POSIX_C_SOURCE 200809L
#include "checks/suggest.h"
#include "cli/cli.h"
#include "cli/progress.h"

#include <errno.h>
#include <exray/exray.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const xr_command *const xr_commands[] = {
#define XR_COMMAND_ENTRY(name) &xr_command_##name,
    XR_COMMANDS(XR_COMMAND_ENTRY)
#undef XR_COMMAND_ENTRY
        NULL,
};

static void print_help(FILE *out)
{
    fputs("exray finds out why a model that was right in the lab is wrong, or slow, on the device.\n\n"
          "usage: exray COMMAND ...\n\n",
          out);
    for (size_t i = 0; xr_commands[i]; i++)
        fprintf(out, "  %-11s %s\n", xr_commands[i]->name, xr_commands[i]->summary);
    fputs("\n  -q, --quiet    errors and warnings alone\n"
          "  -v, --verbose  what was used, and how long it took, too\n"
          "\n`exray COMMAND --help` says more, with an example.\n"
          "exit status: 0 nothing wrong found, 1 validate found something wrong,\n"
          "             2 could not do it, 3 validate could not tell\n",
          out);
}

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

/* What was printed must have arrived: a full disk is a failure of any command. */
static int finish(int status)
{
    if (status != XR_EXIT_FAILED && (fflush(stdout) != 0 || ferror(stdout)))
        return xr_fail("cannot write to standard output: %s", strerror(errno));
    return status;
}

int main(int argc, char **argv)
{
    /* A reader that goes away (`| head`), a file that grows too large: errors of the
     * write, not deaths. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    argc = xr_take_verbosity(argc, argv);
    if (argc < 2) {
        print_help(stderr);
        return XR_EXIT_FAILED;
    }
    if (is_help(argv[1]) && argc == 2) {
        print_help(stdout);
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
        bool help = is_help(argv[1]);
        for (int a = 2; a < argc && strcmp(argv[a], "--") != 0; a++)
            help = help || strcmp(argv[a], "--help") == 0 || strcmp(argv[a], "-h") == 0;
        if (help) {
            fputs(xr_commands[i]->usage, stdout);
            return finish(XR_EXIT_OK);
        }
        return finish(xr_commands[i]->run(argc - 1, argv + 1));
    }
    return no_command(name);
}

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
