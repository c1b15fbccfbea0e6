/* Raw heads of detectors ([1, 4 + classes, anchors]) behind equal inputs: which of their rows are broken, and
 * how; called by output.box_format. */
#ifndef XR_HEAD_CHECK_H
#define XR_HEAD_CHECK_H

#include <exray/assertion.h>

/* The evidence of a finding that explains every row of an output. */
#define XR_EXPLAINS_OUTPUT "explains_output"

/* Reports output.box_format, output.activation, output.label_offset and output.dequantization of parts of an
 * output, and layer.unknown of rows that the output as a whole hides; a warning where both sides told the
 * same all the same. */
exray_status xr_check_heads(const exray_comparison *comparison, exray_findings *findings, exray_error *error);

#endif
