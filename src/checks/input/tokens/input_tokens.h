/* input.tokens: ids, masks and types that differ. */
#ifndef XR_INPUT_TOKENS_H
#define XR_INPUT_TOKENS_H

#include "checks/input/shape/left_out_padding.h"

/* Judges all inputs of ids and flags that differ, and sets judged[pair] of them; those that are already set
 * are left alone.  shape_told[pair]: rows are as long as their texts, and why those are other ones is told.
 * Anything but EXRAY_OK is an error of reading or of memory. */
exray_status xr_judge_tokens(const exray_comparison *comparison, xr_padding_effect padding, bool *judged,
                             bool *shape_told, exray_findings *findings, exray_error *error);

#endif
