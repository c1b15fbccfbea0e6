/* Which input (output) of one model is which of the other by the graphs alone: what it feeds (is made by),
 * and under which names. */
#ifndef XR_PORT_ROLES_H
#define XR_PORT_ROLES_H

#include <exray/assertion.h>

/* `tensor`: the ports' positions in the tensors of their model, EXRAY_NO_INDEX where not known.  `kind` is
 * INPUT or OUTPUT.  Fills in same[count[0]], all SIZE_MAX where a model is NULL.  False: out of memory. */
bool xr_match_roles(const exray_model *const model[2], exray_kind kind, const uint32_t *const tensor[2],
                    const size_t count[2], size_t *same);

#endif
