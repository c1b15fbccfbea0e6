/* Metrics of a pair of tensors, in one pass over both, added up over frames. */
#ifndef XR_METRICS_H
#define XR_METRICS_H

#include <exray/assertion.h>

/* Sums over pairs of elements where both are finite; a is the edge's, b the
 * reference's.  Start from xr_moments_zero(). */
typedef struct xr_moments {
    uint64_t count;                      /* pairs where both are finite */
    uint64_t total;                      /* all pairs */
    uint64_t nan_count[2], inf_count[2]; /* by exray_side */
    double sum[2];                       /* of a, of b */
    double square[2];                    /* of a^2, of b^2 */
    double product;                      /* of a b */
    double difference_square;            /* of (a-b)^2 */
    double max_abs;                      /* max |a-b| */
    double min[2], max[2];               /* over each side's finite values; +-INFINITY while there are none */
} xr_moments;

xr_moments xr_moments_zero(void);

/* Adds n pairs.  The arrays need no alignment.  Sums are of blocks in float,
 * of 16 terms a lane, and of the blocks in double: within 1e-6 of all-double. */
void xr_moments_add(xr_moments *moments, const float *a, const float *b, size_t n);

/* Adds another sum to `into`. */
void xr_moments_merge(xr_moments *into, const xr_moments *other);

/* What the sums say; NAN where not defined. */
exray_metrics xr_moments_metrics(const xr_moments *moments);

/* Population standard deviation of a side's values; NAN where there are none. */
double xr_moments_std(const xr_moments *moments, exray_side side);

/* The kernels by name, for tests and benchmarks: "avx512", "avx2", "portable";
 * false where this processor has no such.  NULL: the best one (the default). */
bool xr_moments_use(const char *kernel);

/* Implementation side: a kernel takes as many whole blocks as it can from the
 * front of a and b, stops early at a block it cannot take (one with a value that
 * is not finite, or out of float's range when squared), and returns the number
 * of elements taken. */
enum { XR_BLOCK_STEPS = 16 };
size_t xr_moments_avx2(xr_moments *moments, const float *a, const float *b, size_t n);
size_t xr_moments_avx512(xr_moments *moments, const float *a, const float *b, size_t n);

#endif
