/* Which tensor of one log is which of the other. */
#ifndef XR_PAIRS_H
#define XR_PAIRS_H

#include "compare/comparison.h"

/* Fills inputs, outputs, layers and the counts of coverage.  False: out of memory. */
bool xr_match_tensors(exray_comparison *comparison);
/* The record of one side of a pair in a matched frame, or NULL. */
const exray_record *xr_pair_record(const exray_comparison *comparison, const xr_pair *pair, exray_side side,
                                   size_t frame);
/* The same, valid until the slot is used for the records of another frame. */
const exray_record *xr_pair_record_in(const exray_comparison *comparison, const xr_pair *pair,
                                      exray_side side, size_t frame, exray_slot *slot);

#endif
