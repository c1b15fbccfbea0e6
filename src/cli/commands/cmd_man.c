/* `exray man`: manual pages, and docs/commands.md, from the commands' option tables. */
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/man_page.h"
#include "cli/markdown.h"

#include <string.h>

typedef struct man_options {
    bool markdown;
} man_options;

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "markdown", XR_INTO(flag, man_options, markdown)}, /* for scripts/docs_commands.py */
        {0},
    }};

static void print(const xr_call *call, const man_options *o, const xr_command *command)
{
    if (o->markdown && command)
        xr_put_command_markdown(stdout, command);
    else if (o->markdown)
        xr_put_program_markdown(stdout, call->commands);
    else if (command)
        xr_put_command_page(stdout, command);
    else
        xr_put_program_page(stdout, call->commands);
}

static int run(const xr_call *call)
{
    man_options o = {0};
    xr_operands operands;
    int status = xr_parse_options(call, &o, &operands);
    if (status != XR_EXIT_OK)
        return status;
    if (operands.count > 1)
        return xr_usage_error(call->command, "too many arguments: %s", operands.at[1]);
    const xr_command *const *command = call->commands;
    while (operands.count && *command && strcmp(operands.at[0], (*command)->name) != 0)
        command++;
    if (!*command)
        return xr_usage_error(call->command, "there is no command '%s'", operands.at[0]);
    print(call, &o, operands.count ? *command : NULL);
    return XR_EXIT_OK;
}

const xr_command xr_command_man = {
    .name = "man",
    .summary = "print a manual page",
    .synopsis = "[COMMAND]",
    .description = "Prints the manual page of the program or of a command, for `man`.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray man validate | man -l -",
    .run = run,
};
