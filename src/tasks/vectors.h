/* What embeddings and regressions share: one output vector as the result's vector. */
#ifndef XR_VECTORS_H
#define XR_VECTORS_H

#include "tasks/task_shared.h"

exray_status xr_vector_decide(const exray_task_output *outputs, size_t count, exray_told *told,
                              exray_result *out, exray_error *error);
/* The vector of the other side that this one is to be compared with: of its name, else at its place; NULL:
 * none of that length. */
const exray_vector *xr_vector_partner(const exray_result *told, uint32_t i, const exray_result *other);

/* A vector of length 1 is an embedding; others are regressions. */
bool xr_vector_is_unit(const exray_vector *vector);

#endif
