/* input.tokens: ids, masks and types that differ. */
#ifndef XR_INPUT_TOKENS_H
#define XR_INPUT_TOKENS_H

#include <exray/assertion.h>

/* Judges all inputs of ids and flags that differ, and sets judged[pair] of them; those that are already set
 * are left alone.  Anything but EXRAY_OK is an error of reading or of memory. */
exray_status xr_judge_tokens(const exray_comparison *comparison, bool *judged, exray_findings *findings,
                             exray_error *error);

#endif
