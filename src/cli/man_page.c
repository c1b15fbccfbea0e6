#include "cli/man_page.h"

#include "cli/help.h"
#include "cli/progress.h"

#include <ctype.h>
#include <exray/exray.h>

/* Text that troff takes as it is: hyphens are minus signs, a dot or quote that begins a line is no request.
 */
static void put(FILE *out, const char *text)
{
    for (bool first = true; *text; first = *text++ == '\n') {
        if (first && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
    }
}

static void put_line(FILE *out, const char *text)
{
    put(out, text);
    fputc('\n', out);
}

static void put_title(FILE *out, const char *command)
{
    fputs(".TH EXRAY", out);
    if (command)
        fputc('-', out);
    for (const char *p = command ? command : ""; *p; p++)
        fputc(toupper((unsigned char)*p), out);
    fprintf(out, " 1 \"\" \"exray %s\" \"User Commands\"\n.SH NAME\nexray", exray_version());
    if (command)
        fprintf(out, "\\-%s", command);
    fputs(" \\- ", out);
}

static void put_options(FILE *out, const xr_option *options)
{
    for (const xr_option *o = options; o->name; o++) {
        xr_option_text head;
        if (!o->text)
            continue;
        fputs(".TP\n.B ", out);
        put_line(out, xr_option_head(o, head));
        put_line(out, o->text);
    }
}

static void put_groups(FILE *out, const xr_command *command)
{
    bool begun = false;
    for (const xr_option_group *const *group = command->groups; group && *group; group++) {
        if (!xr_shows_options(*group))
            continue;
        fputs(begun ? "" : ".SH OPTIONS\n", out);
        begun = true;
        if ((*group)->title) {
            fputs(".SS ", out);
            put_line(out, (*group)->title);
        }
        put_options(out, (*group)->options);
    }
}

void xr_put_command_page(FILE *out, const xr_command *command)
{
    put_title(out, command->name);
    put_line(out, command->summary);
    fprintf(out, ".SH SYNOPSIS\n.nf\nexray %s ", command->name);
    put_line(out, command->synopsis);
    fputs(".fi\n.SH DESCRIPTION\n", out);
    put_line(out, command->description);
    if (command->notes) {
        fputs(".PP\n", out);
        put_line(out, command->notes);
    }
    put_groups(out, command);
    fputs(".SH EXAMPLE\n.nf\n", out);
    put_line(out, command->example);
    fputs(".fi\n.SH SEE ALSO\n.BR exray (1)\n", out);
}

void xr_put_program_page(FILE *out, const xr_command *const *commands)
{
    put_title(out, NULL);
    fputs("finds out why a model that was right in the lab is wrong, or slow, on the device\n"
          ".SH SYNOPSIS\n.B exray\n.I command\n[options]\n.SH COMMANDS\n",
          out);
    for (; *commands; commands++) {
        fprintf(out, ".TP\n.BR exray\\-%s (1)\n", (*commands)->name);
        put_line(out, (*commands)->summary);
    }
    fputs(".SH OPTIONS\n", out);
    put_options(out, xr_verbosity_options);
    fputs(".SH EXIT STATUS\n.TP\n.B 0\nDone; nothing wrong found.\n.TP\n.B 1\n"
          "validate found something wrong.\n.TP\n.B 2\nCould not do it, or was stopped by a signal; one line "
          "says what and what to do.\n"
          ".TP\n.B 3\nvalidate could not tell.\n"
          ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNo colors, if it is set and not empty.\n",
          out);
}
