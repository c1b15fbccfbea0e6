/* What a Linux system tells of the machine, from its files. */
#ifndef XR_MACHINE_POSIX_H
#define XR_MACHINE_POSIX_H

#include "core/port/port.h"

/* Fills device, os, soc and cpu with what the files below `root` ("" for the system's own) tell; what they do
 * not tell stays as it is.  Reads at most a few kilobytes of each, takes no memory. */
void xr_read_machine(const char *root, xr_port_machine *out);

#endif
