/* Metrics of a pair of tensors, in one pass over both, added up over frames. */
#ifndef XR_METRICS_H
#define XR_METRICS_H

#include "compare/measure/moments.h"

#include <exray/assertion.h>

/* Adds n pairs.  The arrays need no alignment.  Sums are of blocks in float,
 * of 16 terms a lane, and of the blocks in double: within 1e-6 of all-double. */
void xr_moments_add(xr_moments *moments, const float *a, const float *b, size_t n);

/* Adds of n pairs as many from the front as it can sum in one pass together with the CRC-32 of either side's
 * bytes, which go on from crc[2], and returns how many; 0: none.  The sums are those of xr_moments_add. */
size_t xr_moments_add_summed(xr_moments *moments, uint32_t crc[2], const float *a, const float *b, size_t n);

/* Adds another sum to `into`. */
void xr_moments_merge(xr_moments *into, const xr_moments *other);

/* The metrics that follow from the sums; NAN where not defined. */
exray_metrics xr_moments_metrics(const xr_moments *moments);

/* Population standard deviation of a side's values; NAN where there are none. */
double xr_moments_std(const xr_moments *moments, exray_side side);

/* Chooses a kernel, for tests and benchmarks: "avx512", "avx2", "portable"; NULL: the best one (the
 * default).  False: not on this processor. */
bool xr_moments_use(const char *kernel);

#endif
