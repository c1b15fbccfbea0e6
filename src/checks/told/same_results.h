/* Whether both sides told their users the very same, whatever the outputs look like. */
#ifndef XR_SAME_RESULTS_H
#define XR_SAME_RESULTS_H

#include <exray/assertion.h>

/* In all matched frames, each with a result on both sides, some of which hold anything; numbers up to
 * rounding.
 */
bool xr_same_results(const exray_comparison *comparison);

/* Whether the results show that no noise is between the two sides: in half of the frames or more every number
 * that both tell is the same bit for bit, they are many and not in steps, and no model that is known is of
 * integers (whose noise leaves some frames alone).  Noise of floats moves each of them. */
bool xr_results_are_exact(const exray_comparison *comparison);

/* Whether two results decide the same: their best class, their text, how many boxes there are and of which
 * class the first is.  */
bool xr_decide_alike(const exray_result *edge, const exray_result *reference);

/* Whether two results are the same, numbers up to rounding. */
bool xr_is_same_result(const exray_result *edge, const exray_result *reference);

#endif
