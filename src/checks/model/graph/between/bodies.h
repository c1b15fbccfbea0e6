/* The bodies of a branch or a loop, which an attribute tells by the operators that they run. */
#ifndef XR_BODIES_H
#define XR_BODIES_H

#include <stdbool.h>

/* Whether two values of an attribute ("graph of Mul,Tanh") are bodies of which an engine may have made one
 * of the other: it moves values, folds constants and fuses operators as it likes, but adds and takes away no
 * function.  Where a body has operators that are not known here (fused ones, further branches), that cannot
 * be told, so they may.  False for values that are no bodies. */
bool xr_bodies_may_agree(const char *a, const char *b);

#endif
