/* Rows of ids that differ by their padding alone: a model that leaves it out makes the same of both. */
#ifndef XR_PADDED_ROWS_H
#define XR_PADDED_ROWS_H

#include "compare/comparison.h"

/* Whether all inputs that have other shapes on the two sides in a matched frame are rows of whole numbers,
 * one side's those of the other with more behind them (or in front of them, of all inputs), which is masked:
 * a mask is zero there, and no other zeros and ones are one; or which is one id. */
bool xr_rows_differ_by_padding(const exray_comparison *comparison, size_t frame, exray_slot *slot[2]);

#endif
