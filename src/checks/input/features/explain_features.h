/* Explains an input of features of sound that differs. */
#ifndef XR_EXPLAIN_FEATURES_H
#define XR_EXPLAIN_FEATURES_H

#include <exray/assertion.h>

/* Whether the difference of input `pair` is one of features of sound; its cause is reported. */
bool xr_explain_features(const exray_comparison *comparison, size_t pair, exray_findings *findings);

#endif
