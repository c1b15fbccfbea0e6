/* Numbers that name dimensions, where an optimizer has moved a Transpose past a step. */
#ifndef XR_STEP_AXES_H
#define XR_STEP_AXES_H

#include "checks/model/graph/step_graph.h"

/* Whether p of a step of side 0 and q of one of side 1 are the same axes, or the same numbers for each
 * dimension (its scale; its padding at both ends), of dimensions in another order: there is an order in which
 * what the steps read has equal shapes, and the numbers are equal.  False where the shapes are equal as they
 * are. */
bool xr_axes_are_moved(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b, const double *p,
                       const double *q, size_t count);

/* The same of an attribute of both nodes, `key`, if that is one of axes. */
bool xr_attribute_is_moved(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b,
                           const char *key);

#endif
