/* What the byte budget did, as events. */
#ifndef XR_BUDGET_TELL_H
#define XR_BUDGET_TELL_H

#include "core/state.h"

/* Tells what was lowered; at the end, how many frames were left out. */
void xr_budget_tell(xr_recorder *r, bool end);

#endif
