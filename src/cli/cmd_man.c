/* `exray man`: manual pages, made of the commands' own usage texts. */
#include "cli/cli.h"
#include "cli/usage.h"

#include <ctype.h>
#include <exray/exray.h>
#include <string.h>

static int run(int argc, char **argv);

const xr_command xr_command_man = {
    .name = "man",
    .summary = "print a manual page",
    .usage = "usage: exray man [COMMAND]\n\n"
             "Prints the manual page of the program or of a command, for `man`.\n\n"
             "example: exray man validate | man -l -\n",
    .run = run,
};

/* Text that troff takes as it is: hyphens are minus signs, a line's first dot or quote is
 * none of its own. */
static void put(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool first = i == 0 || text[i - 1] == '\n';
        if (first && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", stdout);
        if (text[i] == '-')
            fputs("\\-", stdout);
        else if (text[i] == '\\')
            fputs("\\e", stdout);
        else
            putchar(text[i]);
    }
}

static void put_title(const char *command)
{
    fputs(".TH EXRAY", stdout);
    if (command)
        putchar('-');
    for (const char *p = command ? command : ""; *p; p++)
        putchar(toupper((unsigned char)*p));
    printf(" 1 \"\" \"exray %s\" \"User Commands\"\n.SH NAME\nexray", exray_version());
    if (command)
        printf("\\-%s", command);
    fputs(" \\- ", stdout);
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline : end;
}

/* "  --data PATH   a folder ..." and the lines that go on. */
static void put_options(const char *at, const char *end)
{
    while (at < end) {
        const char *stop = line_end(at, end), *text = at;
        if (strncmp(at, "  -", 3) == 0) {
            const char *gap = at + 2;
            while (gap + 1 < stop && !(gap[0] == ' ' && gap[1] == ' '))
                gap++;
            if (gap + 1 >= stop)
                gap = stop;
            fputs(".TP\n.B ", stdout);
            put(at + 2, (size_t)(gap - at - 2));
            putchar('\n');
            text = gap;
        }
        while (text < stop && *text == ' ')
            text++;
        if (text < stop) {
            put(text, (size_t)(stop - text));
            putchar('\n');
        }
        at = stop < end ? stop + 1 : end;
    }
}

static void put_as_is(const char *title, const char *at, const char *end)
{
    printf(".SH %s\n.nf\n", title);
    put(at, (size_t)(end - at));
    fputs("\n.fi\n", stdout);
}

/* The paragraphs of a usage text tell by their beginning what they are. */
static void put_paragraph(const char *at, const char *end, bool *described, bool *listed)
{
    if (strncmp(at, "usage: ", 7) == 0)
        put_as_is("SYNOPSIS", at + 7, end);
    else if (strncmp(at, "example: ", 9) == 0)
        put_as_is("EXAMPLE", at + 9, end);
    else if (strncmp(at, "  -", 3) == 0) {
        fputs(*listed ? "" : ".SH OPTIONS\n", stdout);
        *listed = true;
        put_options(at, end);
    } else {
        fputs(*described ? ".PP\n" : ".SH DESCRIPTION\n", stdout);
        *described = true;
        put(at, (size_t)(end - at));
        putchar('\n');
    }
}

static void print_command(const xr_command *command)
{
    put_title(command->name);
    put(command->summary, strlen(command->summary));
    putchar('\n');
    bool described = false, listed = false;
    for (const char *at = command->usage; *at;) {
        const char *end = strstr(at, "\n\n");
        if (!end)
            end = at + strlen(at) - (at[strlen(at) - 1] == '\n');
        put_paragraph(at, end, &described, &listed);
        for (at = end; *at == '\n';)
            at++;
    }
    fputs(".SH SEE ALSO\n.BR exray (1)\n", stdout);
}

static void print_program(void)
{
    put_title(NULL);
    fputs("finds out why a model that was right in the lab is wrong, or slow, on the device\n"
          ".SH SYNOPSIS\n.B exray\n.I command\n[options]\n.SH COMMANDS\n",
          stdout);
    for (size_t i = 0; xr_commands[i]; i++) {
        printf(".TP\n.BR exray\\-%s (1)\n", xr_commands[i]->name);
        put(xr_commands[i]->summary, strlen(xr_commands[i]->summary));
        putchar('\n');
    }
    fputs(".SH OPTIONS\n.TP\n.B \\-q, \\-\\-quiet\nErrors and warnings alone.\n"
          ".TP\n.B \\-v, \\-\\-verbose\nWhat was used, and how long it took, too.\n"
          ".SH EXIT STATUS\n.TP\n.B 0\nDone; nothing wrong found.\n.TP\n.B 1\n"
          "validate found something wrong.\n.TP\n.B 2\nCould not do it; one line says what and what to do.\n"
          ".TP\n.B 3\nvalidate could not tell.\n"
          ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNo colours, if it is set and not empty.\n",
          stdout);
}

static int run(int argc, char **argv)
{
    if (argc > 2)
        return xr_usage_error(&xr_command_man, "too many arguments: %s", argv[2]);
    if (argc == 1) {
        print_program();
        return XR_EXIT_OK;
    }
    for (size_t i = 0; xr_commands[i]; i++)
        if (strcmp(argv[1], xr_commands[i]->name) == 0) {
            print_command(xr_commands[i]);
            return XR_EXIT_OK;
        }
    return xr_usage_error(&xr_command_man, "there is no command '%s'", argv[1]);
}
