/* Which frames a finding is about, in words. */
#ifndef XR_FRAME_WORDS_H
#define XR_FRAME_WORDS_H

#include <exray/assertion.h>

/* Adds to a finding that it is about the chosen frames alone: how many, which, and the reading
 * (/reading/NAME) whose values separate them from the others, where there is one. */
void xr_say_frames(const exray_comparison *comparison, const bool *chosen, exray_finding *finding);

#endif
