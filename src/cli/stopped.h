/* Ctrl-C and SIGTERM: a command that writes a log ends it first. */
#ifndef XR_STOPPED_H
#define XR_STOPPED_H

#include <stdbool.h>

/* From now on the first Ctrl-C (SIGINT) or SIGTERM is kept for xr_stopped, and the second one ends the
 * process as it would have.  A signal that is ignored (nohup, a shell's background) stays so. */
void xr_stop_by_signal(void);

/* Whether such a signal has come. */
bool xr_stopped(void);

#endif
