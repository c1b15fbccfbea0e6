/* TensorStats in one pass over the stored values. */
#ifndef XR_STATS_H
#define XR_STATS_H

#include "core/summary/stats_block.h"
#include <exray/exray.h>

/* Moments of a set of numbers, kept as mean and sum of squared deviations: sums
 * of squares would lose what matters where the mean is large. */
typedef struct xr_stat_moments {
    uint64_t count; /* of finite values */
    double mean, squares;
    double min, max;
} xr_stat_moments;

struct xr_stats_way;

/* Adds the next float32 of a tensor; `stats` and `all` begin as zeros.  false: some of
 * them are not finite (they are counted). */
typedef bool xr_stats_add_fn(const struct xr_stats_way *way, const void *data, uint64_t count,
                             xr_stat_moments *all, exray_stats *stats);

/* How values are read and added up: in little code, or fast. */
typedef struct xr_stats_way {
    const xr_stats_kernels *kernels;
    /* xr_dtype_to_double, or the like */
    void (*to_double)(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out);
    xr_stats_add_fn *add_floats; /* NULL: like any other type */
} xr_stats_way;

/* NULL where floats do not lie in memory as they do in the log. */
xr_stats_add_fn *xr_stats_floats(void);

/* exray_stats_compute, in that way. */
exray_status xr_stats_compute(const xr_stats_way *way, const exray_tensor_info *info, const void *data,
                              size_t size, exray_stats *out);

/* The ways of the two parts. */
xr_stats_way xr_stats_way_small(void);
xr_stats_way xr_stats_way_fast(void);

/* ---- Between the files of statistics, and for sketches ---- */

/* Adds float32 one by one. */
void xr_stats_add_slowly(const xr_stats_way *way, const void *data, size_t count, xr_stat_moments *all,
                         exray_stats *stats);
void xr_stats_merge(xr_stat_moments *into, const xr_stat_moments *other);
/* Extrema and moments into `stats`; of no finite value at all: NaN. */
void xr_stats_end(const xr_stat_moments *all, exray_stats *stats);

/* Elements that the data holds; false: it is shorter than the shape says. */
bool xr_element_count_of(const exray_tensor_info *info, size_t size, uint64_t *count);

#endif
