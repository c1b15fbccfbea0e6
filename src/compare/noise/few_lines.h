/* Tables of which only some rows or columns differ: the rest is equal bit for bit. */
#ifndef XR_FEW_LINES_H
#define XR_FEW_LINES_H

#include "compare/comparison.h"

/* The error of an input relative to the signal in the rows (columns) that differ, where these are the same
 * few in all frames; 0: it is no table, they are not few, or memory is lacking. */
double xr_error_in_few_lines(const exray_comparison *comparison, const xr_pair *pair);

#endif
