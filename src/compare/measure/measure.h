/* Reads every matched pair of tensors and measures it. */
#ifndef XR_MEASURE_H
#define XR_MEASURE_H

#include "compare/compare_options.h"
#include "compare/comparison.h"

/* Standard deviation of one side's finite values; NAN without any. */
double xr_stats_std(const xr_stat_sums *sums, exray_side side);

/* Reads the data of both logs once. */
exray_status xr_measure(exray_comparison *comparison, const xr_compare_options *options, exray_error *error);

#endif
