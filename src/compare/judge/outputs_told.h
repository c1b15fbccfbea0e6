/* What outputs tell where no result was recorded. */
#ifndef XR_OUTPUTS_TOLD_H
#define XR_OUTPUTS_TOLD_H

#include "compare/comparison.h"

#include <exray/task.h>

/* The task that the logs name, or "". */
const char *xr_task_named_in(const exray_comparison *comparison);

/* Reads how both sides' outputs are read into comparison->keys, once inputs and frames are matched.  False:
 * out of memory. */
bool xr_outputs_take_keys(exray_comparison *comparison);

/* Whether a single output vector, of a log that names no task, is read as the scores of classes.  Yes where a
 * frame has a label, or the values of all frames sum up to 1; no where the output's name says otherwise,
 * where the vector has the length 1 in every frame (an embedding), or where it is coordinates: every second
 * or third value is alike.  Else it is taken for logits. */
bool xr_output_is_classes(const exray_comparison *comparison, exray_slot *slot);

/* Whether the only output is shares of one: numbers from 0 that add up to 1 in every frame looked at. */
bool xr_output_is_shares(const exray_comparison *comparison, exray_slot *slot);

/* Outputs, neighbours in the comparison's list, that a task reads together. */
typedef struct xr_output_set {
    const exray_task *task; /* NULL: none */
    size_t first, count;
} xr_output_set;

/* The outputs that are read together, and their task; but for a classification by a single output.  `told`
 * is scratch space. */
xr_output_set xr_outputs_set(const exray_comparison *comparison, exray_slot *slot, exray_told *told);

/* What they tell of a frame on a side; *out lives in `told`. */
bool xr_outputs_decide(const exray_comparison *comparison, xr_output_set set, exray_side side, size_t frame,
                       exray_slot *slot, exray_told *told, exray_result *out);

/* Whether boxes, points and masks that outputs tell lie in the whole upright picture, as a truth's do.  Those
 * of a raw head may lie in the part that the model saw. */
bool xr_outputs_place_known(const exray_comparison *comparison);

/* An output that says something by itself beside others: a second classifier, an age, an embedding. */
typedef struct xr_output_head {
    xr_output_set set;
    const char *name;  /* the reference's */
    uint64_t elements; /* in the first frame */
} xr_output_head;

enum { XR_OUTPUT_HEADS_MOST = 16 };

/* Those of several outputs that are not among `whole`; fills out[XR_OUTPUT_HEADS_MOST] and returns how many
 * there are.  None are maps and tables, the columns of a table, whole numbers, and states: outputs of an
 * input's shape. */
size_t xr_outputs_heads(const exray_comparison *comparison, xr_output_set whole, exray_slot *slot,
                        exray_told *told, xr_output_head *out);

#endif
