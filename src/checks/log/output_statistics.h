/* Outputs of which a log has statistics alone (no data): whether these are those of the same values. */
#ifndef XR_OUTPUT_STATISTICS_H
#define XR_OUTPUT_STATISTICS_H

#include <exray/assertion.h>

/* An output whose mean or deviation in some frame is further from the reference's than a healthy model of 8
 * bits is, or that has NaN on one side alone, or NULL; *frame: that matched frame.  mixed: only
 * outputs that other frames have data of.  Frames with data on both
 * sides are compared otherwise. */
const exray_io_pair *xr_output_of_other_statistics(const exray_comparison *comparison, bool mixed,
                                                   size_t *frame);

/* Frames (matched ones, set in `frames`) in which the edge has statistics alone, with NaN in them, and the
 * reference's output is finite; their number. */
size_t xr_output_statistics_nan(const exray_comparison *comparison, const exray_io_pair *output,
                                bool *frames);

/* By how much the least, the largest, the mean and the deviation of an output's values differ in a matched
 * frame, at most, as a share of the reference's deviation (of its largest value where that is 0).  False:
 * they are not in both logs, or something is no number. */
bool xr_output_statistics_apart(const exray_comparison *comparison, const exray_io_pair *output, size_t frame,
                                exray_slot *slot, double *apart);

/* Whether such an output is one value in all frames on the edge, *value, and the reference's is not. */
bool xr_is_output_dead(const exray_comparison *comparison, const exray_io_pair *output, double *value);

#endif
