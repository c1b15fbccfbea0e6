#include "cli/commands.h"

const xr_command *const xr_commands[] = {
#define XR_COMMAND_ENTRY(name) &xr_command_##name,
    XR_COMMANDS(XR_COMMAND_ENTRY)
#undef XR_COMMAND_ENTRY
        NULL,
};
