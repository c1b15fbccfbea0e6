#include "cli/markdown.h"

#include "cli/help.h"

#include <stdbool.h>

/* In a table a bar would end the cell; stars and angle brackets would be markup. */
static void put_cell(FILE *out, const char *text)
{
    bool code = false;
    for (; *text; text++) {
        code = code != (*text == '`');
        if (*text == '|' || (!code && (*text == '*' || *text == '<' || *text == '>')))
            fputc('\\', out);
        fputc(*text, out);
    }
}

void xr_put_program_markdown(FILE *out, const xr_command *const *commands)
{
    fputs("| command | does |\n|---|---|\n", out);
    for (; *commands; commands++) {
        fprintf(out, "| [`%s`](#exray-%s) | ", (*commands)->name, (*commands)->name);
        put_cell(out, (*commands)->summary);
        fputs(" |\n", out);
    }
}

static void put_group(FILE *out, const xr_option_group *group)
{
    if (!xr_shows_options(group))
        return;
    fprintf(out, "| %s | |\n|---|---|\n", group->title ? group->title : "option");
    for (const xr_option *o = group->options; o->name; o++) {
        xr_option_text head;
        if (!o->text)
            continue;
        fputs("| `", out);
        put_cell(out, xr_option_head(o, head));
        fputs("` | ", out);
        put_cell(out, o->text);
        fputs(" |\n", out);
    }
    fputc('\n', out);
}

void xr_put_command_markdown(FILE *out, const xr_command *command)
{
    fprintf(out, "## exray %s\n\n%s\n\n", command->name, command->description);
    fprintf(out, "    exray %s ", command->name);
    for (const char *at = command->synopsis; *at; at++) {
        fputc(*at, out);
        if (*at == '\n')
            fputs("        ", out);
    }
    fputs("\n\n", out);
    for (const xr_option_group *const *group = command->groups; group && *group; group++)
        put_group(out, *group);
    if (command->notes)
        fprintf(out, "%s\n\n", command->notes);
    fputs("Example:\n\n    ", out);
    for (const char *at = command->example; *at; at++) {
        fputc(*at, out);
        if (*at == '\n')
            fputs("    ", out);
    }
    fputc('\n', out);
}
