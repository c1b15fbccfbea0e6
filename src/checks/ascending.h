/* Orders for qsort. */
#ifndef XR_ASCENDING_H
#define XR_ASCENDING_H

#include <string.h>

static inline int xr_ascending_floats(const void *left, const void *right)
{
    float a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return (a > b) - (a < b);
}

static inline int xr_ascending_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

#endif
