/* Whether noise of the outputs can have changed what is decided from them. */
#ifndef XR_DECISION_TIES_H
#define XR_DECISION_TIES_H

#include <exray/assertion.h>

/* Whether, in that frame, the best value of some row or channel is another on the two sides; true, too, where
 * outputs cannot be compared.  The slots are of both sides. */
bool xr_decisions_are_tied(const exray_comparison *comparison, size_t frame, exray_slot *slot[2]);

#endif
