/* Which frames a finding is about, in words (exray_finding_frames), and the reading that tells them apart. */
#ifndef XR_FRAME_WORDS_H
#define XR_FRAME_WORDS_H

#include <exray/assertion.h>

/* Adds to a finding about the chosen frames the reading (/reading/NAME) whose values separate them from the
 * others, where there is one; where the frames are told already. */
void xr_say_reading(const exray_comparison *comparison, const bool *chosen, exray_finding *finding);

/* Ends the summaries of findings whose frames a reading separates with that: "..., only where the reading
 * light is below 12.5 lux." */
void xr_tell_conditions(exray_findings *findings);

#endif
