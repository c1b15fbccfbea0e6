/* Differences between the graphs, told as findings: one for each cause, with all its places. */
#ifndef XR_OPERATOR_REPORT_H
#define XR_OPERATOR_REPORT_H

#include "checks/model/graph/step_difference.h"

/* The evidence of an operator between the last layer and the model's output. */
#define XR_AT_OUTPUT "at_output"

/* The differences of the two graphs, found once and attached to `findings`; *out is NULL where they were not
 * compared: both sides ran one file, nothing is wrong, or a log has no model.  False: out of memory. */
bool xr_differences_get(const exray_comparison *comparison, exray_findings *findings,
                        const xr_differences **out);

/* Whether the graphs say that a pair of layers is none (xr_differences_contradict), as far as they were
 * compared. */
bool xr_is_contradicted(const exray_findings *findings, const exray_layer_pair *layer);

/* Whether no output differs by more than a float16 copy's would, and no decision does. */
bool xr_outputs_differ_little(const exray_comparison *comparison);

/* Whether a side's node of a layer is another operator than the other's, and a framework's layer with weights
 * of its own or one that runs a graph of its own: what it is made of is not known. */
bool xr_is_of_unknown_content(const exray_findings *findings, const exray_layer_pair *layer);

/* Whether nothing of the layer's error reaches an output of the model (xr_differences_absorb), as far as the
 * graphs were compared; only floats, as in 8 bits "right" is much. */
bool xr_is_layer_absorbed(const exray_comparison *comparison, const exray_findings *findings,
                          const exray_layer_pair *layer);

/* Whether the reference's layer reads what was paired with another quantity of the edge (a sum for its
 * activation), behind an error of the model that is told: what it makes of that says nothing of the layer. */
bool xr_reads_contradicted(const exray_comparison *comparison, const exray_findings *findings, size_t layer);

/* Reports the differences that the values show to matter.  False: out of memory. */
bool xr_report_operators(const exray_comparison *comparison, const xr_differences *differences,
                         exray_findings *findings);

#endif
