/* The conversions of colors that applications are known to get wrong, and what is said of each. */
#ifndef XR_KNOWN_COLORS_H
#define XR_KNOWN_COLORS_H

#include "checks/input/color/color_transform.h"

enum { XR_KNOWN_COLORS = 80 };

/* Lists them. */
size_t xr_known_colors(xr_color_transform list[XR_KNOWN_COLORS]);

/* Whether a conversion is no linear mixture of the channels: then it is another one before a resize than
 * after it. */
bool xr_is_nonlinear(const xr_color_transform *color);

/* "BT.709 ...": what the edge did, and what to do about it. */
void xr_color_text(const xr_color_transform *color, char *text, size_t size, const char **fix);

/* The summary and the fix of a finding about YUV's range: limited taken for full (range > 0), or full taken
 * for limited. */
void xr_say_range(exray_finding *finding, int range);

#endif
