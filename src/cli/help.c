#include "cli/help.h"

#include "cli/progress.h"

#include <string.h>

enum { LINE = 100, HEAD = 20 }; /* columns; a head that is wider stands on a line of its own */

/* Words up to LINE columns, further lines `indent` columns in; the first begins at column `at`. */
static void put_wrapped(FILE *out, const char *text, size_t at, size_t indent)
{
    bool first = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (!first && at + 1 + length > LINE) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fwrite(text, 1, length, out);
        at += length;
        text += length;
        text += *text == ' ';
        first = false;
    }
    fputc('\n', out);
}

/* Lines, all but the first `indent` columns in. */
static void put_lines(FILE *out, const char *text, int indent)
{
    for (; *text; text++) {
        fputc(*text, out);
        if (*text == '\n')
            fprintf(out, "%*s", indent, "");
    }
    fputc('\n', out);
}

const char *xr_option_head(const xr_option *option, xr_option_text buffer)
{
    char letter[8] = "";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(buffer, sizeof(xr_option_text), "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
    return buffer;
}

bool xr_shows_options(const xr_option_group *group)
{
    for (const xr_option *o = group->options; o->name; o++)
        if (o->text)
            return true;
    return false;
}

static void put_options(FILE *out, const xr_option *options, size_t width)
{
    for (const xr_option *o = options; o->name; o++) {
        xr_option_text head;
        if (!o->text)
            continue;
        fprintf(out, "  %-*s", (int)width, xr_option_head(o, head));
        if (strlen(head) > width)
            fprintf(out, "\n%*s", (int)width + 2, "");
        fputs("  ", out);
        put_wrapped(out, o->text, width + 4, width + 4);
    }
}

/* The widest head that is no wider than HEAD. */
static size_t head_width(const xr_option_group *const *groups)
{
    size_t width = 0;
    for (; *groups; groups++)
        for (const xr_option *o = (*groups)->options; o->name; o++) {
            xr_option_text head;
            size_t length = o->text ? strlen(xr_option_head(o, head)) : 0;
            if (length > width && length <= HEAD)
                width = length;
        }
    return width;
}

void xr_put_command_help(FILE *out, const xr_command *command)
{
    int indent = fprintf(out, "usage: exray %s ", command->name);
    put_lines(out, command->synopsis, indent);
    fputc('\n', out);
    put_wrapped(out, command->description, 0, 0);
    fputc('\n', out);
    if (command->groups) {
        size_t width = head_width(command->groups);
        for (const xr_option_group *const *group = command->groups; *group; group++) {
            if (!xr_shows_options(*group))
                continue;
            if ((*group)->title)
                fprintf(out, "%s:\n", (*group)->title);
            put_options(out, (*group)->options, width);
            fputc('\n', out);
        }
    }
    if (command->notes) {
        put_wrapped(out, command->notes, 0, 0);
        fputc('\n', out);
    }
    put_lines(out, command->example, fprintf(out, "example: "));
}

void xr_put_program_help(FILE *out, const xr_command *const *commands)
{
    fputs("exray finds out why a model that was right in the lab is wrong, or slow, on the device.\n\n"
          "usage: exray COMMAND ...\n\n",
          out);
    for (; *commands; commands++)
        fprintf(out, "  %-11s %s\n", (*commands)->name, (*commands)->summary);
    fputc('\n', out);
    put_options(out, xr_verbosity_options, strlen("-v, --verbose"));
    fputs("\n`exray COMMAND --help` says more, with an example.\n"
          "exit status: 0 nothing wrong found, 1 validate found something wrong,\n"
          "             2 could not do it, 3 validate could not tell\n",
          out);
}
