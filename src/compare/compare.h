/* Aligns two logs and measures how they differ: the exray_comparison that assertions and reports use
 * (include/exray/assertion.h). */
#ifndef XR_COMPARE_H
#define XR_COMPARE_H

#include "compare/compare_options.h"
#include "compare/match/shapes.h"

#include <exray/assertion.h>

/* Reads both logs once, frame by frame and layer by layer: memory does not grow
 * with the logs' data.  The logs are borrowed until xr_comparison_free.  options
 * may be NULL.  NULL on failure, error filled. */
exray_comparison *xr_compare(const exray_log *edge, const exray_log *reference,
                             const xr_compare_options *options, exray_error *error);

/* The role of a layer as the assertions leave it, for reports. */
void xr_comparison_settle(exray_comparison *comparison, size_t layer, exray_layer_role role);

/* How the values of an input, output or layer correspond that exray_comparison_values reads, by its position
 * in the comparison: as their shapes tell, or where those fit in several ways, as the values did. */
xr_layout_match xr_comparison_layout(const exray_comparison *comparison, exray_kind kind, size_t position,
                                     const exray_tensor_info *edge, const exray_tensor_info *reference);

/* NULL is allowed. */
void xr_comparison_free(exray_comparison *comparison);

#endif
