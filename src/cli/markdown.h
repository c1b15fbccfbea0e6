/* What docs/commands.md has of the option tables. */
#ifndef XR_MARKDOWN_H
#define XR_MARKDOWN_H

#include "cli/command.h"

#include <stdio.h>

/* The table of commands. */
void xr_put_program_markdown(FILE *out, const xr_command *const *commands);

/* One command: how it is called, its options, an example. */
void xr_put_command_markdown(FILE *out, const xr_command *command);

#endif
