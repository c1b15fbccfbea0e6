#include "base/sort.h"

#include <stdint.h>

#define DEFINE_ORDER(name, type)                                                                             \
    int name(const void *a, const void *b)                                                                   \
    {                                                                                                        \
        type x = *(const type *)a, y = *(const type *)b;                                                     \
        return (x > y) - (x < y);                                                                            \
    }

DEFINE_ORDER(xr_by_float, float)
DEFINE_ORDER(xr_by_double, double)
DEFINE_ORDER(xr_by_u32, uint32_t)
DEFINE_ORDER(xr_by_u64, uint64_t)
