#ifndef XR_STRING_PORTS_H
#define XR_STRING_PORTS_H

#include <exray/assertion.h>

/* Outputs of strings, as the name of a class that a model gives beside its scores: where they differ behind
 * equal numbers it is output.labels, by one other name for each name, else
 * output.postprocess.  EXRAY_E_STATE: a log has none of an output's strings.  EXRAY_E_MEMORY. */
exray_status xr_string_outputs(const exray_comparison *comparison, exray_findings *findings,
                               exray_error *error);

/* Inputs of strings that differ: input.tokens.  *any: whether both sides have one.  EXRAY_E_MEMORY. */
exray_status xr_string_inputs(const exray_comparison *comparison, exray_findings *findings, bool *any,
                              exray_error *error);

#endif
