/* Which frames a finding is about, in words. */
#ifndef XR_FRAME_WORDS_H
#define XR_FRAME_WORDS_H

#include <exray/assertion.h>

/* "1, 3, 5": the indices of the edge's frames that are chosen, [matched frames]; the first dozen of them. */
void xr_list_frame_indices(const exray_comparison *comparison, const bool *chosen, char *text, size_t size);

/* Adds to a finding that it is about the chosen frames alone: how many, which, and the reading
 * (/reading/NAME) whose values separate them from the others, where there is one. */
void xr_say_frames(const exray_comparison *comparison, const bool *chosen, exray_finding *finding);

#endif
