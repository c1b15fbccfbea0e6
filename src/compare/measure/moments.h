/* Sums over a pair of tensors, from which its metrics follow. */
#ifndef XR_MOMENTS_H
#define XR_MOMENTS_H

#include <exray/types.h>
#include <math.h>

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

static inline xr_moments xr_moments_zero(void)
{
    return (xr_moments){.min = {INFINITY, INFINITY}, .max = {-INFINITY, -INFINITY}};
}

#endif
