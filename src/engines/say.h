/* What a tap tells in the log while it observes. */
#ifndef XR_SAY_H
#define XR_SAY_H

#include <exray/exray.h>

/* An event of that kind ("level", "error"), one line. */
void xr_say(exray_recorder *recorder, const char *kind, const char *text);

#endif
