/* What outputs tell where no result was recorded. */
#ifndef XR_OUTPUTS_TOLD_H
#define XR_OUTPUTS_TOLD_H

#include "compare/comparison.h"

#include <exray/task.h>

/* The task that the logs name, or "". */
const char *xr_task_named_in(const exray_comparison *comparison);

/* Whether a single output vector, of a log that names no task, is read as the scores of classes.  Yes where a
 * frame has a label, or the values of all frames sum up to 1; no where the output's name says otherwise,
 * where the vector has the length 1 in every frame (an embedding), or where it is coordinates: every second
 * or third value is alike.  Else it is taken for logits. */
bool xr_output_is_classes(const exray_comparison *comparison, exray_slot *slot);

/* Whether the only output is shares of one: numbers from 0 that add up to 1 in every frame looked at. */
bool xr_output_is_shares(const exray_comparison *comparison, exray_slot *slot);

/* The task by which outputs are read but for classification; NULL: none. */
const exray_task *xr_outputs_task(const exray_comparison *comparison, exray_slot *slot);

/* What a side's outputs of a frame tell by that task; *out lives in `told`. */
bool xr_outputs_decide(const exray_comparison *comparison, const exray_task *task, exray_side side,
                       size_t frame, exray_slot *slot, exray_told *told, exray_result *out);

#endif
