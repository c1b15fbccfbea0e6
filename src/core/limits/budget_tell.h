/* What the byte budget did, as events. */
#ifndef XR_BUDGET_TELL_H
#define XR_BUDGET_TELL_H

#include "core/state.h"

/* Tells what is new since the last call; not while a record is being made. */
void xr_budget_tell(xr_recorder *r);
/* At the end: how many frames were left out. */
void xr_budget_tell_end(xr_recorder *r);

#endif
