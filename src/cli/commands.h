/* The table of commands: each is one file, commands/cmd_NAME.c, that defines one xr_command. */
#ifndef XR_COMMANDS_H
#define XR_COMMANDS_H

#include "cli/command.h"

/* All of them, NULL at the end. */
extern const xr_command *const xr_commands[];

#endif
