/* Inputs of which statistics alone were recorded, on one side or both: what these prove. */
#ifndef XR_INPUT_STATISTICS_H
#define XR_INPUT_STATISTICS_H

#include <exray/assertion.h>

/* Judges the frames of a pair of inputs in which a side has statistics and no data, and reports what they
 * prove.  *agrees: there are such frames, and nothing in them differs by more than noise: which does not
 * prove the input right.  *differs: a finding was reported. */
exray_status xr_judge_moments(const exray_comparison *comparison, size_t pair, exray_findings *findings,
                              bool *agrees, bool *differs, exray_error *error);

/* Layers and outputs behind such an input that agrees: the error relative to their signal that it may rightly
 * make, as its values may differ by what decoders and rounding do; 0 where all statistics are equal, or there
 * is none.  *name: the first such input on the edge, or NULL. */
double xr_moments_allow(const exray_comparison *comparison, const exray_findings *findings,
                        const char **name);

/* Whether an input of the model differs: by its data beyond noise, or as its statistics show. */
bool xr_inputs_differ_by_any(const exray_comparison *comparison, const exray_findings *findings);

#endif
