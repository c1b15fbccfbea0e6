/* Help texts. */
#ifndef XR_HELP_H
#define XR_HELP_H

#include "cli/command.h"

#include <stdbool.h>
#include <stdio.h>

/* `exray --help` */
void xr_put_program_help(FILE *out, const xr_command *const *commands);

/* `exray NAME --help` */
void xr_put_command_help(FILE *out, const xr_command *command);

/* Whether help shows any option of the group. */
bool xr_shows_options(const xr_option_group *group);

/* "-o, --output LOG" */
typedef char xr_option_text[64];
const char *xr_option_head(const xr_option *option, xr_option_text buffer);

#endif
