/* Several doubles (or floats) at once, where the compiler has such a type; else one.  All operations round
 * each value by itself, so results do not depend on how many there are, nor on the processor. */
#ifndef XR_LANES_H
#define XR_LANES_H

#include <stddef.h>
#include <string.h>

#ifdef __GNUC__
enum { XR_LANES = 4 };
typedef double xr_lanes __attribute__((vector_size(32)));
typedef double xr_lanes_anywhere __attribute__((vector_size(32), aligned(8), may_alias));
enum { XR_FLOAT_LANES = 4 };
typedef float xr_float_lanes __attribute__((vector_size(16)));
typedef float xr_float_lanes_anywhere __attribute__((vector_size(16), aligned(4), may_alias));
#define XR_INLINED static inline __attribute__((always_inline))
#else
enum { XR_LANES = 1 };
typedef double xr_lanes, xr_lanes_anywhere;
enum { XR_FLOAT_LANES = 1 };
typedef float xr_float_lanes, xr_float_lanes_anywhere;
#define XR_INLINED static inline
#endif

/* The lanes that begin at a pointer to double, to float. */
#define XR_LANES_AT(from)       (*(const xr_lanes_anywhere *)(from))
#define XR_FLOAT_LANES_AT(from) (*(const xr_float_lanes_anywhere *)(from))

/* XR_WIDE_CLONE: for a second copy of a function, compiled for wide registers; XR_HAS_WIDE: whether the
 * processor has them. */
#if defined(__x86_64__) && defined(__GNUC__)
#define XR_WIDE_CLONE __attribute__((target("avx2")))
#define XR_HAS_WIDE   __builtin_cpu_supports("avx2")
#else
#define XR_WIDE_CLONE
#define XR_HAS_WIDE 0
#endif

/* The sum of all. */
XR_INLINED double xr_lanes_total(const xr_lanes *v)
{
    double value[XR_LANES], sum = 0;
    memcpy(value, v, sizeof value);
    for (size_t l = 0; l < XR_LANES; l++)
        sum += value[l];
    return sum;
}

XR_INLINED double xr_float_lanes_total(const xr_float_lanes *v)
{
    float value[XR_FLOAT_LANES];
    double sum = 0;
    memcpy(value, v, sizeof value);
    for (size_t l = 0; l < XR_FLOAT_LANES; l++)
        sum += (double)value[l];
    return sum;
}

#endif
