/* Ids that the application itself chose by the model's scores: each side goes on with its own. */
#ifndef XR_CHOSEN_IDS_H
#define XR_CHOSEN_IDS_H

#include "checks/findings.h"

/* Tells of inputs that differ because of that, as a warning, and marks them as judged.  judged: [pairs of
 * inputs].
 */
void xr_judge_chosen_ids(const exray_comparison *comparison, bool *judged, exray_findings *findings);

#endif
