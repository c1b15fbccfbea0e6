/* Inputs of which statistics alone were recorded, on one side or both: what these prove. */
#ifndef XR_MOMENTS_JUDGE_H
#define XR_MOMENTS_JUDGE_H

#include <exray/assertion.h>

/* Judges the frames of a pair of inputs in which a side has statistics and no data, and reports what they
 * prove.  *agrees: there are such frames, and nothing in them differs by more than noise: which does not
 * prove the input right.  *differs: a finding was reported. */
exray_status xr_judge_moments(const exray_comparison *comparison, size_t pair, exray_findings *findings,
                              bool *agrees, bool *differs, exray_error *error);

#endif
