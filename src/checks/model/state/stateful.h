/* Whether a model keeps something from run to run by itself. */
#ifndef XR_STATEFUL_H
#define XR_STATEFUL_H

#include <exray/assertion.h>

/* The first node that keeps a state (variables, recurrent cells with a state of their own), or
 * EXRAY_NO_INDEX. */
uint32_t xr_first_stateful(const exray_model *model);

#endif
