/* What follows from the length of a state that grows, as keys and values of a decoder do. */
#ifndef XR_STATE_LENGTH_H
#define XR_STATE_LENGTH_H

#include "checks/findings.h"

/* Whether a finding about an input follows from one about the model's state: another shape of the state
 * itself, or an input of whole numbers that counts how long it is (a position, a length). */
bool xr_follows_from_state(const exray_comparison *comparison, const exray_finding *state,
                           const exray_finding *f);

#endif
