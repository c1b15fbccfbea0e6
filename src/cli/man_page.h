/* Manual pages, as troff reads them. */
#ifndef XR_MAN_PAGE_H
#define XR_MAN_PAGE_H

#include "cli/command.h"

#include <stdio.h>

void xr_put_program_page(FILE *out, const xr_command *const *commands);
void xr_put_command_page(FILE *out, const xr_command *command);

#endif
