/* The command table. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "progress.h"
#include "suggest.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <exray/exray.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
        return XR_EXIT_OK;
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
            return XR_EXIT_OK;
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

typedef enum standing { STANDS_NOTHING, STANDS_LOG, STANDS_OTHER } standing;

/* What file is at `path`.  An empty one, a device or a pipe is nothing to lose. */
static standing what_stands_at(const char *path)
{
    static const unsigned char magic[8] = {0x89, 'M', 'C', 'A', 'P', '0', '\r', '\n'};
    unsigned char first[sizeof magic];
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0)
        return STANDS_NOTHING;
    FILE *file = fopen(path, "rb");
    if (!file)
        return STANDS_NOTHING; /* opening it for writing says why */
    size_t size = fread(first, 1, sizeof first, file);
    fclose(file);
    return memcmp(first, magic, size) == 0 ? STANDS_LOG : STANDS_OTHER;
}

static FILE *open_output(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        xr_fail("cannot write %s: %s", path, strerror(errno));
    return file;
}

FILE *xr_open_output(const char *path)
{
    if (strcmp(path, "-") == 0)
        return stdout;
    if (what_stands_at(path) == STANDS_LOG) {
        xr_fail("%s is a log and is not overwritten; give another name", path);
        return NULL;
    }
    return open_output(path);
}

bool xr_may_write_log(const char *path)
{
    if (what_stands_at(path) != STANDS_OTHER)
        return true;
    xr_fail("%s is there and is no log: it is not overwritten; give another name", path);
    return false;
}

FILE *xr_open_log_output(const char *path)
{
    if (strcmp(path, "-") == 0)
        return stdout;
    return xr_may_write_log(path) ? open_output(path) : NULL;
}

bool xr_names_one_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void xr_remove_output(const char *path)
{
    struct stat file;
    if (strcmp(path, "-") != 0 && stat(path, &file) == 0 && S_ISREG(file.st_mode))
        unlink(path);
}

bool xr_close_output(FILE *file, const char *path)
{
    bool good = fflush(file) == 0 && !ferror(file);
    int reason = errno;
    if (file != stdout && fclose(file) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (!good)
        xr_fail("cannot write %s: %s", strcmp(path, "-") == 0 ? "standard output" : path, strerror(reason));
    return good;
}

int xr_print_json(cJSON *root, const char *path)
{
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return xr_fail("out of memory while writing JSON");
    FILE *file = xr_open_output(path);
    bool good = file != NULL;
    if (file) {
        fputs(text, file);
        fputc('\n', file);
        good = xr_close_output(file, path);
    }
    free(text);
    return good ? XR_EXIT_OK : XR_EXIT_FAILED;
}
